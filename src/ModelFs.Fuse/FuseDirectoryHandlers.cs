namespace ModelFs.Fuse;

/// <summary>Requests about open folders; the structures are those of files. The offsets are those of the request's structure.</summary>
internal static class FuseDirectoryHandlers
{
    private const uint DataOnly = 1 << 0;

    /// <summary>fuse_open_in: flags u32 @0, open_flags u32 @4.</summary>
    internal static void Open(FuseCall call)
    {
        call.FileFlags = new FuseFileFlags(call.UInt32(0));
        call.Complete<FuseResult<FuseOpened>, OpenedDirectoryReply>(
            call.Operations.OpenDirectoryAsync(call.Request, call.NodeId, call.FileFlags));
    }

    /// <summary>fuse_read_in: fh u64 @0, offset u64 @8, size u32 @16, then what only files need, up to 40 bytes.</summary>
    internal static void Read(FuseCall call)
    {
        if (TryRentListing(call, out Memory<byte> memory))
        {
            call.Listing = new FuseDirectoryBuffer(memory);
            call.Complete<FuseResult, DirectoryReply>(
                call.Operations.ReadDirectoryAsync(call.Request, call.NodeId, call.UInt64(0), call.Int64(8), call.Listing));
        }
    }

    /// <summary>fuse_read_in, as for READDIR.</summary>
    internal static void ReadPlus(FuseCall call)
    {
        if (TryRentListing(call, out Memory<byte> memory))
        {
            call.ListingPlus = new FuseDirectoryPlusBuffer(memory);
            call.Complete<FuseResult, DirectoryPlusReply>(
                call.Operations.ReadDirectoryPlusAsync(call.Request, call.NodeId, call.UInt64(0), call.Int64(8), call.ListingPlus));
        }
    }

    /// <summary>fuse_release_in: fh u64 @0, flags u32 @8, release_flags u32 @12, lock_owner u64 @16.</summary>
    internal static void Release(FuseCall call) =>
        call.Complete<FuseResult, DoneReply>(
            call.Operations.ReleaseDirectoryAsync(call.Request, call.NodeId, call.UInt64(0), new FuseFileFlags(call.UInt32(8))));

    /// <summary>fuse_fsync_in: fh u64 @0, fsync_flags u32 @8, padding @12.</summary>
    internal static void Fsync(FuseCall call) =>
        call.Complete<FuseResult, DoneReply>(
            call.Operations.FsyncDirectoryAsync(call.Request, call.NodeId, call.UInt64(0), (call.UInt32(8) & DataOnly) != 0));

    private static bool TryRentListing(FuseCall call, out Memory<byte> memory)
    {
        uint size = call.UInt32(16);
        if (call.Int64(8) < 0 || size > call.Session.ReplyDataMax)
        {
            memory = default;
            call.Refuse(FuseErrno.EINVAL);
            return false;
        }

        memory = call.RentData((int)size).Data((int)size);
        return true;
    }
}
