using System.Collections.Concurrent;
using ModelFs.Cache;
using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>What the parts of the file system share: the cache, the inodes, and how an inode's attributes are read.</summary>
/// <remarks>
/// <see cref="Names"/> is held for reading over every look at a path, from making the path to the call that uses it, and for writing over
/// every change of a name together with its record in the table; so a path never goes stale in between. It is held over calls on the cache's
/// disk only, and never over a wait. Lock order: <see cref="Names"/>, then the table's lock, then a model's gate.
/// </remarks>
internal sealed class FileSystemState(ModelCache cache, InodeTable inodes, FileSystemOptions options) : IDisposable
{
    private const uint FolderMode = FileStatus.TypeFolder | 0x1ED;
    private const long FolderSize = 4096;

    public ModelCache Cache { get; } = cache;

    public InodeTable Inodes { get; } = inodes;

    public FileSystemOptions Options { get; } = options;

    /// <summary>Folders on the cache's disk that were synced since the mount began.</summary>
    public ConcurrentDictionary<string, bool> Anchored { get; } = new(StringComparer.Ordinal);

    public ReaderWriterLockSlim Names { get; } = new();

    /// <summary>Gets a folder of which a change failed, maybe half-way.</summary>
    public Action<ulong>? HalfChanged { get; set; }

    private UnixTime StartedAt { get; } = UnixTime.From(DateTimeOffset.UtcNow);

    /// <summary>
    /// Whether changes are refused for good. Not of what was looked up in a model before its version lost: such a change fails as one of a version that
    /// was replaced, so that the kernel looks the path up again and comes to the version that shows now.
    /// </summary>
    public bool IsReadOnly(Inode inode) => Options.ReadOnly || (inode.Copy is { Manifest.ConflictName: not null } && InodePaths.IsInConflict(inode));

    /// <summary>An entry for an inode that was just handed out; takes the hand-out back if its file is gone.</summary>
    public FsResult<FsEntry> Entry(Inode inode)
    {
        var error = Attributes(inode, null, out var attributes);
        if (error != Errno.None)
        {
            Inodes.TakeBack(inode);
            return error;
        }

        return new FsEntry(inode.Id, attributes, EntryValid(inode), AttributesValid(inode));
    }

    /// <summary>
    /// The name of a file that is not here is asked for again soon: once it is complete, it leads to an inode that the kernel reads by itself, and who has the earlier one open must
    /// not keep others from that for long. Not at every use either: a listing would ask for every file that it has just been told of.
    /// </summary>
    public TimeSpan EntryValid(Inode inode) =>
        inode.Kind != InodeKind.Tree ? Options.RootValid
        : inode.Copy is { Hydration: { } hydration } && !hydration.IsHere(Inodes.RelativePath(inode)) ? Options.ComingValid
        : Options.TreeValid;

    public TimeSpan AttributesValid(Inode inode)
    {
        if (inode.Kind != InodeKind.Tree)
        {
            return Options.RootValid;
        }

        // A dirty model's files may be changed through a mapping that neither this daemon nor the kernel's FUSE inode sees.
        return inode.Copy is { IsDirty: true } ? TimeSpan.Zero : Options.TreeValid;
    }

    /// <summary>Reads an inode's attributes; a status that was just read for it can be given.</summary>
    public Errno Attributes(Inode inode, ReadStatus? known, out FsAttributes attributes)
    {
        switch (inode.Kind)
        {
            case InodeKind.Tree:
                return TreeAttributes(inode, known, out attributes);
            case InodeKind.Model:
                attributes = ModelAttributes(inode);
                return Errno.None;
            case InodeKind.Status or InodeKind.ModelState or InodeKind.HistoryFile:
                attributes = new FsAttributes(inode.Number, FileStatus.TypeFile | 0x1A4, 1, 0, 0, StartedAt, StartedAt, StartedAt);
                return Errno.None;
            case InodeKind.Root or InodeKind.Project or InodeKind.Control or InodeKind.Conflicts or InodeKind.Conflict or InodeKind.ModelStates or InodeKind.History:
                attributes = Folder(inode.Number, FolderMode, StartedAt);
                return Errno.None;
            default:
                attributes = default;
                return Errno.EIO;
        }
    }

