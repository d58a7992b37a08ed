namespace ModelFs.Mount.Keeper;

/// <summary>The keeper refused a call or is gone. The message is the keeper's own where it sent one, and names the remedy.</summary>
public sealed class KeeperException : IOException
{
    /// <summary>Makes the failure.</summary>
    public KeeperException(int errno, string message)
        : base(message) => Errno = errno;

    /// <summary>The system's error number, positive: EPERM where the keeper may not register files, ENOTCONN when the keeper is gone.</summary>
    public int Errno { get; }
}
