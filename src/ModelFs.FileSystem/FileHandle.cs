using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem;

/// <summary>What a handle was opened for.</summary>
/// <param name="IsWriter">For writing: it counts as an open writer of its copy until it is released.</param>
/// <param name="IsFolder">It is an open folder.</param>
/// <param name="ChangePath">The path under which a writer's change was announced.</param>
/// <param name="IsCached">A dead daemon opened it through the kernel's page cache.</param>
internal readonly record struct HandleUse(bool IsWriter = false, bool IsFolder = false, string? ChangePath = null, bool IsCached = false);

/// <summary>One open file, folder or snapshot. A file of the cache is opened at the first request that needs a descriptor: most never do.</summary>
internal sealed class FileHandle(ulong id, Inode inode, HandleUse use) : IDisposable
{
    private readonly Lock _gate = new();
    private SafeFileHandle? _file;

    /// <summary>Unique over restarts of the daemon.</summary>
    public ulong Id { get; } = id;

    public Inode Inode { get; } = inode;

    /// <summary>Whether it was opened for writing.</summary>
    public bool IsWriter => use.IsWriter;

    /// <summary>Whether its program began to close it and has not written since, as far as this process sees writes.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>Notes that it is being closed, or written again.</summary>
    /// <returns>Whether that is news.</returns>
    public bool SetClosing(bool isClosing)
    {
        lock (_gate)
        {
            var isNews = IsClosing != isClosing;
            IsClosing = isClosing;
            return isNews;
        }
    }

    /// <summary>The path under which the change was announced.</summary>
    public string ChangePath => use.ChangePath ?? "";

    /// <summary>Whether it is an open folder.</summary>
    public bool IsFolder => use.IsFolder;

    /// <summary>Whether a dead daemon opened it through the kernel's page cache.</summary>
    public bool IsCached => use.IsCached;

    /// <summary>What the folder held when its reading began.</summary>
    public IReadOnlyList<FsName>? Names { get; set; }

    /// <summary>The content of a control file.</summary>
    public byte[]? Snapshot { get; set; }

    /// <summary>The descriptor, opened now if it was not before.</summary>
    public Errno File(string path, out SafeFileHandle file)
    {
        lock (_gate)
        {
            if (_file is not null)
            {
                file = _file;
                return Errno.None;
            }

            var error = PosixFile.Open(path, IsWriter ? PosixFile.ReadWrite : PosixFile.ReadOnly, 0, out file);
            if (error == Errno.None)
            {
                _file = file;
            }

            return error;
        }
    }

    /// <summary>Uses a descriptor that is open already.</summary>
    public void Adopt(SafeFileHandle file)
    {
        lock (_gate)
        {
            _file = file;
        }
    }

    public void Dispose() => _file?.Dispose();
}
