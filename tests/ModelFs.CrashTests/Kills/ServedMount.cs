using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Kills;

/// <summary>The processes behind a mount, found without asking them: a test that kills can't wait for an answer.</summary>
internal sealed partial class ServedMount
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    private readonly string _cache;

    /// <param name="cache">The cache folder, whose lock file names the daemon.</param>
    public ServedMount(string cache)
    {
        _cache = cache;
        Keeper = ParentOf(LockHolder() ?? throw new AssertionException($"{cache}/lock names no living daemon"));
    }

    /// <summary>Starts daemons and holds the mount.</summary>
    public int Keeper { get; }

    /// <summary>The daemon that lives now; one that is just being started counts, although it holds nothing yet. Null while there is none.</summary>
    public int? Daemon => ChildOf(Keeper);

    /// <summary>Whether a daemon has opened the cache.</summary>
    public bool IsServing => Daemon is { } daemon && LockHolder() == daemon;

    /// <summary>
    /// Stops the daemon at once, has the test look at what it was doing, and kills it: a stopped process dies of SIGKILL where it stands.
    /// </summary>
    /// <param name="look">Called while nothing moves.</param>
    /// <param name="keeperToo">Whether the mount dies with it.</param>
    /// <returns>False when there was no daemon to kill at that moment.</returns>
    public bool Kill(Action look, bool keeperToo)
    {
        if (keeperToo)
        {
            // A daemon that it starts in its last moment would live on without it and hold the cache.
            Stop(Keeper, "the keeper");
        }

        if (Daemon is not { } daemon)
        {
            if (keeperToo)
            {
                look();
                KillKeeper();
            }

            return false;
        }

        Stop(daemon, "the daemon");
        look();
        if (keeperToo)
        {
            KillKeeper();
        }

        Signals.Send(daemon, Signals.Kill);
        Eventually.True(() => !Signals.IsAlive(daemon), "the daemon is dead", pause: TimeSpan.FromMilliseconds(1));
        return true;
    }

    /// <summary>Kills the daemon, and has the test do something before the next one is started.</summary>
    public void KillBeforeNext(Action between)
    {
        var daemon = Daemon ?? throw new AssertionException($"the keeper {Keeper} has no daemon");
        Signals.Send(Keeper, Signals.Stop);
        try
        {
            // 't' under a tracer.
            Eventually.True(() => StateOf(Keeper) is 'T' or 't', "the keeper stands still", pause: TimeSpan.FromMilliseconds(1));
            Signals.Send(daemon, Signals.Kill);
            Eventually.True(() => !Signals.IsAlive(daemon), "the daemon is dead", pause: TimeSpan.FromMilliseconds(1));
            between();
        }
        finally
        {
            Signals.Send(Keeper, Signals.Continue);
        }
    }

    /// <summary>Waits until a daemon has the cache open.</summary>
    public void WaitUntilServing() => Eventually.True(() => IsServing, $"the keeper {Keeper} starts a daemon that opens {_cache}");

    private static void Stop(int process, string what)
    {
        Signals.Send(process, Signals.Stop);
        Eventually.True(() => StateOf(process) is 'T' or 'Z' or null, $"{what} stands still", pause: TimeSpan.FromMilliseconds(1));
    }

    private void KillKeeper()
    {
        Signals.Send(Keeper, Signals.Kill);
        Eventually.True(() => !Signals.IsAlive(Keeper), "the keeper is dead", pause: TimeSpan.FromMilliseconds(1));
    }

    private int? LockHolder()
    {
        // .NET's own way to open asks for a shared lock, which the daemon's exclusive one refuses.
        using var file = new SafeFileHandle(NativeOpen(Path.Combine(_cache, "lock"), ReadOnlyCloseOnExec), ownsHandle: true);
        Span<byte> text = stackalloc byte[32];
        var length = file.IsInvalid ? 0 : RandomAccess.Read(file, text, 0);
        return int.TryParse(Encoding.ASCII.GetString(text[..length]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Signals.IsAlive(id) ? id : null;
    }

    private static int? ChildOf(int parent)
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                if (Signals.IsAlive(process.Id) && ParentOf(process.Id) == parent)
                {
                    return process.Id;
                }
            }
        }

        return null;
    }

    private static int ParentOf(int process) => Stat(process) is [_, var parent, ..] ? int.Parse(parent, CultureInfo.InvariantCulture) : 0;

    private static char? StateOf(int process) => Stat(process) is [var state, ..] ? state[0] : null;

    /// <summary>The fields of <c>/proc/PID/stat</c> after the name; null when the process is gone.</summary>
    private static string[]? Stat(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int NativeOpen(string path, int flags);
}
