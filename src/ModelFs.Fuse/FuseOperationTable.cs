namespace ModelFs.Fuse;

/// <summary>What follows the fixed part of a request.</summary>
internal enum FuseTail
{
    /// <summary>Nothing: the request is exactly as long as its fixed part.</summary>
    None,

    /// <summary>Names or data, whose lengths the handler checks.</summary>
    Variable,
}

/// <summary>One operation of the protocol.</summary>
/// <param name="Opcode">Its number.</param>
/// <param name="Name">The kernel's name, for logs and statistics.</param>
/// <param name="FixedSize">Bytes that follow the header in every request of this kind.</param>
/// <param name="Tail">What comes after them.</param>
/// <param name="Handler">Decodes the request and calls the operation.</param>
/// <param name="HasReply">False for the three to which a reply must never be sent.</param>
/// <param name="KeepsInput">True when the operation is given memory of the request itself.</param>
internal sealed record FuseOperationRow(
    FuseOpcode Opcode, string Name, int FixedSize, FuseTail Tail, Action<FuseCall> Handler, bool HasReply = true, bool KeepsInput = false);

/// <summary>One row per operation, used for dispatch, checking of lengths, tracing and statistics.</summary>
internal static class FuseOperationTable
{
    private const FuseTail None = FuseTail.None;
    private const FuseTail Variable = FuseTail.Variable;

