using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;
using PosixErrno = ModelFs.Cache.Posix.Errno;

namespace ModelFs.Cli.Diagnosis;

/// <summary>What a mount needs of the folder for its cache: that it can be written, has room, keeps what is synced, and is nobody else's.</summary>
/// <param name="time">Measures the disk.</param>
/// <param name="folder">The cache folder, which need not be there.</param>
internal sealed class CacheChecks(TimeProvider time, string folder)
{
    private const long BytesWanted = 1L << 30;
    private static readonly TimeSpan s_slowSync = TimeSpan.FromMilliseconds(200);

    /// <summary>Looks at everything.</summary>
    public IEnumerable<Finding> Run()
    {
        // A folder that a mount would create: what matters is the disk that it would stand on.
        var place = folder;
        while (!Directory.Exists(place) && Path.GetDirectoryName(place) is { Length: > 0 } above)
        {
            place = above;
        }

        yield return Room(place);
        yield return Sync(place);
        if (place == folder)
        {
            yield return Holder();
            if (Unpublished() is { } left)
            {
                yield return left;
            }
        }
    }

    private Finding Room(string place)
    {
        const string check = "cache room";
        if (PosixFile.StatFileSystem(place, out var disk) != PosixErrno.None)
        {
            return Finding.Failure(check, $"the disk of {folder} can't be looked at", "check it, or name another folder with --cache-dir");
        }

        return disk.BytesAvailable >= BytesWanted
            ? Finding.Well(check, $"{DisplayText.Bytes(disk.BytesAvailable)} are free for {folder}")
            : Finding.Warning(check, $"only {DisplayText.Bytes(disk.BytesAvailable)} are free for {folder}", "free space there, or name a folder on another disk with --cache-dir; --min-free (256MiB) of it stays free");
    }

    private Finding Sync(string place)
    {
        const string check = "cache disk";
        var probe = Path.Combine(place, string.Create(CultureInfo.InvariantCulture, $".modelfs-doctor-{Environment.ProcessId}"));
        try
        {
            var startedAt = time.GetTimestamp();
            using (var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            {
                file.Write(new byte[4096]);
                file.Flush(flushToDisk: true);
            }

            Interop.SyncFolder(place);
            var elapsed = time.GetElapsedTime(startedAt);
            return elapsed < s_slowSync
                ? Finding.Well(check, string.Create(CultureInfo.InvariantCulture, $"{place} takes a file and syncs it in {elapsed.TotalMilliseconds:0.0} ms"))
                : Finding.Warning(
                    check, string.Create(CultureInfo.InvariantCulture, $"{place} takes {elapsed.TotalMilliseconds:0} ms to sync one small file"), "the first change of every model waits so long: name a folder on a faster disk with --cache-dir");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Finding.Failure(check, $"nothing can be written and synced in {place}: {error.Message}", "give this user the right, free space, or name another folder with --cache-dir");
        }
        finally
        {
            _ = PosixFile.Unlink(probe);
        }
    }

    private Finding Holder()
    {
        const string check = "cache lock";
        var path = Path.Combine(folder, "lock");
        if (!File.Exists(path))
        {
            return Finding.Well(check, $"{folder} is used by nobody");
        }

        if (PosixFile.Open(path, PosixFile.ReadWrite, 0, out var file) != PosixErrno.None)
        {
            return Finding.Warning(check, $"{path} can't be opened by this user", $"run this as the user whose daemon uses {folder}, or name another folder with --cache-dir");
        }

        using (file)
        {
            return PosixFile.LockExclusive(file) == PosixErrno.None
                ? Finding.Well(check, $"{folder} is used by nobody")
                : InUse(check, HolderOf(file));
        }
    }

    private Finding InUse(string check, int? holder)
    {
        if (holder is { } pid && IsRunning(pid))
        {
            return Finding.Well(check, $"{folder} is in use by process {pid}, whose mount `modelfs status` shows");
        }

        return Finding.Warning(check, $"{folder} is locked, and its holder is not to be seen here", "it may run in a container or on another machine: end it there, or name another folder with --cache-dir");
    }

    /// <summary>Changes that wait in a cache that no daemon serves.</summary>
    private Finding? Unpublished()
    {
        try
        {
            var marks = Directory.EnumerateFiles(Path.Combine(folder, "journal")).Count(path => long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out _));
            return marks > 0 && Holder().What.EndsWith("nobody", StringComparison.Ordinal)
                ? Finding.Warning("cache changes", $"{DisplayText.Count(marks, "model")} in {folder} may have changes that the store does not have", $"mount the store again with this cache (--cache-dir {folder}): the mount publishes them")
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int? HolderOf(SafeFileHandle file)
    {
        Span<byte> text = stackalloc byte[32];
        _ = PosixFile.Read(file, text, 0, out var count);
        return int.TryParse(System.Text.Encoding.ASCII.GetString(text[..count]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : null;
    }

    private static bool IsRunning(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
