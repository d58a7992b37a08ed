using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem;

/// <summary>What a handle was opened for.</summary>
/// <param name="IsWriter">For writing: it counts as an open writer of its copy until it is released.</param>
/// <param name="IsFolder">It is an open folder.</param>
/// <param name="ChangePath">The path under which a writer's change was announced, and a file counted as open.</param>
/// <param name="IsCached">A dead daemon opened it through the kernel's page cache.</param>
/// <param name="IsDirect">Every read comes to the daemon, because the file was not complete when it was opened.</param>
internal readonly record struct HandleUse(bool IsWriter = false, bool IsFolder = false, string? ChangePath = null, bool IsCached = false, bool IsDirect = false)
{
    private const byte Writer = 1;
    private const byte Folder = 2;
    private const byte Direct = 4;

    /// <summary>As the session log keeps it.</summary>
    public byte ToByte() => (byte)((IsWriter ? Writer : IsFolder ? Folder : 0) | (IsDirect ? Direct : 0));

    /// <summary>Reads back what <see cref="ToByte"/> wrote.</summary>
    public static HandleUse From(byte kind, string changePath) =>
        new((kind & Writer) != 0, (kind & Folder) != 0, changePath, IsDirect: (kind & Direct) != 0);
}

/// <summary>One open file, folder or snapshot. A file of the cache is opened at the first request that needs a descriptor: most never do.</summary>
internal sealed class FileHandle(ulong id, Inode inode, HandleUse use) : IDisposable
{
    private readonly Lock _gate = new();
    private SafeFileHandle? _file;
    private Inode? _madeIn;

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

    /// <summary>Whether every read comes to the daemon.</summary>
    public bool IsDirect => use.IsDirect;

    /// <summary>Whether it is an open folder.</summary>
    public bool IsFolder => use.IsFolder;

    /// <summary>Whether a dead daemon opened it through the kernel's page cache.</summary>
    public bool IsCached => use.IsCached;

    /// <summary>What the folder held when its reading began.</summary>
    public IReadOnlyList<FsName>? Names { get; set; }

    /// <summary>Whether <see cref="Names"/> were told before the files stood, without their numbers.</summary>
    public bool LacksNumbers { get; set; }

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

    /// <summary>Uses the descriptor that the making of its file has opened.</summary>
    public void Adopt(SafeFileHandle file, Inode madeIn)
    {
        lock (_gate)
        {
            _file = file;
            _madeIn = madeIn;
        }
    }

    /// <summary>Tells the folder that its file was made in, if that was by this handle, whether it stayed small.</summary>
    /// <param name="bytesMax">The largest size that is small, in bytes.</param>
    public void NoteMade(long bytesMax)
    {
        lock (_gate)
        {
            if (_file is not null)
            {
                _madeIn?.NoteNewFile(RandomAccess.GetLength(_file) <= bytesMax);
            }
        }
    }

    public void Dispose() => _file?.Dispose();
}
