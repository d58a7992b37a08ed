namespace ModelFs.Fuse;

/// <summary>A point in time as the kernel counts it.</summary>
/// <param name="Seconds">Seconds since 1970-01-01 UTC; negative before.</param>
/// <param name="Nanoseconds">0 … 999,999,999, always forward from <paramref name="Seconds"/>.</param>
public readonly record struct FuseTime(long Seconds, uint Nanoseconds);

/// <summary>What <c>stat</c> shows of an inode (<c>struct fuse_attr</c>, 88 bytes).</summary>
public readonly record struct FuseAttributes
{
    /// <summary>The inode number that programs see. It need not be the node id.</summary>
    public ulong Inode { get; init; }

    /// <summary>Size in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Allocated blocks of 512 bytes.</summary>
    public ulong Blocks { get; init; }

    /// <summary>Time of the last access.</summary>
    public FuseTime AccessTime { get; init; }

    /// <summary>Time of the last change of the content.</summary>
    public FuseTime ModificationTime { get; init; }

    /// <summary>Time of the last change of the inode.</summary>
    public FuseTime ChangeTime { get; init; }

    /// <summary>File type (S_IFMT) and permission bits.</summary>
    public uint Mode { get; init; }

    /// <summary>Number of links.</summary>
    public uint LinkCount { get; init; }

    /// <summary>Owner.</summary>
    public uint Uid { get; init; }

    /// <summary>Group.</summary>
    public uint Gid { get; init; }

    /// <summary>Device number of a device node, in the kernel's 32-bit encoding.</summary>
    public uint DeviceNumber { get; init; }

    /// <summary>Preferred I/O size in bytes; 0 leaves it to the kernel.</summary>
    public uint BlockSize { get; init; }
}

/// <summary>Attributes, and how long the kernel may use them without asking again.</summary>
/// <param name="Attributes">The attributes.</param>
/// <param name="Valid">How long they are valid; not negative.</param>
public readonly record struct FuseAttributesReply(FuseAttributes Attributes, TimeSpan Valid);

/// <summary>
/// The answer of a look-up (<c>struct fuse_entry_out</c>, 128 bytes). Each one that reaches the kernel counts as one look-up of its node,
/// which a later <see cref="IFuseOperations.Forget"/> takes back.
/// </summary>
public readonly record struct FuseEntry
{
    /// <summary>The node id, 1 for the root. 0 is a negative entry: the name does not exist, and the kernel remembers that for <see cref="EntryValid"/>.</summary>
    public ulong NodeId { get; init; }

    /// <summary>Tells apart two inodes that had the same node id one after the other.</summary>
    public ulong Generation { get; init; }

    /// <summary>How long the kernel may use the name without asking again; not negative.</summary>
    public TimeSpan EntryValid { get; init; }

    /// <summary>How long the kernel may use the attributes without asking again; not negative.</summary>
    public TimeSpan AttributesValid { get; init; }

    /// <summary>The attributes of the inode.</summary>
    public FuseAttributes Attributes { get; init; }

    /// <summary>An entry that says: there is no such name, and you need not ask again for this long.</summary>
    /// <param name="entryValid">How long the kernel may remember it.</param>
    public static FuseEntry Negative(TimeSpan entryValid) => new() { EntryValid = entryValid };
}

/// <summary>The answer of STATFS (<c>struct fuse_kstatfs</c>, 80 bytes).</summary>
public readonly record struct FuseFileSystemStatistics
{
    /// <summary>All blocks, each of <see cref="FragmentSize"/> bytes.</summary>
    public ulong Blocks { get; init; }

    /// <summary>Free blocks.</summary>
    public ulong BlocksFree { get; init; }

    /// <summary>Blocks that an unprivileged user can take.</summary>
    public ulong BlocksAvailable { get; init; }

    /// <summary>All inodes.</summary>
    public ulong Files { get; init; }

    /// <summary>Free inodes.</summary>
    public ulong FilesFree { get; init; }

    /// <summary>Preferred I/O size in bytes.</summary>
    public uint BlockSize { get; init; }

    /// <summary>The longest name, in bytes.</summary>
    public uint NameLengthMax { get; init; }

    /// <summary>The unit in which blocks are counted, in bytes.</summary>
    public uint FragmentSize { get; init; }
}
