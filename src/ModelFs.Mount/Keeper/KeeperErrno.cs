namespace ModelFs.Mount.Keeper;

/// <summary>The error numbers that the channel itself looks at; the same on every Linux architecture that ModelFs supports.</summary>
internal static class KeeperErrno
{
    public const int Interrupted = 4;         // EINTR
    public const int BrokenPipe = 32;         // EPIPE
    public const int Protocol = 71;           // EPROTO
    public const int ConnectionReset = 104;   // ECONNRESET
    public const int NotConnected = 107;      // ENOTCONN
}
