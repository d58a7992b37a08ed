namespace ModelFs.Fuse;

/// <summary>
/// One request of the kernel, as an operation sees it: who asks, and whether the caller has lost patience.
/// It is the operation's until the operation's task has completed; after that the session uses the object again for another request.
/// </summary>
public sealed class FuseRequest
{
    /// <summary>A request that the kernel sends again after NOTIFY_RESEND carries this bit in its unique number, and its reply must too.</summary>
    internal const ulong ResendBit = 1UL << 63;

    private readonly Lock gate = new();
    private CancellationTokenSource? source;
    private bool interrupted;
    private bool active;

    /// <summary>Makes a request by hand, for driving <see cref="IFuseOperations"/> without a kernel.</summary>
    /// <param name="unique">The number of the request; bit 63 marks a resent one.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="uid">The caller's user.</param>
    /// <param name="gid">The caller's group.</param>
    /// <param name="pid">The caller's thread.</param>
    public FuseRequest(ulong unique, ulong nodeId, uint uid, uint gid, uint pid) => Begin(unique, nodeId, uid, gid, pid);

    internal FuseRequest()
    {
    }

    /// <summary>The kernel's number of this request, without the mark of a resent one.</summary>
    public ulong Unique => RawUnique & ~ResendBit;

    /// <summary>
    /// True when the kernel sent this request once before, to a daemon that died before it answered, whether it had done the work or not:
    /// making what is already there, or removing what is already gone, is then a success.
    /// </summary>
    public bool IsResent => (RawUnique & ResendBit) != 0;

    /// <summary>The node that the request is about.</summary>
    public ulong NodeId { get; private set; }

    /// <summary>The caller's user for file access (fsuid).</summary>
    public uint Uid { get; private set; }

    /// <summary>The caller's group for file access (fsgid).</summary>
    public uint Gid { get; private set; }

    /// <summary>The caller's thread, in the pid namespace of the mount; 0 when it is not visible there or the kernel itself asks.</summary>
    public uint Pid { get; private set; }

    /// <summary>
    /// Cancelled when the kernel says that the caller waits in vain: a signal has come. Made at the first use.
    /// The caller is released only by an answer, so an operation that waits long must look at it; even SIGKILL waits otherwise.
    /// </summary>
    public CancellationToken Interrupted
    {
        get
        {
            lock (gate)
            {
                source ??= new CancellationTokenSource();
                if (interrupted)
                {
                    source.Cancel();
                }

                return source.Token;
            }
        }
    }

    /// <summary>The number as it came, which the reply must carry.</summary>
    internal ulong RawUnique { get; private set; }

    internal bool IsInterrupted
    {
        get
        {
            lock (gate)
            {
                return interrupted;
            }
        }
    }

    /// <summary>Cancels <see cref="Interrupted"/>, as an INTERRUPT of the kernel does.</summary>
    public void Interrupt() => TryInterrupt(Unique);

    /// <summary>Takes up the next request. Whoever still holds the token of the request before keeps a token that is never cancelled.</summary>
    internal void Begin(ulong rawUnique, ulong nodeId, uint uid, uint gid, uint pid)
    {
        lock (gate)
        {
            RawUnique = rawUnique;
            NodeId = nodeId;
            Uid = uid;
            Gid = gid;
            Pid = pid;
            source = null;
            interrupted = false;
            active = true;
        }
    }

    /// <summary>The reply goes out: an INTERRUPT that arrives now is too late.</summary>
    internal void End()
    {
        lock (gate)
        {
            active = false;
        }
    }

    /// <summary>Interrupts this request if it is the one meant and still under way.</summary>
    /// <param name="unique">The number of the request meant, without the resend bit.</param>
    /// <returns>False when this object now stands for another request or has been answered.</returns>
    internal bool TryInterrupt(ulong unique)
    {
        CancellationTokenSource? toCancel;
        lock (gate)
        {
            if (!active || Unique != unique)
            {
                return false;
            }

            interrupted = true;
            toCancel = source;
        }

        // Callbacks of the token are the operation's code: they must not run on the thread that reads from the kernel.
        _ = toCancel?.CancelAsync();
        return true;
    }
}
