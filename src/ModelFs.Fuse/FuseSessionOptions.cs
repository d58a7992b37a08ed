namespace ModelFs.Fuse;

/// <summary>What the session asks of the kernel. The defaults are those of a file system over local files.</summary>
public sealed record FuseSessionOptions
{
    /// <summary>The largest READ and WRITE in bytes. The kernel takes no more than /proc/sys/fs/fuse/max_pages_limit pages (256).</summary>
    public int MaxWrite { get; init; } = 1024 * 1024;

    /// <summary>
    /// How many background requests (read-ahead, asynchronous I/O) may be under way. The kernel's own 12 lets a few slow downloads block the
    /// reading of everything else.
    /// </summary>
    public ushort MaxBackground { get; init; } = 128;

    /// <summary>From how many background requests on the kernel holds back.</summary>
    public ushort CongestionThreshold { get; init; } = 96;

    /// <summary>
    /// How far the kernel may read ahead, in bytes, at most; the kernel offers 128 KiB, and only root can raise it afterwards
    /// (/sys/class/bdi/…/read_ahead_kb).
    /// </summary>
    public uint MaxReadAhead { get; init; } = 1024 * 1024;

    /// <summary>Asks for passthrough, which also needs CAP_SYS_ADMIN where backing files are registered.</summary>
    public bool WantPassthrough { get; init; } = true;

    /// <summary>
    /// How many file systems may be stacked under a passthrough file, itself included: 2 lets the backing files lie on overlayfs (a
    /// container's root), 1 lets an overlayfs be stacked on this mount; the kernel cannot do both.
    /// </summary>
    public int MaxStackDepth { get; init; } = 2;

    /// <summary>
    /// The file system promises that no file ever carries set-user-id, set-group-id or file capabilities, and refuses or drops them in
    /// SETATTR and CREATE. Then HANDLE_KILLPRIV_V2 holds by itself, and spares one GETXATTR of security.capability before each
    /// write but the first to an inode.
    /// </summary>
    public bool FilesHaveNoSetId { get; init; } = true;

    /// <summary>Files that are opened for direct I/O can be mapped shared, as numpy and safetensors do.</summary>
    public bool AllowDirectIoMap { get; init; } = true;

    /// <summary>Throws when a value is out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWrite, 4096);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxWrite, 64 * 1024 * 1024);
        ArgumentOutOfRangeException.ThrowIfZero(MaxBackground);
        ArgumentOutOfRangeException.ThrowIfZero(CongestionThreshold);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxStackDepth, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxStackDepth, 2);
    }
}
