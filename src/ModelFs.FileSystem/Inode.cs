using ModelFs.Cache;

namespace ModelFs.FileSystem;

/// <summary>What an inode stands for.</summary>
internal enum InodeKind : byte
{
    /// <summary>The mount's root.</summary>
    Root = 1,

    /// <summary>A project: a folder of models.</summary>
    Project = 2,

    /// <summary>A model's folder; what is inside belongs to the copy that it is bound to.</summary>
    Model = 3,

    /// <summary>A file, folder or link inside of a model, or of a version kept after a conflict.</summary>
    Tree = 4,

    /// <summary>The hidden folder <c>/.modelfs</c>.</summary>
    Control = 5,

    /// <summary><c>/.modelfs/status.json</c>.</summary>
    Status = 6,

    /// <summary><c>/.modelfs/conflicts</c>.</summary>
    Conflicts = 7,

    /// <summary>One version that lost against the store; its inside is read-only.</summary>
    Conflict = 8,

    /// <summary><c>/.modelfs/models</c>.</summary>
    ModelStates = 9,

    /// <summary><c>/.modelfs/models/NAME.json</c>: how one model stands.</summary>
    ModelState = 10,

    /// <summary><c>/.modelfs/history</c>.</summary>
    History = 11,

    /// <summary><c>/.modelfs/history/NAME.json</c>: the past of one model.</summary>
    HistoryFile = 12,
}

/// <summary>
/// One inode that the kernel knows by <see cref="Id"/>. Born when a look-up hands it out, it lives until the kernel has forgotten it as often
/// as it was handed out; its id is never used again. Guarded by the lock of <see cref="InodeTable"/>.
/// </summary>
internal sealed class Inode
{
    // A few small files say little: a model's folder has its metadata.json beside its weights.
    private const int SmallFilesMin = 16;

    private int _smallFilesInRow;

    public required ulong Id { get; init; }

    public required InodeKind Kind { get; init; }

    /// <summary>What st_ino shows where the cache's disk has no inode for it.</summary>
    public required ulong Number { get; init; }

    public Inode? Parent { get; set; }

    public string Name { get; set; } = "";

    /// <summary>Of <see cref="InodeKind.Model"/>.</summary>
    public CachedModel? Model { get; set; }

    /// <summary>The copy that the inode belongs to; null for what is above models, and for a model's folder that was not opened yet.</summary>
    public ModelCopy? Copy { get; set; }

    /// <summary>How often it was handed out and not forgotten; meaningless for inodes taken over from a dead daemon.</summary>
    public long Lookups { get; set; }

    /// <summary>Taken over from a dead daemon, whose count is lost: it stays until the session ends.</summary>
    public bool IsInherited { get; init; }

    /// <summary>It has no name any more; while it is open its file is kept in <see cref="ModelCopy.Unlinked"/>.</summary>
    public bool IsUnlinked { get; set; }

    /// <summary>
    /// The next look-up of its name gives another inode, of the same file: the kernel is to treat the file otherwise from then on, and can't while this inode is open.
    /// </summary>
    public bool IsSuperseded { get; set; }

    /// <summary>The inode that took its place; where that one is, this one's file is.</summary>
    public Inode? Successor { get; private set; }

    /// <summary>Open handles.</summary>
    public int Handles { get; set; }

    /// <summary>Size of a file when it was first handed out, in bytes; what it is for as long as <see cref="WasWritten"/> is false.</summary>
    public long InitialSize { get; init; } = long.MaxValue;

    /// <summary>
    /// Whether a writer had it since the kernel knows it. It stays true: a mapping can outlive the writer's handle, and changes the file past the kernel's own pages.
    /// </summary>
    public bool WasWritten { get; set; }

    /// <summary>Of a folder: whether the next file that is made in it is likely to be small, because many in a row before it were. A guess, which needs no lock.</summary>
    public bool ExpectsSmallFile => Volatile.Read(ref _smallFilesInRow) >= SmallFilesMin;

    /// <summary>Notes what became of a file that was made in this folder, when whoever made it closed it.</summary>
    public void NoteNewFile(bool isSmall) => Volatile.Write(ref _smallFilesInRow, isSmall ? Math.Min(_smallFilesInRow + 1, SmallFilesMin) : 0);

    /// <summary>Open handles of which every read comes to the daemon.</summary>
    public int DirectHandles { get; set; }

    /// <summary>The inodes whose place it took and that the kernel still knows.</summary>
    public List<Inode> Predecessors { get; } = [];

    /// <summary>Whether its file is open, by itself or by one of which it took the place.</summary>
    public bool IsOpen => Handles > 0 || Predecessors.Exists(each => each.IsOpen);

    /// <summary>The inode that took its place in the end, or itself.</summary>
    public Inode Last => Successor is { } successor ? successor.Last : this;

    /// <summary>Takes the place of a superseded inode.</summary>
    public void Succeed(Inode predecessor)
    {
        predecessor.IsSuperseded = true;
        predecessor.Successor = this;
        Predecessors.Add(predecessor);
    }
}
