using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Fuse;

namespace ModelFs.Mount;

/// <summary>The one map from what can go wrong to what a program sees.</summary>
public static class ErrnoMap
{
    /// <summary>The errno of a model that can't be used as asked.</summary>
    public static FuseErrno From(ModelErrorKind kind) => kind switch
    {
        ModelErrorKind.NotFound => FuseErrno.ENOENT,
        ModelErrorKind.AccessDenied => FuseErrno.EACCES,
        ModelErrorKind.BadArchive => FuseErrno.EIO,
        ModelErrorKind.NoSpace => FuseErrno.ENOSPC,
        ModelErrorKind.Unavailable => FuseErrno.EIO,
        ModelErrorKind.Busy => FuseErrno.EBUSY,
        ModelErrorKind.Conflict => FuseErrno.ESTALE,
        ModelErrorKind.NotPermitted => FuseErrno.EPERM,
        ModelErrorKind.CacheFailed => FuseErrno.EIO,
    };

    /// <summary>The errno of a failed call on the cache's disk: the same number, since both are Linux's.</summary>
    public static FuseErrno From(Errno error) => (FuseErrno)(int)error;
}
