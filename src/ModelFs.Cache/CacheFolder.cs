using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>
/// The cache's folder on disk (FORMATS, "Cache"): <c>lock</c>, <c>version</c>, <c>trees/ID/</c> one local copy each, <c>staging/ID/</c>
/// copies that are not complete, <c>journal/ID</c> dirty marks, <c>session/</c> the state of the live mount.
/// </summary>
public sealed class CacheFolder : IDisposable
{
    private const string VersionText = "modelfs-cache 1\n";
    private const long IdsReserved = 256;

    private readonly SafeFileHandle _lock;
    private readonly Lock _ids = new();
    private long _lastId;

    /// <summary>What <c>ids</c> says: a later daemon begins behind it.</summary>
    private long _reservedId;

    private CacheFolder(string path, SafeFileHandle lockFile)
    {
        Root = path;
        _lock = lockFile;
    }

    /// <summary>The folder itself.</summary>
    public string Root { get; }

    /// <summary>The file that is locked while the folder is in use.</summary>
    public string LockPath => Path.Combine(Root, "lock");

    /// <summary>Complete copies, one folder each, named by their id.</summary>
    public string Trees => Path.Combine(Root, "trees");

    /// <summary>Copies being made; whatever is here at start is dropped.</summary>
    public string Staging => Path.Combine(Root, "staging");

    /// <summary>Dirty marks.</summary>
    public string Journal => Path.Combine(Root, "journal");

    /// <summary>State of the live mount, for a daemon that takes over after a crash.</summary>
    public string Session => Path.Combine(Root, "session");

    /// <summary>Tells this boot of the machine from every other (/proc/sys/kernel/random/boot_id).</summary>
    public static string BootId { get; } = ReadBootId();

    /// <summary>Opens a cache folder, creating it if it is missing, and takes its lock.</summary>
    /// <exception cref="ModelException">Another daemon holds it, a newer program wrote it, or the disk refuses.</exception>
    public static CacheFolder Open(string path)
    {
        path = Path.GetFullPath(path);
        try
        {
            if (!Directory.Exists(path))
            {
                Directory.CreateDirectory(path);
                DurableFile.Check(PosixFile.SetMode(path, 0x1C0), "set the mode of", path);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelException(ModelErrorKind.CacheFailed, $"cannot create the cache folder {path}: {error.Message}; name another one with --cache-dir", error);
        }

        var lockPath = Path.Combine(path, "lock");
        DurableFile.Check(PosixFile.Open(lockPath, PosixFile.ReadWrite | PosixFile.Create, 0x180, out var lockFile), "open", lockPath);
        var folder = new CacheFolder(path, lockFile);
        try
        {
            folder.TakeLock();
            folder.CheckVersion();
            foreach (var part in new[] { folder.Trees, folder.Staging, folder.Journal, folder.Session })
            {
                Directory.CreateDirectory(part);
            }

            // ext4 puts a new folder's files beside those of its parent, and passes over each that was removed there minutes ago, one by one: after an eviction, making the
            // thousand files of the next copy would take half a second instead of 15 ms. Other file systems know no such flag, or need none.
            _ = PosixFile.AddFlags(folder.Staging, PosixFile.TopFolderFlag);

            folder.DropStaging();
            folder.DropUnfinishedMarks();
            folder._lastId = folder._reservedId = Math.Max(folder.LargestId(), folder.ReadReserved());
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>A new copy id, never used before in this folder: what still names an old copy, a session or an intent, never means another one.</summary>
    public long NextId()
    {
        lock (_ids)
        {
            if (++_lastId > _reservedId)
            {
                _reservedId = _lastId + IdsReserved;
                DurableFile.WriteBytes(Path.Combine(Root, "ids"), Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_reservedId}\n")), durable: false);
            }

            return _lastId;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static string ReadBootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (IOException)
        {
            return "unknown";
        }
    }

    private void TakeLock()
    {
        if (PosixFile.LockExclusive(_lock) != Errno.None)
        {
            Span<byte> holder = stackalloc byte[32];
            _ = PosixFile.Read(_lock, holder, 0, out var count);
            var pid = Encoding.ASCII.GetString(holder[..count]).Trim();
            throw new ModelException(
                ModelErrorKind.Busy,
                $"the cache folder {Root} is in use by process {(pid.Length > 0 ? pid : "(unknown)")}; unmount it, or name another folder with --cache-dir");
        }

        _ = PosixFile.SetLength(_lock, 0);
        _ = PosixFile.Write(_lock, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n")), 0, out _);
    }

    private void CheckVersion()
    {
        var path = Path.Combine(Root, "version");
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        if (text.Length == 0)
        {
            // New, or its first daemon's machine went down before the text was on the disk.
            File.WriteAllText(path, VersionText);
            return;
        }

        if (text != VersionText)
        {
            throw new ModelException(
                ModelErrorKind.CacheFailed,
                $"the cache folder {Root} was written by another version of modelfs ({text.Trim()}; this one reads {VersionText.Trim()}); use that version, or name another folder with --cache-dir");
        }
    }

    private void DropStaging()
    {
        foreach (var left in Directory.EnumerateFileSystemEntries(Staging))
        {
            // A new model is marked before it stands among the others; that step may be lost with the power.
            var name = Path.GetFileName(left);
            if (!File.Exists(Path.Combine(Journal, name)) || PosixFile.Rename(left, Path.Combine(Trees, name), PosixFile.RenameNoReplace) != Errno.None)
            {
                TreeRemoval.Remove(left);
            }
        }
    }

    /// <summary>Their daemon died before they counted. A copy's id never comes again, so nobody else would write over them.</summary>
    private void DropUnfinishedMarks()
    {
        foreach (var left in Directory.EnumerateFiles(Journal, "*" + DurableFile.TemporaryEnding))
        {
            _ = PosixFile.Unlink(left);
        }
    }

    private long ReadReserved()
    {
        var path = Path.Combine(Root, "ids");
        return File.Exists(path) && long.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var reserved) ? reserved : 0;
    }

    private long LargestId()
    {
        long largest = 0;
        foreach (var name in Directory.EnumerateFileSystemEntries(Trees).Concat(Directory.EnumerateFileSystemEntries(Journal)).Select(Path.GetFileName))
        {
            if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                largest = Math.Max(largest, id);
            }
        }

        return largest;
    }
}
