using System.Runtime.InteropServices;

namespace ModelFs.Fuse;

/// <summary>How a file is opened for access: the two lowest bits of <c>open</c>'s flags.</summary>
public enum FuseAccessMode
{
    /// <summary>O_RDONLY.</summary>
    ReadOnly = 0,

    /// <summary>O_WRONLY.</summary>
    WriteOnly = 1,

    /// <summary>O_RDWR.</summary>
    ReadWrite = 2,
}

/// <summary>
/// The flags of <c>open(2)</c> as the kernel passes them on: in the numbers of the running architecture (O_DIRECT, O_DIRECTORY and
/// O_NOFOLLOW differ between x64 and arm64; the rest that matters here is the same).
/// </summary>
/// <param name="Value">The raw flags.</param>
public readonly record struct FuseFileFlags(uint Value)
{
    private const uint AccessModeMask = 0x3;
    private const uint Create = 0x40;
    private const uint Exclusive = 0x80;
    private const uint Truncate = 0x200;
    private const uint Append = 0x400;
    private const uint DataSync = 0x1000;

    /// <summary>What the opener may do. The value 3, which only ioctl users of devices pass, counts as read-write.</summary>
    public FuseAccessMode AccessMode => (Value & AccessModeMask) switch
    {
        0 => FuseAccessMode.ReadOnly,
        1 => FuseAccessMode.WriteOnly,
        _ => FuseAccessMode.ReadWrite,
    };

    /// <summary>True when the opener may write.</summary>
    public bool IsWrite => AccessMode != FuseAccessMode.ReadOnly;

    /// <summary>True when the opener may read.</summary>
    public bool IsRead => AccessMode != FuseAccessMode.WriteOnly;

    /// <summary>O_CREAT.</summary>
    public bool IsCreate => (Value & Create) != 0;

    /// <summary>O_EXCL.</summary>
    public bool IsExclusive => (Value & Exclusive) != 0;

    /// <summary>O_TRUNC: the open also cuts the file to nothing (the session always asks for ATOMIC_O_TRUNC).</summary>
    public bool IsTruncate => (Value & Truncate) != 0;

    /// <summary>O_APPEND.</summary>
    public bool IsAppend => (Value & Append) != 0;

    /// <summary>O_DSYNC, which O_SYNC includes.</summary>
    public bool IsSync => (Value & DataSync) != 0;

    /// <summary>O_DIRECT on the running architecture.</summary>
    public bool IsDirect => IsDirectOn(RuntimeInformation.ProcessArchitecture);

    /// <summary>O_DIRECT on a given architecture.</summary>
    /// <param name="architecture">The architecture of the kernel that sent the flags.</param>
    public bool IsDirectOn(Architecture architecture) => (Value & DirectBit(architecture)) != 0;

    /// <summary>The flags in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";

    // arch/arm64/include/uapi/asm/fcntl.h: O_DIRECTORY 040000, O_NOFOLLOW 0100000, O_DIRECT 0200000; asm-generic: O_DIRECT 040000.
    private static uint DirectBit(Architecture architecture) =>
        architecture is Architecture.Arm64 or Architecture.Arm ? 0x1_0000u : 0x4000u;
}

/// <summary>What a WRITE request says about itself (FUSE_WRITE_*).</summary>
[Flags]
public enum FuseWriteFlags
{
    /// <summary>A plain write.</summary>
    None = 0,

    /// <summary>Written back from the page cache; the file handle is only some handle of the node, and the caller is unknown.</summary>
    Cache = 1 << 0,

    /// <summary>The lock owner is valid.</summary>
    LockOwner = 1 << 1,

    /// <summary>Set-user-id and set-group-id are to be removed.</summary>
    KillSetId = 1 << 2,
}

/// <summary>What a RELEASE request says about itself (FUSE_RELEASE_*).</summary>
[Flags]
public enum FuseReleaseFlags
{
    /// <summary>A plain release.</summary>
    None = 0,

    /// <summary>The release also flushes.</summary>
    Flush = 1 << 0,

    /// <summary>The release also gives up the flock.</summary>
    UnlockFlock = 1 << 1,
}

/// <summary>The flags of <c>renameat2(2)</c>.</summary>
[Flags]
public enum FuseRenameFlags
{
    /// <summary>Replaces the target if there is one.</summary>
    None = 0,

    /// <summary>RENAME_NOREPLACE: EEXIST if there is a target.</summary>
    NoReplace = 1 << 0,

    /// <summary>RENAME_EXCHANGE: both names change places.</summary>
    Exchange = 1 << 1,

    /// <summary>RENAME_WHITEOUT: leaves a whiteout behind; only overlay file systems send it.</summary>
    Whiteout = 1 << 2,
}

/// <summary>The flags of <c>setxattr(2)</c>.</summary>
public enum FuseXattrFlags
{
    /// <summary>Creates or replaces.</summary>
    None = 0,

    /// <summary>XATTR_CREATE: EEXIST if there is one.</summary>
    Create = 1,

    /// <summary>XATTR_REPLACE: ENODATA if there is none.</summary>
    Replace = 2,
}

/// <summary>What LSEEK looks for. The other seeks never leave the kernel.</summary>
public enum FuseSeekWhence
{
    /// <summary>SEEK_DATA: the next data at or after the offset, ENXIO if there is none.</summary>
    Data = 3,

    /// <summary>SEEK_HOLE: the next hole at or after the offset; the end of the file is one.</summary>
    Hole = 4,
}
