namespace ModelFs.Fuse;

/// <summary>What kernel and file system agree on at INIT (FUSE_* of fuse_init_in and fuse_init_out; bits from 32 on travel in flags2).</summary>
[Flags]
public enum FuseInitFlags : ulong
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Several reads of a file at the same time.</summary>
    AsyncRead = 1UL << 0,

    /// <summary>O_TRUNC arrives with OPEN.</summary>
    AtomicTruncate = 1UL << 3,

    /// <summary>Writes larger than a page.</summary>
    BigWrites = 1UL << 5,

    /// <summary>The kernel drops its pages when mtime or size changes.</summary>
    AutoInvalidateData = 1UL << 12,

    /// <summary>READDIRPLUS is served.</summary>
    ReadDirectoryPlus = 1UL << 13,

    /// <summary>The kernel chooses between READDIR and READDIRPLUS.</summary>
    ReadDirectoryPlusAuto = 1UL << 14,

    /// <summary>Several direct reads and writes of a file at the same time.</summary>
    AsyncDirectIo = 1UL << 15,

    /// <summary>The kernel collects writes. Never asked for: it excludes passthrough.</summary>
    WritebackCache = 1UL << 16,

    /// <summary>Look-ups and listings of one folder at the same time.</summary>
    ParallelDirectoryOperations = 1UL << 18,

    /// <summary>Reading from an aborted connection gives ECONNABORTED.</summary>
    AbortError = 1UL << 21,

    /// <summary>The largest message is said in pages.</summary>
    MaxPages = 1UL << 22,

    /// <summary>The kernel keeps the targets of links.</summary>
    CacheSymbolicLinks = 1UL << 23,

    /// <summary>The kernel drops its pages only when it is told to.</summary>
    ExplicitInvalidateData = 1UL << 25,

    /// <summary>The file system removes set-user-id bits itself.</summary>
    HandleKillPrivilegesV2 = 1UL << 28,

    /// <summary>The flags from bit 32 on count.</summary>
    InitExtended = 1UL << 30,

    /// <summary>A name can be made to expire without being dropped.</summary>
    HasExpireOnly = 1UL << 35,

    /// <summary>Files opened for direct I/O can be mapped shared.</summary>
    DirectIoAllowMap = 1UL << 36,

    /// <summary>The kernel reads and writes backing files by itself.</summary>
    Passthrough = 1UL << 37,

    /// <summary>No NFS export, and so no look-ups of <c>.</c> and <c>..</c>.</summary>
    NoExportSupport = 1UL << 38,

    /// <summary>Unanswered requests can be sent again.</summary>
    HasResend = 1UL << 39,
}
