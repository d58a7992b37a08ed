using Microsoft.Extensions.Logging;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>
/// Watches the free space of the cache's disk while programs write. Where the kernel writes to the cache by itself, nobody hears of a write that did not
/// fit, so the disk is looked at whenever a writer was closed, and when a write failed here.
/// </summary>
internal sealed partial class CacheDiskWatch(CopyShelf shelf, CacheFolder folder, CacheOptions options, ILogger logger)
{
    /// <summary>With fewer bytes free than this a disk counts as full: what programs write comes in larger pieces.</summary>
    private const long FullBelowBytes = 1 << 20;

    private const int Idle = 0;
    private const int Looking = 1;
    private const int LookingAgain = 2;

    private int _state;
    private int _isFullTold;

    /// <summary>What the operator should know of the disk now; null when there is room.</summary>
    public string? Warning() => IsFull(out var free) ? Describe(free) : null;

    /// <summary>Has the disk looked at soon, on another thread.</summary>
    public void LookSoon()
    {
        if (Interlocked.Exchange(ref _state, LookingAgain) == Idle)
        {
            _ = Task.Run(LookUntilQuiet);
        }
    }

    private void LookUntilQuiet()
    {
        do
        {
            Interlocked.Exchange(ref _state, Looking);
            Look();
        }
        while (Interlocked.CompareExchange(ref _state, Idle, Looking) != Looking);
    }

    /// <summary>Drops what was used longest ago while less is free than is to stay free, and tells when that did not help.</summary>
    private void Look()
    {
        if (PosixFile.StatFileSystem(folder.Root, out var disk) != Errno.None || disk.BytesAvailable >= Math.Max(options.FreeBytesMin, FullBelowBytes))
        {
            Interlocked.Exchange(ref _isFullTold, 0);
            return;
        }

        shelf.MakeRoom(0);
        if (!IsFull(out var free))
        {
            Interlocked.Exchange(ref _isFullTold, 0);
        }
        else if (Interlocked.Exchange(ref _isFullTold, 1) == 0)
        {
            LogFull(logger, Describe(free));
        }
    }

    private bool IsFull(out long free)
    {
        free = PosixFile.StatFileSystem(folder.Root, out var disk) == Errno.None ? disk.BytesAvailable : long.MaxValue;
        return free < FullBelowBytes;
    }

    private string Describe(long free) =>
        $"the disk of the cache {folder.Root} is full ({free:N0} bytes are free): programs that write get ENOSPC, what was written before is kept, and nothing can be packed for the store; free space on it, or drop models by `modelfs evict`";

    [LoggerMessage(Level = LogLevel.Error, Message = "{What}")]
    private static partial void LogFull(ILogger logger, string what);
}
