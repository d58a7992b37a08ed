using ModelFs.Cache.Hydration;

namespace ModelFs.Cache;

/// <summary>
/// One local copy of a model: a folder <c>trees/ID</c> with the tree in <c>content/</c>, files that were unlinked while open in
/// <c>unlinked/</c>, and the manifest. A model has at most one current copy; a copy that was replaced or evicted is retired, keeps its
/// files for those who still hold them, and goes with its last reference.
/// </summary>
/// <remarks>The mutable members are guarded by <see cref="CachedModel.Gate"/> of <see cref="Model"/>.</remarks>
public sealed class ModelCopy
{
    private readonly Dictionary<string, int> _writers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _open = new(StringComparer.Ordinal);
    private readonly TreeMaking? _making;
    private bool _areOpenPathsOld;

    internal ModelCopy(CachedModel model, long id, string folder, CopyManifest manifest, TreeMaking? making = null)
    {
        _making = making;
        Model = model;
        Id = id;
        Folder = folder;
        Manifest = manifest;
        ContentBytes = manifest.ContentBytes;
    }

    /// <summary>The model that this is, or was, the copy of.</summary>
    public CachedModel Model { get; }

    /// <summary>Unique within the cache folder, for ever.</summary>
    public long Id { get; }

    /// <summary>The copy's folder.</summary>
    public string Folder { get; }

    /// <summary>The tree's root on disk.</summary>
    public string Content => Folder + "/content";

    /// <summary>Where files go that are unlinked while open.</summary>
    public string Unlinked => Folder + "/unlinked";

    /// <summary>What is known of it.</summary>
    public CopyManifest Manifest { get; internal set; }

    /// <summary>Whether it was ever published or fetched.</summary>
    public bool IsNew => Manifest.BaseRevision is null;

    /// <summary>Whether it is no longer its model's current copy.</summary>
    public bool IsRetired { get; internal set; }

    /// <summary>Whether it holds changes that the store does not have.</summary>
    public bool IsDirty => DirtySince is not null;

    /// <summary>Whether it is dirty but holds no regular file, so that there is nothing to publish.</summary>
    public bool IsEmptied => IsDirty && EmptyAtVersion == ChangeVersion;

    /// <summary>When it became dirty.</summary>
    public DateTimeOffset? DirtySince { get; internal set; }

    /// <summary>Open files, for reading or writing.</summary>
    public int OpenFiles { get; internal set; }

    /// <summary>Files open for writing and changes under way.</summary>
    public int OpenWriters { get; internal set; }

    /// <summary>Files open for writing, without changes that are only under way.</summary>
    internal int WriterHandles { get; set; }

    /// <summary>Those of <see cref="WriterHandles"/> whose program has begun to close them and has not written since.</summary>
    internal int ClosingHandles { get; set; }

    /// <summary>Sum of its files' sizes, as of the last scan.</summary>
    public long ContentBytes { get; internal set; }

    /// <summary>What of its content is here, as long as some is not; null when all of it is.</summary>
    public CopyHydration? Hydration { get; internal set; }

    /// <summary>The making of its files, as long as it goes on or after it failed; null when all of them stand. Only then is it its model's current copy.</summary>
    public TreeMaking? Making => _making is { IsDone: false } making ? making : null;

    /// <summary>Waits until its whole tree stands.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public ValueTask WhenMadeAsync(CancellationToken cancellationToken) =>
        Making is { } making ? new(making.Completion.WaitAsync(cancellationToken)) : default;

    /// <summary>Bytes of content that are here.</summary>
    public long BytesHere => Hydration?.BytesHere ?? ContentBytes;

    /// <summary>Whether it equals a revision of the store whose index lies beside it.</summary>
    public bool IsIndexed => Manifest.Indexed && !IsDirty;

    /// <summary>Which files are here, on disk; null for a copy without an index.</summary>
    internal HydrationMap? Map { get; set; }

    /// <summary>In which order its files are opened.</summary>
    internal LoadOrder LoadOrder { get; } = new();

    /// <summary>Inodes that the kernel holds of it; a retired copy without any is removed.</summary>
    internal int References { get; set; }

    /// <summary>Grows with every change that may begin; a pack that began at another value is discarded.</summary>
    internal long ChangeVersion { get; set; }

    /// <summary>When the last change ended.</summary>
    internal DateTimeOffset LastChange { get; set; }

    /// <summary>Whether nothing but removals happened since it was clean.</summary>
    internal bool OnlyRemovals { get; set; } = true;

    /// <summary>Files, by their inode on the cache's disk, that were opened for writing since it was clean.</summary>
    internal HashSet<ulong> WrittenInodes { get; } = [];

    /// <summary>Whether any file may have a writer that this process does not know of, because it took over from another.</summary>
    internal bool EveryFileSuspect { get; set; }

    /// <summary>Whether the unpublished content is from before an unclean restart of the machine and was not synced.</summary>
    public bool NeedsReview { get; internal set; }

    /// <summary>Whether its mark on disk says that all content is synced; the next change rewrites the mark first.</summary>
    internal bool IsMarkedSynced { get; set; }

    /// <summary>Archives of it that may have reached the store without an answer, the oldest first.</summary>
    internal IReadOnlyList<SentArchive> Sent { get; set; } = [];

    /// <summary>Whether a change came in the way of an upload that was read from its files.</summary>
    internal bool ChangedWhileSent { get; set; }

    /// <summary>The change version at which there was nothing to publish; -1 when there is.</summary>
    internal long EmptyAtVersion { get; set; } = -1;

    /// <summary>When it was last used, for eviction.</summary>
    internal DateTimeOffset LastUsed { get; set; }

    /// <summary>The time of last use that the folder's mtime tells the next daemon.</summary>
    internal DateTimeOffset LastUsedOnDisk { get; set; }

    /// <summary>Whether a file may be open. The caller holds the gate.</summary>
    internal bool IsOpen(string path) => _areOpenPathsOld || _open.ContainsKey(path);

    /// <summary>A name changed: files that are open may have another one than they were opened by, so until they are closed every file counts as open.</summary>
    internal void NoteMoved() => _areOpenPathsOld |= OpenFiles > 0;

    /// <summary>Counts an open file by its path.</summary>
    internal void AddOpen(string path)
    {
        OpenFiles++;
        _open[path] = _open.GetValueOrDefault(path) + 1;
    }

    /// <summary>The counterpart of <see cref="AddOpen"/>.</summary>
    internal void RemoveOpen(string path)
    {
        OpenFiles--;
        _areOpenPathsOld &= OpenFiles > 0;
        if (_open.TryGetValue(path, out var count) && count > 1)
        {
            _open[path] = count - 1;
        }
        else
        {
            _open.Remove(path);
        }
    }

    /// <summary>Whether it was told that programs keep it open for too long.</summary>
    internal bool IsUnsettledTold { get; set; }

    /// <summary>Names a file that is open for writing, for messages.</summary>
    public string? AnyWriter
    {
        get
        {
            lock (Model.Gate)
            {
                return _writers.Keys.FirstOrDefault();
            }
        }
    }

    internal void AddWriter(string path)
    {
        OpenWriters++;
        _writers[path] = _writers.GetValueOrDefault(path) + 1;
    }

    internal void RemoveWriter(string path)
    {
        OpenWriters--;
        if (_writers.TryGetValue(path, out var count))
        {
            if (count > 1)
            {
                _writers[path] = count - 1;
            }
            else
            {
                _writers.Remove(path);
            }
        }
    }
}