    /// <summary>The size that a file shows, whether its content is here or not.</summary>
    /// <param name="copy">Its copy.</param>
    /// <param name="path">Where it lies on the cache's disk.</param>
    /// <param name="read">What that says.</param>
    public static long SizeOf(ModelCopy copy, string path, ReadStatus read) =>
        copy.IsIndexed && read.Hydration is { } hydration ? hydration.Show(path[(copy.Content.Length + 1)..], read.Status).Size : read.Status.Size;

    /// <summary>Reads the status of what lies at a path of a copy on the cache's disk.</summary>
    public static Errno Stat(ModelCopy copy, string path, out ReadStatus read)
    {
        // Taken before the status: were it taken after, content that comes in between would leave nobody who knows that the status is that of an empty file.
        var hydration = copy.Hydration;
        var error = PosixFile.Stat(path, out var status);
        read = new ReadStatus(status, hydration ?? copy.Hydration);
        return error;
    }

    /// <summary>Where an inode's file is; ESTALE when its copy is gone.</summary>
    public Errno PathOf(Inode inode, out string path)
    {
        path = Inodes.PathOf(inode) ?? "";
        return path.Length == 0 ? Errno.ESTALE : Errno.None;
    }

    public void Dispose()
    {
        Inodes.Dispose();
        Names.Dispose();
    }

    private static FsAttributes Folder(ulong number, uint mode, UnixTime time) => new(number, mode, 2, FolderSize, 8, time, time, time);

    /// <summary>
    /// What a file or folder of an indexed copy shows: as if all of its content were here. Its ctime is the store's time, since that of its file on disk moves when content
    /// comes, and archivers take that for a change.
    /// </summary>
    private static FileStatus Shown(ModelCopy copy, string path, ReadStatus read)
    {
        if (!copy.IsIndexed)
        {
            return read.Status;
        }

        var shown = read.Hydration?.Show(path, read.Status) ?? read.Status;
        return shown with { ChangeTime = UnixTime.From(copy.Manifest.BaseModified) };
    }

    /// <summary>What a failed change of a folder left behind is not what the kernel goes by.</summary>
    public void TellHalfChanged(Inode folder, Errno error)
    {
        if (error is Errno.EIO or Errno.ENOSPC or Errno.EDQUOT)
        {
            HalfChanged?.Invoke(folder.Id);
        }
    }

    private FsAttributes ModelAttributes(Inode inode)
    {
        var model = inode.Model!;
        var copy = inode.Copy ?? model.Copy;
        if (copy is not null && Stat(copy, copy.Content, out var read) == Errno.None)
        {
            var status = Shown(copy, "", read);
            // A folder that equals the store's revision shows the store's time: servers order models by it.
            var time = copy.IsDirty ? status.ModifiedTime : UnixTime.From(copy.Manifest.BaseModified);
            return new FsAttributes(inode.Number, status.Mode, 2, status.Size, status.Blocks, time, time, time);
        }

        return Folder(inode.Number, FolderMode, model.StoredModified is { } modified ? UnixTime.From(modified) : StartedAt);
    }

    private Errno TreeAttributes(Inode inode, ReadStatus? known, out FsAttributes attributes)
    {
        attributes = default;
        if (known is not { } read)
        {
            Names.EnterReadLock();
            try
            {
                var error = PathOf(inode, out var path);
                if (error == Errno.None)
                {
                    error = Stat(inode.Copy!, path, out read);
                }
                else
                {
                    read = default;
                }

                if (error != Errno.None)
                {
                    return error;
                }
            }
            finally
            {
                Names.ExitReadLock();
            }
        }

        var status = inode.Copy is { IsIndexed: true } copy ? Shown(copy, Inodes.RelativePath(inode), read) : read.Status;
        attributes = new FsAttributes(
            status.Inode,
            status.Mode & ~0xE00u,
            inode.IsUnlinked ? 0 : status.IsFolder ? 2u : 1u,
            status.Size,
            status.Blocks,
            status.AccessTime,
            status.ModifiedTime,
            status.ChangeTime);
        return Errno.None;
    }

    /// <summary>What the cache's disk says of a file or folder of a copy.</summary>
    /// <param name="Status">That.</param>
    /// <param name="Hydration">What of the copy was here when it was read; null when all was.</param>
    internal readonly record struct ReadStatus(FileStatus Status, CopyHydration? Hydration);
}
