namespace ModelFs.Fuse;

/// <summary>
/// The error numbers that a reply can carry, with the values of Linux's asm-generic/errno.h (the same on x64 and arm64).
/// Any other positive value that the kernel knows may be cast.
/// </summary>
public enum FuseErrno
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>Operation not permitted.</summary>
    EPERM = 1,

    /// <summary>No such file or folder.</summary>
    ENOENT = 2,

    /// <summary>Interrupted by a signal.</summary>
    EINTR = 4,

    /// <summary>Input/output error.</summary>
    EIO = 5,

    /// <summary>No such device or address; the answer of SEEK_DATA past the last data.</summary>
    ENXIO = 6,

    /// <summary>Argument list or attribute value too long.</summary>
    E2BIG = 7,

    /// <summary>Bad file descriptor.</summary>
    EBADF = 9,

    /// <summary>Try again.</summary>
    EAGAIN = 11,

    /// <summary>Out of memory.</summary>
    ENOMEM = 12,

    /// <summary>Permission denied.</summary>
    EACCES = 13,

    /// <summary>Resource busy.</summary>
    EBUSY = 16,

    /// <summary>The name exists.</summary>
    EEXIST = 17,

    /// <summary>Across file systems, or across what behaves like one.</summary>
    EXDEV = 18,

    /// <summary>No such device; what the kernel's device answers after an unmount.</summary>
    ENODEV = 19,

    /// <summary>Not a folder.</summary>
    ENOTDIR = 20,

    /// <summary>Is a folder.</summary>
    EISDIR = 21,

    /// <summary>Invalid argument.</summary>
    EINVAL = 22,

    /// <summary>Too many open files in the system.</summary>
    ENFILE = 23,

    /// <summary>Too many open files in this process.</summary>
    EMFILE = 24,

    /// <summary>The file is being executed.</summary>
    ETXTBSY = 26,

    /// <summary>File too large.</summary>
    EFBIG = 27,

    /// <summary>No space left.</summary>
    ENOSPC = 28,

    /// <summary>Illegal seek.</summary>
    ESPIPE = 29,

    /// <summary>Read-only file system.</summary>
    EROFS = 30,

    /// <summary>Too many links.</summary>
    EMLINK = 31,

    /// <summary>Result out of range; the buffer of an attribute probe was too small.</summary>
    ERANGE = 34,

    /// <summary>Name too long.</summary>
    ENAMETOOLONG = 36,

    /// <summary>Not implemented. The kernel remembers this answer of many operations and never asks again on this mount.</summary>
    ENOSYS = 38,

    /// <summary>The folder is not empty.</summary>
    ENOTEMPTY = 39,

    /// <summary>Too many symbolic links.</summary>
    ELOOP = 40,

    /// <summary>No such attribute (ENOATTR).</summary>
    ENODATA = 61,

    /// <summary>Protocol error.</summary>
    EPROTO = 71,

    /// <summary>Value too large for its type.</summary>
    EOVERFLOW = 75,

    /// <summary>Not supported.</summary>
    ENOTSUP = 95,

    /// <summary>The connection was aborted.</summary>
    ECONNABORTED = 103,

    /// <summary>Transport endpoint is not connected.</summary>
    ENOTCONN = 107,

    /// <summary>Timed out.</summary>
    ETIMEDOUT = 110,

    /// <summary>Stale file handle.</summary>
    ESTALE = 116,

    /// <summary>Disk quota exceeded.</summary>
    EDQUOT = 122,

    /// <summary>Cancelled.</summary>
    ECANCELED = 125,
}
