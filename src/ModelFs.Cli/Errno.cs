namespace ModelFs.Cli;

/// <summary>The error numbers that the commands tell apart; the same on every Linux architecture that .NET runs on.</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EINVAL = 22;
    public const int EROFS = 30;
    public const int ENOSYS = 38;
    public const int ENODATA = 61;
    public const int ENOTSUP = 95;
    public const int ENOTCONN = 107;
    public const int ETIMEDOUT = 110;
}
