namespace ModelFs.Fuse;

/// <summary>How a successful answer becomes the bytes of a reply, and what must be undone when the kernel does not take it.</summary>
/// <typeparam name="TResult">What the operation answers.</typeparam>
internal interface IFuseReply<TResult>
    where TResult : struct, IFuseResult
{
    /// <summary>Encodes and sends the reply. An exception before the sending becomes EIO.</summary>
    static abstract void Send(FuseCall call, in TResult result);
}
