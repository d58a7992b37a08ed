using System.Diagnostics;

namespace ModelFs.Fuse;

/// <summary>
/// Keeps one reader awake for a moment where requests follow each other closely: a program that opens thousands of files waits for every reply, and to wake a thread on a core
/// that has gone to sleep takes longer than to answer.
/// </summary>
/// <remarks>
/// It watches for at most <see cref="WatchMax"/>, only after a request that itself came within that time, and on one thread, so that a program which is slower, or a daemon
/// that nobody uses, costs nothing. On a machine with one core it would only keep the program from running.
/// </remarks>
internal sealed class RequestWatch(FuseDevice device)
{
    private static readonly TimeSpan WatchMax = TimeSpan.FromMicroseconds(40);

    private readonly bool isOff = Environment.ProcessorCount == 1;
    private long answeredAt;
    private bool isBusy;
    private int watching;

    /// <summary>Called before a reader goes to sleep in the kernel; returns when a request is there, or none came soon.</summary>
    internal void Wait()
    {
        if (isOff || !Volatile.Read(ref isBusy) || Interlocked.CompareExchange(ref watching, 1, 0) != 0)
        {
            return;
        }

        long begun = Stopwatch.GetTimestamp();
        while (!device.HasRequest() && Stopwatch.GetElapsedTime(begun) < WatchMax)
        {
            // Asking is the pause.
        }

        Volatile.Write(ref watching, 0);
    }

    /// <summary>A request came.</summary>
    internal void NoteRequest() => Volatile.Write(ref isBusy, Stopwatch.GetElapsedTime(Volatile.Read(ref answeredAt)) < WatchMax);

    /// <summary>A reader has done with a request.</summary>
    internal void NoteAnswered() => Volatile.Write(ref answeredAt, Stopwatch.GetTimestamp());
}
