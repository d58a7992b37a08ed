using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Fuse;

/// <summary>Why a session has ended.</summary>
public enum FuseSessionEnd
{
    /// <summary>The file system was unmounted (ENODEV), or a stand-in for the kernel has closed its end.</summary>
    Unmounted,

    /// <summary>The connection was aborted (<c>umount -f</c>, or /sys/fs/fuse/connections/…/abort).</summary>
    Aborted,

    /// <summary><see cref="FuseSession.Stop"/> was called; the mount still stands, and its requests wait for whoever resumes.</summary>
    Stopped,
}

/// <summary>
/// The conversation with the kernel over one /dev/fuse descriptor. Who mounted is not its concern, and the descriptor is not its own:
/// closing it is up to the caller. First <see cref="InitializeAsync"/> or <see cref="Resume"/>, then <see cref="RunAsync"/>.
/// </summary>
public sealed class FuseSession : IDisposable
{
    // Kept idle per size: what a burst of asynchronous reads used, without holding on to the memory of the largest one.
    private const int IdleBuffersPerSize = 8;

    // An attribute list of 64 KiB and a listing of 128 KiB may be asked for even where writes are smaller.
    private const int ReplyDataMin = 128 * 1024;

    private static readonly TimeSpan WakeInterval = TimeSpan.FromMilliseconds(10);

    private readonly FuseSessionOptions options;
    private readonly ConcurrentDictionary<ulong, FuseCall> detached = new();
    private FuseReader[] readers = [];
    private volatile Task<FuseSessionEnd[]> ends = Task.FromResult<FuseSessionEnd[]>([]);
    private volatile bool stopping;

