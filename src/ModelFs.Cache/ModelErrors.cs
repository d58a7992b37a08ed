using ModelFs.Archives;
using ModelFs.Cache.Posix;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>The one map from failures of stores and archives to failures of models.</summary>
internal static class ModelErrors
{
    /// <summary>Wraps a failure; the message names what was attempted, then the cause.</summary>
    public static ModelException From(Exception error, string attempt) => error switch
    {
        ModelException known => known,
        StoreException store => new ModelException(KindOf(store.Kind), $"{attempt}: {store.Message}", store),
        ArchiveException archive => new ModelException(KindOf(archive.Kind), $"{attempt}: {archive.Message}", archive),
        PackException pack => new ModelException(ModelErrorKind.Busy, $"{attempt}: {pack.Message}", pack),
        IOException full when IsDiskFull(full) => new ModelException(
            ModelErrorKind.NoSpace, $"{attempt}: no space left on the cache's disk ({full.Message}); free some, or drop models by `modelfs evict`", full),
        _ => new ModelException(ModelErrorKind.CacheFailed, $"{attempt}: {error.Message}", error),
    };

    /// <summary>Whether a call on the cache's own disk failed for lack of room. System.IO keeps the errno in HResult.</summary>
    public static bool IsDiskFull(IOException error) => error is not (StoreException or ArchiveException or PackException or ModelException) && error.HResult is (int)Errno.ENOSPC or (int)Errno.EDQUOT;

    /// <summary>Whether it is worth trying again soon without anybody changing anything.</summary>
    public static bool IsTransient(ModelErrorKind kind) => kind switch
    {
        ModelErrorKind.Unavailable or ModelErrorKind.Busy => true,
        ModelErrorKind.NotFound or ModelErrorKind.AccessDenied or ModelErrorKind.BadArchive or ModelErrorKind.NoSpace
            or ModelErrorKind.Conflict or ModelErrorKind.NotPermitted or ModelErrorKind.CacheFailed => false,
    };

    private static ModelErrorKind KindOf(StoreErrorKind kind) => kind switch
    {
        StoreErrorKind.NotFound => ModelErrorKind.NotFound,
        StoreErrorKind.AccessDenied or StoreErrorKind.ListingDenied => ModelErrorKind.AccessDenied,
        StoreErrorKind.PreconditionFailed => ModelErrorKind.Conflict,
        StoreErrorKind.RevisionChanged => ModelErrorKind.Unavailable,
        StoreErrorKind.QuotaExceeded => ModelErrorKind.NoSpace,
        StoreErrorKind.Unavailable => ModelErrorKind.Unavailable,
        StoreErrorKind.Misconfigured => ModelErrorKind.Unavailable,
        StoreErrorKind.Rejected => ModelErrorKind.Unavailable,
    };

    private static ModelErrorKind KindOf(ArchiveErrorKind kind) => kind switch
    {
        ArchiveErrorKind.Damaged => ModelErrorKind.BadArchive,
        ArchiveErrorKind.Unsafe => ModelErrorKind.BadArchive,
        ArchiveErrorKind.Unsupported => ModelErrorKind.BadArchive,
        ArchiveErrorKind.TooLarge => ModelErrorKind.NoSpace,
    };
}
