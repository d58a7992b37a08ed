namespace ModelFs.FileSystem;

/// <summary>How the mounted folder behaves.</summary>
public sealed record FileSystemOptions
{
    /// <summary>Whether every change is refused with EROFS.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>How long the kernel may keep names and attributes of the root, projects and model folders, which the store can change.</summary>
    public TimeSpan RootValid { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long it may keep those inside of a model: nothing but this mount changes them, and what it replaces it invalidates.</summary>
    public TimeSpan TreeValid { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long it may keep the name of a file inside of a model whose content is not here yet.</summary>
    public TimeSpan ComingValid { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The largest file that readers get through the kernel's page cache, in bytes. Registering a small file for passthrough costs more than the few reads of it,
    /// and its pages stay with the kernel for the next open.
    /// </summary>
    public long CachedFileBytesMax { get; init; } = 128 << 10;

    /// <summary>How long a listing of the root waits for a fresher listing of the store than its lifetime allows.</summary>
    public TimeSpan ListWait { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a look-up waits for the first listing of the store.</summary>
    public TimeSpan FirstListWait { get; init; } = TimeSpan.FromSeconds(30);
}
