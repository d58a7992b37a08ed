namespace ModelFs.Fuse;

/// <summary>Requests about open files. The offsets are those of the request's structure.</summary>
internal static class FuseFileHandlers
{
    private const uint DataOnly = 1 << 0;

    /// <summary>fuse_open_in: flags u32 @0, open_flags u32 @4.</summary>
    internal static void Open(FuseCall call)
    {
        call.FileFlags = new FuseFileFlags(call.UInt32(0));
        call.Complete<FuseResult<FuseOpened>, OpenedReply>(call.Operations.OpenAsync(call.Request, call.NodeId, call.FileFlags));
    }

    /// <summary>fuse_create_in: flags u32 @0, mode u32 @4, umask u32 @8, open_flags u32 @12; name @16.</summary>
    internal static void Create(FuseCall call)
    {
        if (!call.TryLastName(16, out string name))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.FileFlags = new FuseFileFlags(call.UInt32(0));
        call.Complete<FuseResult<FuseCreated>, CreatedReply>(
            call.Operations.CreateAsync(call.Request, call.NodeId, name, call.FileFlags, call.UInt32(4), call.UInt32(8)));
    }

    /// <summary>fuse_read_in: fh u64 @0, offset u64 @8, size u32 @16, read_flags u32 @20, lock_owner u64 @24, flags u32 @32, padding @36.</summary>
    internal static void Read(FuseCall call)
    {
        long offset = call.Int64(8);
        uint size = call.UInt32(16);
        if (offset < 0 || size > call.Session.ReplyDataMax)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.ReplySizeMax = (int)size;
        Memory<byte> buffer = call.RentData((int)size).Data((int)size);
        call.Complete<FuseResult<int>, ReadReply>(
            call.Operations.ReadAsync(call.Request, call.NodeId, call.UInt64(0), offset, buffer, new FuseFileFlags(call.UInt32(32))));
    }

    /// <summary>
    /// fuse_write_in: fh u64 @0, offset u64 @8, size u32 @16, write_flags u32 @20, lock_owner u64 @24, flags u32 @32, padding @36; data @40.
    /// </summary>
    internal static void Write(FuseCall call)
    {
        long offset = call.Int64(8);
        if (offset < 0 || call.UInt32(16) != call.Payload.Length - 40)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        ReadOnlyMemory<byte> data = call.PayloadMemory(40);
        call.ReplySizeMax = data.Length;
        call.Complete<FuseResult<int>, WriteReply>(call.Operations.WriteAsync(
            call.Request, call.NodeId, call.UInt64(0), offset, data, new FuseFileFlags(call.UInt32(32)), (FuseWriteFlags)call.UInt32(20)));
    }

    /// <summary>fuse_flush_in: fh u64 @0, unused u32 @8, padding @12, lock_owner u64 @16.</summary>
    internal static void Flush(FuseCall call) =>
        call.Complete<FuseResult, DoneReply>(call.Operations.FlushAsync(call.Request, call.NodeId, call.UInt64(0), call.UInt64(16)));

    /// <summary>fuse_release_in: fh u64 @0, flags u32 @8, release_flags u32 @12, lock_owner u64 @16.</summary>
    internal static void Release(FuseCall call) =>
        call.Complete<FuseResult, DoneReply>(call.Operations.ReleaseAsync(
            call.Request, call.NodeId, call.UInt64(0), new FuseFileFlags(call.UInt32(8)), (FuseReleaseFlags)call.UInt32(12), call.UInt64(16)));

    /// <summary>fuse_fsync_in: fh u64 @0, fsync_flags u32 @8, padding @12.</summary>
    internal static void Fsync(FuseCall call) =>
        call.Complete<FuseResult, DoneReply>(
            call.Operations.FsyncAsync(call.Request, call.NodeId, call.UInt64(0), (call.UInt32(8) & DataOnly) != 0));

    /// <summary>fuse_fallocate_in: fh u64 @0, offset u64 @8, length u64 @16, mode u32 @24, padding @28.</summary>
    internal static void Allocate(FuseCall call)
    {
        long offset = call.Int64(8);
        long length = call.Int64(16);
        if (offset < 0 || length < 0)
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult, DoneReply>(
            call.Operations.AllocateAsync(call.Request, call.NodeId, call.UInt64(0), offset, length, call.UInt32(24)));
    }

    /// <summary>fuse_lseek_in: fh u64 @0, offset u64 @8, whence u32 @16, padding @20.</summary>
    internal static void Seek(FuseCall call)
    {
        long offset = call.Int64(8);
        var whence = (FuseSeekWhence)call.UInt32(16);
        if (offset < 0 || whence is not (FuseSeekWhence.Data or FuseSeekWhence.Hole))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        call.Complete<FuseResult<long>, SeekReply>(call.Operations.SeekAsync(call.Request, call.NodeId, call.UInt64(0), offset, whence));
    }
}
