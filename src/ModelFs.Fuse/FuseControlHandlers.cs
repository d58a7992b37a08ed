namespace ModelFs.Fuse;

/// <summary>Requests about the conversation itself, and those that nobody serves.</summary>
internal static class FuseControlHandlers
{
    /// <summary>
    /// ENOSYS. The kernel remembers it and does without: locks are kept in the kernel, copy_file_range becomes a copy by splice,
    /// statx falls back to GETATTR, O_TMPFILE is EOPNOTSUPP.
    /// </summary>
    internal static void NotImplemented(FuseCall call) => call.Refuse(FuseErrno.ENOSYS);

    /// <summary>INIT comes once, before anything else, and is answered by the negotiation.</summary>
    internal static void SecondInit(FuseCall call) => call.Refuse(FuseErrno.EIO);

    /// <summary>fuse_notify_retrieve_in answers a question that this session never asks.</summary>
    internal static void Ignore(FuseCall call)
    {
    }

    /// <summary>
    /// fuse_interrupt_in: unique u64 @0. Never answered when its target is found, for the target is. When it is not, the target is either
    /// just being taken up by another reader, or has been answered: EAGAIN makes the kernel queue the interrupt again in the first case, and
    /// is refused by it (ENOENT) in the second.
    /// </summary>
    internal static void Interrupt(FuseCall call)
    {
        if (call.Session.TryInterrupt(call.UInt64(0) & ~FuseRequest.ResendBit))
        {
            return;
        }

        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize];
        FuseWire.WriteOutHeader(reply, reply.Length, -(int)FuseErrno.EAGAIN, call.Request.RawUnique);
        call.Session.Device.Write(reply);
    }

    internal static void Destroy(FuseCall call)
    {
        call.Operations.Destroy();
        call.Complete<FuseResult, DoneReply>(new(FuseResult.Success));
    }
}
