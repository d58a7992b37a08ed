namespace ModelFs.Fuse;

/// <summary>What SETATTR is to change (<c>struct fuse_setattr_in</c>, 88 bytes). What is null stays as it is.</summary>
public readonly record struct FuseSetAttributes
{
    /// <summary>The open file through which the change is made (ftruncate, fchmod), if any.</summary>
    public ulong? FileHandle { get; init; }

    /// <summary>New permission bits, with the file type as it is.</summary>
    public uint? Mode { get; init; }

    /// <summary>New owner.</summary>
    public uint? Uid { get; init; }

    /// <summary>New group.</summary>
    public uint? Gid { get; init; }

    /// <summary>New size in bytes.</summary>
    public long? Size { get; init; }

    /// <summary>New time of the last access.</summary>
    public FuseTime? AccessTime { get; init; }

    /// <summary>True when <see cref="AccessTime"/> is the kernel's present (UTIME_NOW), which needs only write permission.</summary>
    public bool AccessTimeIsNow { get; init; }

    /// <summary>New time of the last change of the content.</summary>
    public FuseTime? ModificationTime { get; init; }

    /// <summary>True when <see cref="ModificationTime"/> is the kernel's present (UTIME_NOW), which needs only write permission.</summary>
    public bool ModificationTimeIsNow { get; init; }

    /// <summary>New time of the last change of the inode.</summary>
    public FuseTime? ChangeTime { get; init; }

    /// <summary>The lock owner of a truncation, for mandatory locks.</summary>
    public ulong? LockOwner { get; init; }

    /// <summary>True when set-user-id and set-group-id are to be removed along with the change.</summary>
    public bool KillSetId { get; init; }
}
