namespace ModelFs.Fuse;

/// <summary>Requests about names in folders, and about giving back look-ups. The offsets are those of the request's structure.</summary>
internal static class FuseNameHandlers
{
    internal static void Lookup(FuseCall call)
    {
        if (!call.TryLastName(0, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult<FuseEntry>, EntryReply>(call.Operations.LookupAsync(call.Request, call.NodeId, name));
    }

    /// <summary>fuse_forget_in: nlookup u64 @0.</summary>
    internal static void Forget(FuseCall call) => call.Operations.Forget(call.NodeId, call.UInt64(0));

    /// <summary>fuse_batch_forget_in: count u32 @0, dummy @4; then count times fuse_forget_one: nodeid u64 @0, nlookup u64 @8.</summary>
    internal static void BatchForget(FuseCall call)
    {
        long count = call.UInt32(0);
        if (call.Payload.Length != 8 + (count * 16))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        for (int i = 0; i < count; i++)
        {
            call.Operations.Forget(call.UInt64(8 + (i * 16)), call.UInt64(16 + (i * 16)));
        }
    }

    /// <summary>Two strings: the link's name, its target.</summary>
    internal static void CreateSymbolicLink(FuseCall call)
    {
        if (!call.TryNameBytes(0, out ReadOnlySpan<byte> nameBytes, out int targetOffset)
            || !call.TryFileName(nameBytes, out string name)
            || !call.TryNameBytes(targetOffset, out ReadOnlySpan<byte> target, out int end)
            || end != call.Payload.Length)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult<FuseEntry>, EntryReply>(
            call.Operations.CreateSymbolicLinkAsync(call.Request, call.NodeId, name, target.ToArray()));
    }

    /// <summary>fuse_mkdir_in: mode u32 @0, umask u32 @4; name @8.</summary>
    internal static void MakeDirectory(FuseCall call)
    {
        if (!call.TryLastName(8, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult<FuseEntry>, EntryReply>(
            call.Operations.MakeDirectoryAsync(call.Request, call.NodeId, name, call.UInt32(0), call.UInt32(4)));
    }

    /// <summary>fuse_mknod_in: mode u32 @0, rdev u32 @4, umask u32 @8, padding @12; name @16.</summary>
    internal static void MakeNode(FuseCall call)
    {
        if (!call.TryLastName(16, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult<FuseEntry>, EntryReply>(
            call.Operations.MakeNodeAsync(call.Request, call.NodeId, name, call.UInt32(0), call.UInt32(4)));
    }

    internal static void Unlink(FuseCall call)
    {
        if (!call.TryLastName(0, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult, DoneReply>(call.Operations.UnlinkAsync(call.Request, call.NodeId, name));
    }

    internal static void RemoveDirectory(FuseCall call)
    {
        if (!call.TryLastName(0, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult, DoneReply>(call.Operations.RemoveDirectoryAsync(call.Request, call.NodeId, name));
    }

    /// <summary>fuse_rename_in: newdir u64 @0; old name @8, new name.</summary>
    internal static void Rename(FuseCall call) => Rename(call, 8, FuseRenameFlags.None);

    /// <summary>fuse_rename2_in: newdir u64 @0, flags u32 @8, padding @12; old name @16, new name.</summary>
    internal static void Rename2(FuseCall call) => Rename(call, 16, (FuseRenameFlags)call.UInt32(8));

    /// <summary>fuse_link_in: oldnodeid u64 @0; name @8. The header's node is the folder.</summary>
    internal static void Link(FuseCall call)
    {
        if (!call.TryLastName(8, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult<FuseEntry>, EntryReply>(call.Operations.LinkAsync(call.Request, call.UInt64(0), call.NodeId, name));
    }

    private static void Rename(FuseCall call, int namesOffset, FuseRenameFlags flags)
    {
        if (!call.TryTwoNames(namesOffset, out string name, out string newName))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult, DoneReply>(
            call.Operations.RenameAsync(call.Request, call.NodeId, name, call.UInt64(0), newName, flags));
    }
}
