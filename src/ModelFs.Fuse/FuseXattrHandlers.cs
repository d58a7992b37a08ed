namespace ModelFs.Fuse;

/// <summary>Requests about extended attributes, whose names may hold slashes. The offsets are those of the request's structure.</summary>
internal static class FuseXattrHandlers
{
    // XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel.
    private const int SizeMax = 64 * 1024;

    /// <summary>fuse_getxattr_in: size u32 @0, padding @4; name @8.</summary>
    internal static void Get(FuseCall call)
    {
        if (!TryName(call, 8, out string name, out int end) || end != call.Payload.Length)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.ReplySizeMax = (int)Math.Min(call.UInt32(0), SizeMax);
        call.Complete<FuseResult<ReadOnlyMemory<byte>>, XattrReply>(call.Operations.GetXattrAsync(call.Request, call.NodeId, name));
    }

    /// <summary>fuse_getxattr_in: size u32 @0, padding @4.</summary>
    internal static void List(FuseCall call)
    {
        call.ReplySizeMax = (int)Math.Min(call.UInt32(0), SizeMax);
        call.Complete<FuseResult<string[]>, XattrNamesReply>(call.Operations.ListXattrAsync(call.Request, call.NodeId));
    }

    /// <summary>fuse_setxattr_in (without SETXATTR_EXT, which is never asked for): size u32 @0, flags u32 @4; name @8, then the value.</summary>
    internal static void Set(FuseCall call)
    {
        if (!TryName(call, 8, out string name, out int end) || call.Payload.Length - end != call.UInt32(0))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult, DoneReply>(
            call.Operations.SetXattrAsync(call.Request, call.NodeId, name, call.PayloadMemory(end), (FuseXattrFlags)call.UInt32(4)));
    }

    internal static void Remove(FuseCall call)
    {
        if (!TryName(call, 0, out string name, out int end) || end != call.Payload.Length)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult, DoneReply>(call.Operations.RemoveXattrAsync(call.Request, call.NodeId, name));
    }

    private static bool TryName(FuseCall call, int offset, out string name, out int end)
    {
        name = string.Empty;
        return call.TryNameBytes(offset, out ReadOnlySpan<byte> bytes, out end) && call.TryText(bytes, out name);
    }
}
