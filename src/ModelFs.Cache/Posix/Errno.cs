namespace ModelFs.Cache.Posix;

/// <summary>Error numbers of Linux (asm-generic/errno-base.h and errno.h; the same on x86-64 and arm64).</summary>
public enum Errno
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>Operation not permitted.</summary>
    EPERM = 1,

    /// <summary>No such file or folder.</summary>
    ENOENT = 2,

    /// <summary>Interrupted.</summary>
    EINTR = 4,

    /// <summary>Input/output error.</summary>
    EIO = 5,

    /// <summary>No such device or address; no data at this offset.</summary>
    ENXIO = 6,

    /// <summary>Bad descriptor.</summary>
    EBADF = 9,

    /// <summary>Try again.</summary>
    EAGAIN = 11,

    /// <summary>Permission denied.</summary>
    EACCES = 13,

    /// <summary>In use.</summary>
    EBUSY = 16,

    /// <summary>Exists already.</summary>
    EEXIST = 17,

    /// <summary>Across file systems (here: across models).</summary>
    EXDEV = 18,

    /// <summary>Not a folder.</summary>
    ENOTDIR = 20,

    /// <summary>Is a folder.</summary>
    EISDIR = 21,

    /// <summary>Invalid argument.</summary>
    EINVAL = 22,

    /// <summary>No space left.</summary>
    ENOSPC = 28,

    /// <summary>Read-only file system.</summary>
    EROFS = 30,

    /// <summary>Result out of range.</summary>
    ERANGE = 34,

    /// <summary>Name too long.</summary>
    ENAMETOOLONG = 36,

    /// <summary>Not implemented.</summary>
    ENOSYS = 38,

    /// <summary>Folder not empty.</summary>
    ENOTEMPTY = 39,

    /// <summary>No such extended attribute.</summary>
    ENODATA = 61,

    /// <summary>Not supported.</summary>
    ENOTSUP = 95,

    /// <summary>Timed out.</summary>
    ETIMEDOUT = 110,

    /// <summary>Stale handle; the store holds a version that this one does not descend from.</summary>
    ESTALE = 116,

    /// <summary>The disk quota is used up.</summary>
    EDQUOT = 122,
}
