using System.Collections.Concurrent;
using ModelFs.Cache;
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

    private UnixTime StartedAt { get; } = UnixTime.From(DateTimeOffset.UtcNow);

    public bool IsReadOnly(Inode inode) => Options.ReadOnly || inode.Copy is { Manifest.ConflictName: not null };

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

    public TimeSpan EntryValid(Inode inode) => inode.Kind == InodeKind.Tree ? Options.TreeValid : Options.RootValid;

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
    public Errno Attributes(Inode inode, FileStatus? known, out FsAttributes attributes)
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

    private FsAttributes ModelAttributes(Inode inode)
    {
        var model = inode.Model!;
        var copy = inode.Copy ?? model.Copy;
        if (copy is not null && PosixFile.Stat(copy.Content, out var status) == Errno.None)
        {
            // A folder that equals the store's revision shows the store's time: servers order models by it.
            var time = copy.IsDirty ? status.ModifiedTime : UnixTime.From(copy.Manifest.BaseModified);
            return new FsAttributes(inode.Number, status.Mode, 2, status.Size, status.Blocks, time, time, time);
        }

        return Folder(inode.Number, FolderMode, model.StoredModified is { } modified ? UnixTime.From(modified) : StartedAt);
    }

    private Errno TreeAttributes(Inode inode, FileStatus? known, out FsAttributes attributes)
    {
        attributes = default;
        if (known is not { } status)
        {
            Names.EnterReadLock();
            try
            {
                var error = PathOf(inode, out var path);
                if (error == Errno.None)
                {
                    error = PosixFile.Stat(path, out status);
                }
                else
                {
                    status = default;
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
}
