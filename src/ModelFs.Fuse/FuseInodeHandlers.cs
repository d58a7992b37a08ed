namespace ModelFs.Fuse;

/// <summary>Requests about an inode itself. The offsets are those of the request's structure.</summary>
internal static class FuseInodeHandlers
{
    private const uint GetAttributesThroughHandle = 1 << 0;

    [Flags]
    private enum Valid : uint
    {
        Mode = 1 << 0,
        Uid = 1 << 1,
        Gid = 1 << 2,
        Size = 1 << 3,
        AccessTime = 1 << 4,
        ModificationTime = 1 << 5,
        FileHandle = 1 << 6,
        AccessTimeNow = 1 << 7,
        ModificationTimeNow = 1 << 8,
        LockOwner = 1 << 9,
        ChangeTime = 1 << 10,
        KillSetId = 1 << 11,
    }

    /// <summary>fuse_getattr_in: getattr_flags u32 @0, dummy @4, fh u64 @8.</summary>
    internal static void GetAttributes(FuseCall call)
    {
        ulong? fileHandle = (call.UInt32(0) & GetAttributesThroughHandle) != 0 ? call.UInt64(8) : null;
        call.Complete<FuseResult<FuseAttributesReply>, AttributesReply>(
            call.Operations.GetAttributesAsync(call.Request, call.NodeId, fileHandle));
    }

    /// <summary>
    /// fuse_setattr_in: valid u32 @0, padding @4, fh u64 @8, size @16, lock_owner @24, atime @32, mtime @40, ctime @48, atimensec u32 @56,
    /// mtimensec @60, ctimensec @64, mode @68, unused4 @72, uid @76, gid @80, unused5 @84.
    /// </summary>
    internal static void SetAttributes(FuseCall call)
    {
        var valid = (Valid)call.UInt32(0);
        bool Has(Valid bit) => (valid & bit) != 0;
        long size = call.Int64(16);
        if (Has(Valid.Size) && size < 0)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        var changes = new FuseSetAttributes
        {
            FileHandle = Has(Valid.FileHandle) ? call.UInt64(8) : null,
            Size = Has(Valid.Size) ? size : null,
            LockOwner = Has(Valid.LockOwner) ? call.UInt64(24) : null,
            AccessTime = Has(Valid.AccessTime) ? new FuseTime(call.Int64(32), call.UInt32(56)) : null,
            AccessTimeIsNow = Has(Valid.AccessTimeNow),
            ModificationTime = Has(Valid.ModificationTime) ? new FuseTime(call.Int64(40), call.UInt32(60)) : null,
            ModificationTimeIsNow = Has(Valid.ModificationTimeNow),
            ChangeTime = Has(Valid.ChangeTime) ? new FuseTime(call.Int64(48), call.UInt32(64)) : null,
            Mode = Has(Valid.Mode) ? call.UInt32(68) : null,
            Uid = Has(Valid.Uid) ? call.UInt32(76) : null,
            Gid = Has(Valid.Gid) ? call.UInt32(80) : null,
            KillSetId = Has(Valid.KillSetId),
        };
        call.Complete<FuseResult<FuseAttributesReply>, AttributesReply>(
            call.Operations.SetAttributesAsync(call.Request, call.NodeId, changes));
    }

    internal static void ReadLink(FuseCall call) =>
        call.Complete<FuseResult<ReadOnlyMemory<byte>>, LinkTargetReply>(call.Operations.ReadLinkAsync(call.Request, call.NodeId));

    internal static void StatFs(FuseCall call) =>
        call.Complete<FuseResult<FuseFileSystemStatistics>, StatisticsReply>(call.Operations.StatFsAsync(call.Request, call.NodeId));

    /// <summary>fuse_access_in: mask u32 @0, padding @4.</summary>
    internal static void Access(FuseCall call) =>
        call.Complete<FuseResult, DoneReply>(call.Operations.AccessAsync(call.Request, call.NodeId, call.UInt32(0)));
}