    /// <summary>A session that has not spoken yet.</summary>
    /// <param name="device">An open /dev/fuse descriptor, in blocking mode. A mounted one, or one about to be.</param>
    /// <param name="operations">The file system.</param>
    /// <param name="options">What to ask of the kernel.</param>
    /// <param name="log">Where to say what goes wrong; at Trace level, every request and reply.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public FuseSession(SafeFileHandle device, IFuseOperations operations, FuseSessionOptions options, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Device = new FuseDevice(device);
        Watch = new RequestWatch(Device);
        Operations = operations;
        this.options = options;
        Log = log;
        Buffers = new FuseBufferPool(Math.Max(options.MaxWrite, ReplyDataMin), IdleBuffersPerSize);
        Notifier = new FuseNotifier(Device, log);
    }

    /// <summary>Sends what the kernel is to drop or to send again.</summary>
    public FuseNotifier Notifier { get; }

    /// <summary>What was agreed on.</summary>
    /// <exception cref="InvalidOperationException">Neither initialized nor resumed yet.</exception>
    public FuseNegotiated Negotiated
    {
        get => field ?? throw new InvalidOperationException("The session is neither initialized nor resumed.");
        private set;
    }

    /// <summary>How many operations are under way that were not complete at once.</summary>
    public int PendingCount => detached.Count;

    internal FuseDevice Device { get; }

    internal RequestWatch Watch { get; }

    internal IFuseOperations Operations { get; }

    internal ILogger Log { get; }

    internal FuseBufferPool Buffers { get; private set; }

    internal FuseStatistics Statistics { get; } = new();

    internal bool IsStopping => stopping;

    /// <summary>The most that a READ or a listing may ask for, in bytes.</summary>
    internal int ReplyDataMax => Math.Max(Negotiated.MaxWrite, ReplyDataMin);

    /// <summary>How large a reader's buffer must be in its data area, behind the headers of a WRITE.</summary>
    internal int RequestDataMax => Math.Max(Negotiated.MaxWrite, ReplyDataMin);

    /// <summary>Reads the kernel's INIT and answers it. Waits until the descriptor is mounted.</summary>
    /// <returns>What was agreed on; keep its bytes for <see cref="Resume"/>.</returns>
    /// <exception cref="NotSupportedException">The kernel speaks a protocol older than 7.31 (Linux 5.4).</exception>
    /// <exception cref="IOException">The descriptor can't be read or written, or says something else than INIT.</exception>
    public async Task<FuseNegotiated> InitializeAsync()
    {
        // The read waits for the kernel, so it must not hold a thread of the pool.
        Negotiated = await Task.Factory.StartNew(
            () => FuseHandshake.Run(Device, options), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .ConfigureAwait(false);
        UseNegotiated();
        return Negotiated;
    }

    /// <summary>
    /// Goes on where another process stopped or died: no INIT comes any more. Then <see cref="FuseNotifier.Resend"/>, for what that process
    /// had read and not answered, and once that is sent <see cref="RunAsync"/>: whatever is being worked on at that moment is sent again, so
    /// that a reader that had begun would work on it twice.
    /// </summary>
    /// <param name="negotiated">What that process had agreed on.</param>
    public void Resume(FuseNegotiated negotiated)
    {
        Negotiated = negotiated;
        UseNegotiated();
    }

    /// <summary>Serves the kernel until the file system is unmounted or <see cref="Stop"/> is called.</summary>
    /// <param name="threads">How many threads read requests.</param>
    /// <returns>Why it ended, once every reader thread has.</returns>
    /// <exception cref="InvalidOperationException">Neither initialized nor resumed, or already running.</exception>
    /// <exception cref="IOException">The descriptor failed in a way that has no other meaning.</exception>
    public async Task<FuseSessionEnd> RunAsync(int threads = 4)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _ = Negotiated;
        if (readers.Length > 0)
        {
            throw new InvalidOperationException("The session is already running.");
        }

        readers = [.. Enumerable.Range(0, threads).Select(index => new FuseReader(this, index))];
        ends = Task.WhenAll(readers.Select(reader => reader.Start()));
        if (stopping)
        {
            // Stop came while the threads were being started, and found nobody to wake.
            Stop();
        }

        FuseSessionEnd[] results = await ends.ConfigureAwait(false);
        return results.Contains(FuseSessionEnd.Stopped) && !results.Contains(FuseSessionEnd.Unmounted) ? FuseSessionEnd.Stopped : results.Min();
    }

    /// <summary>
    /// Ends <see cref="RunAsync"/> while the mount stands. Operations under way still answer; requests that nobody has read wait in the kernel.
    /// </summary>
    public void Stop()
    {
        stopping = true;

        if (readers.Length > 0)
        {
            Interop.LetSignalInterrupt();
            _ = WakeUntilEndedAsync();
        }
    }

    /// <summary>The counters of the operations that were asked for at least once.</summary>
    public IReadOnlyList<FuseOperationStatistics> GetStatistics() => Statistics.Snapshot();

    /// <summary>Ends the notifier's thread. The descriptor stays open.</summary>
    public void Dispose() => Notifier.Dispose();

    /// <summary>Takes a call whose operation was not complete at once.</summary>
    internal void Track(FuseCall call) => detached[call.Request.Unique] = call;

    /// <summary>Lets go of a call, unless the kernel has sent the same request again and the later call stands in its place.</summary>
    internal void Untrack(FuseCall call) => detached.TryRemove(KeyValuePair.Create(call.Request.Unique, call));

    /// <summary>Interrupts a request that is under way.</summary>
    /// <param name="unique">Its number without the resend bit.</param>
    /// <returns>False when it is unknown.</returns>
    internal bool TryInterrupt(ulong unique)
    {
        // First the readers, then the detached: a call goes from the one to the other, never back.
        foreach (FuseReader reader in readers)
        {
            if (reader.CurrentRequest.TryInterrupt(unique))
            {
                return true;
            }
        }

        return detached.TryGetValue(unique, out FuseCall? call) && call.Request.TryInterrupt(unique);
    }

    // A reader sleeps in read() and would see the mark only at the next request. A signal that comes just before the read begins is lost,
    // so it is sent again until the reader has ended.
    private async Task WakeUntilEndedAsync()
    {
        while (!ends.IsCompleted)
        {
            foreach (FuseReader reader in readers)
            {
                reader.Wake();
            }

            await Task.WhenAny(ends, Task.Delay(WakeInterval)).ConfigureAwait(false);
        }
    }

    private void UseNegotiated()
    {
        Buffers = new FuseBufferPool(Math.Max(RequestDataMax, ReplyDataMax), IdleBuffersPerSize);
        Notifier.Use(Negotiated);
    }
}