    private static readonly FuseOperationRow[] Rows =
    [
        new(FuseOpcode.Lookup, "LOOKUP", 0, Variable, FuseNameHandlers.Lookup),
        new(FuseOpcode.Forget, "FORGET", 8, None, FuseNameHandlers.Forget, HasReply: false),
        new(FuseOpcode.GetAttributes, "GETATTR", 16, None, FuseInodeHandlers.GetAttributes),
        new(FuseOpcode.SetAttributes, "SETATTR", 88, None, FuseInodeHandlers.SetAttributes),
        new(FuseOpcode.ReadLink, "READLINK", 0, None, FuseInodeHandlers.ReadLink),
        new(FuseOpcode.SymbolicLink, "SYMLINK", 0, Variable, FuseNameHandlers.CreateSymbolicLink),
        new(FuseOpcode.MakeNode, "MKNOD", 16, Variable, FuseNameHandlers.MakeNode),
        new(FuseOpcode.MakeDirectory, "MKDIR", 8, Variable, FuseNameHandlers.MakeDirectory),
        new(FuseOpcode.Unlink, "UNLINK", 0, Variable, FuseNameHandlers.Unlink),
        new(FuseOpcode.RemoveDirectory, "RMDIR", 0, Variable, FuseNameHandlers.RemoveDirectory),
        new(FuseOpcode.Rename, "RENAME", 8, Variable, FuseNameHandlers.Rename),
        new(FuseOpcode.Link, "LINK", 8, Variable, FuseNameHandlers.Link),
        new(FuseOpcode.Open, "OPEN", 8, None, FuseFileHandlers.Open),
        new(FuseOpcode.Read, "READ", 40, None, FuseFileHandlers.Read),
        new(FuseOpcode.Write, "WRITE", 40, Variable, FuseFileHandlers.Write, KeepsInput: true),
        new(FuseOpcode.StatFs, "STATFS", 0, None, FuseInodeHandlers.StatFs),
        new(FuseOpcode.Release, "RELEASE", 24, None, FuseFileHandlers.Release),
        new(FuseOpcode.Fsync, "FSYNC", 16, None, FuseFileHandlers.Fsync),
        new(FuseOpcode.SetXattr, "SETXATTR", 8, Variable, FuseXattrHandlers.Set, KeepsInput: true),
        new(FuseOpcode.GetXattr, "GETXATTR", 8, Variable, FuseXattrHandlers.Get),
        new(FuseOpcode.ListXattr, "LISTXATTR", 8, None, FuseXattrHandlers.List),
        new(FuseOpcode.RemoveXattr, "REMOVEXATTR", 0, Variable, FuseXattrHandlers.Remove),
        new(FuseOpcode.Flush, "FLUSH", 24, None, FuseFileHandlers.Flush),
        new(FuseOpcode.Init, "INIT", 16, Variable, FuseControlHandlers.SecondInit),
        new(FuseOpcode.OpenDirectory, "OPENDIR", 8, None, FuseDirectoryHandlers.Open),
        new(FuseOpcode.ReadDirectory, "READDIR", 40, None, FuseDirectoryHandlers.Read),
        new(FuseOpcode.ReleaseDirectory, "RELEASEDIR", 24, None, FuseDirectoryHandlers.Release),
        new(FuseOpcode.FsyncDirectory, "FSYNCDIR", 16, None, FuseDirectoryHandlers.Fsync),
        new(FuseOpcode.GetLock, "GETLK", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.SetLock, "SETLK", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.SetLockWait, "SETLKW", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.Access, "ACCESS", 8, None, FuseInodeHandlers.Access),
        new(FuseOpcode.Create, "CREATE", 16, Variable, FuseFileHandlers.Create),
        new(FuseOpcode.Interrupt, "INTERRUPT", 8, None, FuseControlHandlers.Interrupt, HasReply: false),
        new(FuseOpcode.Bmap, "BMAP", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.Destroy, "DESTROY", 0, None, FuseControlHandlers.Destroy),
        new(FuseOpcode.Ioctl, "IOCTL", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.Poll, "POLL", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.NotifyReply, "NOTIFY_REPLY", 0, Variable, FuseControlHandlers.Ignore, HasReply: false),
        new(FuseOpcode.BatchForget, "BATCH_FORGET", 8, Variable, FuseNameHandlers.BatchForget, HasReply: false),
        new(FuseOpcode.Allocate, "FALLOCATE", 32, None, FuseFileHandlers.Allocate),
        new(FuseOpcode.ReadDirectoryPlus, "READDIRPLUS", 40, None, FuseDirectoryHandlers.ReadPlus),
        new(FuseOpcode.Rename2, "RENAME2", 16, Variable, FuseNameHandlers.Rename2),
        new(FuseOpcode.Seek, "LSEEK", 24, None, FuseFileHandlers.Seek),
        new(FuseOpcode.CopyFileRange, "COPY_FILE_RANGE", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.SetupMapping, "SETUPMAPPING", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.RemoveMapping, "REMOVEMAPPING", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.SyncFs, "SYNCFS", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.TemporaryFile, "TMPFILE", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.Statx, "STATX", 0, Variable, FuseControlHandlers.NotImplemented),
        new(FuseOpcode.CopyFileRange64, "COPY_FILE_RANGE_64", 0, Variable, FuseControlHandlers.NotImplemented),
    ];

    private static readonly FuseOperationRow?[] ByOpcode = Index();

    /// <summary>One more than the highest number in the table.</summary>
    internal static int OpcodeCount => ByOpcode.Length;

    /// <summary>All rows, in the order of their numbers.</summary>
    internal static ReadOnlySpan<FuseOperationRow> All => Rows;

    /// <summary>What stands for an operation that the table does not know.</summary>
    internal static FuseOperationRow Unknown { get; } = new(0, "UNKNOWN", 0, Variable, FuseControlHandlers.NotImplemented);

    /// <summary>The row of an operation, or <see cref="Unknown"/>.</summary>
    internal static FuseOperationRow Find(uint opcode) => opcode < ByOpcode.Length ? ByOpcode[opcode] ?? Unknown : Unknown;

    private static FuseOperationRow?[] Index()
    {
        var index = new FuseOperationRow?[Rows.Max(row => (int)row.Opcode) + 1];
        foreach (FuseOperationRow row in Rows)
        {
            index[(int)row.Opcode] = row;
        }

        return index;
    }
}
