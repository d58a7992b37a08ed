namespace ModelFs.Stores;

/// <summary>What a file system's errors mean to the users of a folder store.</summary>
internal static class FolderErrors
{
    /// <summary>Wraps an exception of <c>System.IO</c>. On Linux its HResult is the errno, except where .NET has a type for it.</summary>
    internal static StoreException From(Exception exception, string doing, string path) => exception switch
    {
        StoreException already => already,
        FileNotFoundException or DirectoryNotFoundException => Of(Interop.ENOENT, doing, path, exception),
        UnauthorizedAccessException => Of(Interop.EACCES, doing, path, exception),
        PathTooLongException => Of(Interop.ENAMETOOLONG, doing, path, exception),
        _ => Of(exception.HResult, doing, path, exception),
    };

    /// <summary>Makes the error of an errno.</summary>
    internal static StoreException Of(int errno, string doing, string path, Exception? inner = null) => errno switch
    {
        Interop.ENOENT or Interop.ENOTDIR =>
            new(StoreErrorKind.NotFound, $"{doing} {path}: there is no such file or folder", inner),
        Interop.EACCES or Interop.EPERM =>
            new(StoreErrorKind.AccessDenied, $"{doing} {path}: permission denied for user {Environment.UserName}; grant it, or run as the folder's owner", inner),
        Interop.EROFS =>
            new(StoreErrorKind.AccessDenied, $"{doing} {path}: the file system is mounted read-only", inner),
        Interop.ENOSPC =>
            new(StoreErrorKind.QuotaExceeded, $"{doing} {path}: no space left on the store's file system; free some, the upload is tried again", inner),
        Interop.EDQUOT =>
            new(StoreErrorKind.QuotaExceeded, $"{doing} {path}: the disk quota of user {Environment.UserName} is used up", inner),
        Interop.ENAMETOOLONG =>
            new(StoreErrorKind.Rejected, $"{doing} {path}: the file system takes no name that long", inner),
        Interop.EIO or Interop.ESTALE or Interop.ETIMEDOUT or Interop.EHOSTDOWN =>
            new(StoreErrorKind.Unavailable, $"{doing} {path}: the file system failed with errno {errno}; see the kernel's log", inner),
        _ => new(StoreErrorKind.Rejected, $"{doing} {path}: {inner?.Message ?? $"errno {errno}"}", inner),
    };

    /// <summary>Whether it is a failure of the file system, and not a mistake of the program.</summary>
    internal static bool IsOfFileSystem(Exception exception) => exception is (IOException or UnauthorizedAccessException) and not StoreException;
}
