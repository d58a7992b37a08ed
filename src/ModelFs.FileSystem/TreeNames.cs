using System.Globalization;
using ModelFs.Cache;
using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>The names inside of models: looking them up, listing, making, removing and renaming them on the cache's disk.</summary>
/// <remarks>
/// An operation that can't be repeated blindly notes its intent after its checks and before its effect, so that the same request, sent
/// again by the kernel to a daemon that took over, finds what is already done and calls it a success.
/// </remarks>
internal sealed class TreeNames(FileSystemState state)
{
    /// <summary>The copy behind a model's folder, fetched first if it is not here; for what is inside, the copy that it belongs to.</summary>
    public async ValueTask<ModelCopy?> CopyOfAsync(Inode folder, CancellationToken cancellationToken)
    {
        if (folder.Copy is { } bound)
        {
            await bound.WhenMadeAsync(cancellationToken).ConfigureAwait(false);
            return bound;
        }

        return folder.Kind == InodeKind.Model
            ? state.Inodes.Bind(folder, await state.Cache.AcquireAsync(folder.Model!, cancellationToken).ConfigureAwait(false))
            : null;
    }

    /// <summary>As <see cref="CopyOfAsync"/>, but the copy may be one whose files are still being made.</summary>
    public async ValueTask<ModelCopy?> CopyForListingAsync(Inode folder, CancellationToken cancellationToken) =>
        folder.Copy
        ?? (folder.Kind == InodeKind.Model ? state.Inodes.Bind(folder, await state.Cache.AcquireForListingAsync(folder.Model!, cancellationToken).ConfigureAwait(false)) : null);

    /// <summary>Looks a name up inside of a model.</summary>
    public async ValueTask<FsResult<FsEntry>> LookupAsync(Inode parent, string name, CancellationToken cancellationToken) =>
        await CopyOfAsync(parent, cancellationToken).ConfigureAwait(false) is { } copy ? Lookup(parent, copy, name) : Errno.ESTALE;

    /// <summary>Looks a name up inside of a model that is here.</summary>
    public FsResult<FsEntry> Lookup(Inode parent, ModelCopy copy, string name)
    {
        state.Names.EnterReadLock();
        try
        {
            var error = ChildPath(parent, name, out var path);
            if (error != Errno.None)
            {
                return error;
            }

            error = FileSystemState.Stat(copy, path, out var read);
            if (error != Errno.None)
            {
                return error;
            }

            var inode = state.Inodes.HandOut(
                parent, name, InodeKind.Tree, copy, size: read.Status.IsFolder || read.Status.IsLink ? long.MaxValue : FileSystemState.SizeOf(copy, path, read));
            _ = state.Attributes(inode, read, out var attributes);
            return new FsEntry(inode.Id, attributes, state.EntryValid(inode), state.AttributesValid(inode));
        }
        finally
        {
            state.Names.ExitReadLock();
        }
    }

    /// <summary>Lists a folder of a model that is here.</summary>
    public Errno List(Inode folder, out IReadOnlyList<FsName> names)
    {
        names = [];
        state.Names.EnterReadLock();
        try
        {
            var error = state.PathOf(folder, out var path);
            if (error != Errno.None)
            {
                return error;
            }

            error = PosixFile.List(path, out var entries);
            names = FsName.Sorted(entries.Select(entry => new FsName(entry.Name, entry.Inode, entry.Type)));
            return error;
        }
        finally
        {
            state.Names.ExitReadLock();
        }
    }

    /// <summary>Names what a folder will hold whose files are still being made; the numbers are not known.</summary>
    public IReadOnlyList<FsName> List(Inode folder, TreeMaking making) =>
        FsName.Sorted(making.EntriesIn(state.Inodes.RelativePath(folder)).Select(entry => new FsName(
            entry.Path[(entry.Path.LastIndexOf('/') + 1)..],
            0,
            entry.Type == TreeEntryType.Directory ? FileStatus.TypeFolder : entry.Type == TreeEntryType.File ? FileStatus.TypeFile : FileStatus.TypeLink)));

    /// <summary>Makes a folder, a file, or a link, by <paramref name="make"/> on the path of its name.</summary>
    public async ValueTask<FsResult<FsEntry>> MakeAsync(Inode parent, string name, FsRequest request, Func<string, Errno> make, CancellationToken cancellationToken)
    {
        if (state.IsReadOnly(parent))
        {
            return Errno.EROFS;
        }

        if (await CopyOfAsync(parent, cancellationToken).ConfigureAwait(false) is not { } copy)
        {
            return Errno.ESTALE;
        }

        var changePath = ChangePath(parent, name);
        await state.Cache.BeginChangeAsync(copy, changePath, ChangeKind.Write, cancellationToken).ConfigureAwait(false);
        try
        {
            state.Names.EnterReadLock();
            try
            {
                var error = ChildPath(parent, name, out var path);
                if (error != Errno.None)
                {
                    return error;
                }

                var isDone = request.IsResent && state.Inodes.HadIntent(request.Unique) && PosixFile.Stat(path, out _) == Errno.None;
                if (!isDone)
                {
                    if (PosixFile.Stat(path, out _) == Errno.None)
                    {
                        return Errno.EEXIST;
                    }

                    state.Inodes.NoteIntent(request.Unique);
                    error = make(path);
                    if (error != Errno.None)
                    {
                        state.TellHalfChanged(parent, error);
                        return error;
                    }
                }
            }
            finally
            {
                state.Names.ExitReadLock();
            }

            return Lookup(parent, copy, name);
        }
        finally
        {
            state.Cache.EndChange(copy, changePath);
        }
    }

    /// <summary>Removes a file or link; while it is open its file is kept out of sight.</summary>
    public ValueTask<Errno> UnlinkAsync(Inode parent, string name, FsRequest request, CancellationToken cancellationToken) =>
        RemoveAsync(parent, name, request, (path, inode) => inode is { IsOpen: true } ? Park(inode, path) : PosixFile.Unlink(path), cancellationToken);

    /// <summary>Removes an empty folder.</summary>
    public ValueTask<Errno> RemoveFolderAsync(Inode parent, string name, FsRequest request, CancellationToken cancellationToken) =>
        RemoveAsync(parent, name, request, (path, _) => PosixFile.RemoveFolder(path), cancellationToken);

    /// <summary>Renames inside of one model.</summary>
    public async ValueTask<Errno> RenameAsync(
        Inode parent, string name, Inode newParent, string newName, RenameKind kind, FsRequest request, CancellationToken cancellationToken)
    {
        if (state.IsReadOnly(parent) || state.IsReadOnly(newParent))
        {
            return Errno.EROFS;
        }

        if (parent.Copy is not { } copy || newParent.Copy != copy)
        {
            return Errno.EXDEV;
        }

        var changePath = ChangePath(newParent, newName);
        await state.Cache.BeginChangeAsync(copy, changePath, ChangeKind.Write, cancellationToken).ConfigureAwait(false);
        ModelCache.NameMoved(copy);
        try
        {
            state.Names.EnterWriteLock();
            try
            {
                return RenameLocked(parent, name, newParent, newName, kind, request);
            }
            finally
            {
                state.Names.ExitWriteLock();
            }
        }
        finally
        {
            state.Cache.EndChange(copy, changePath);
        }
    }

    /// <summary>A name's path relative to its model.</summary>
    public string ChangePath(Inode parent, string name)
    {
        var folder = state.Inodes.RelativePath(parent);
        return folder.Length == 0 ? name : folder + "/" + name;
    }

    /// <summary>Changes attributes of a file or folder; the change was announced.</summary>
    public Errno Apply(Inode inode, ModelCopy copy, FsChange change)
    {
        state.Names.EnterReadLock();
        try
        {
            var error = state.PathOf(inode, out var path);
            if (error != Errno.None)
            {
                return error;
            }

            error = PosixFile.Stat(path, out var status);
            if (change.Size is { } size && error == Errno.None)
            {
                state.Inodes.NoteWritten(inode);
                ModelCache.NoteWritten(copy, status.Inode);
                error = PosixFile.SetLength(path, size);
            }

            if (change.Mode is { } mode && error == Errno.None && !status.IsLink)
            {
                error = PosixFile.SetMode(path, mode & 0x1FF);
            }

            if ((change.AccessTime ?? change.ModifiedTime) is not null && error == Errno.None)
            {
                error = PosixFile.SetTimes(path, change.AccessTime ?? PosixFile.TimeUnchanged, change.ModifiedTime ?? PosixFile.TimeUnchanged);
            }

            return error;
        }
        finally
        {
            state.Names.ExitReadLock();
        }
    }

    private static string ParkingPlace(ModelCopy copy, Inode inode) => copy.Unlinked + "/" + inode.Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>Moves an open file out of sight; its last handle removes it.</summary>
    private static Errno Park(Inode inode, string path) => PosixFile.Rename(path, ParkingPlace(inode.Copy!, inode));

    private async ValueTask<Errno> RemoveAsync(
        Inode parent, string name, FsRequest request, Func<string, Inode?, Errno> remove, CancellationToken cancellationToken)
    {
        if (state.IsReadOnly(parent))
        {
            return Errno.EROFS;
        }

        if (parent.Copy is not { } copy)
        {
            return Errno.ESTALE;
        }

        var changePath = ChangePath(parent, name);
        await state.Cache.BeginChangeAsync(copy, changePath, ChangeKind.Removal, cancellationToken).ConfigureAwait(false);
        try
        {
            state.Names.EnterWriteLock();
            try
            {
                var error = ChildPath(parent, name, out var path);
                error = error == Errno.None ? PosixFile.Stat(path, out _) : error;
                var inode = state.Inodes.FindChild(parent, name);
                if (error == Errno.None)
                {
                    state.Inodes.NoteIntent(request.Unique);
                    error = remove(path, inode);
                }
                else if (error == Errno.ENOENT && request.IsResent && state.Inodes.HadIntent(request.Unique))
                {
                    error = Errno.None;
                }

                if (error == Errno.None && inode is not null)
                {
                    state.Inodes.Unlink(inode);
                }

                return error;
            }
            finally
            {
                state.Names.ExitWriteLock();
            }
        }
        finally
        {
            state.Cache.EndChange(copy, changePath);
        }
    }

    private Errno RenameLocked(Inode parent, string name, Inode newParent, string newName, RenameKind kind, FsRequest request)
    {
        if (state.Inodes.WasDone(request))
        {
            return Errno.None;
        }

        if (ChildPath(parent, name, out var from) is var missing && missing != Errno.None)
        {
            return missing;
        }

        var error = ChildPath(newParent, newName, out var to);
        if (error != Errno.None)
        {
            return error;
        }

        var moved = state.Inodes.FindChild(parent, name);
        var replaced = state.Inodes.FindChild(newParent, newName);
        error = MoveOnce(from, to, kind, replaced, request);
        if (error != Errno.None)
        {
            return error;
        }

        if (kind == RenameKind.Exchange)
        {
            state.Inodes.Exchange(moved, parent, name, replaced, newParent, newName);
        }
        else
        {
            // Without a known source of a resent request, what is known at the new name is the source itself.
            if (replaced is not null && replaced != moved && (moved is not null || !request.IsResent))
            {
                state.Inodes.Unlink(replaced);
            }

            if (moved is not null)
            {
                state.Inodes.Move(moved, newParent, newName);
            }
        }

        state.Inodes.NoteDone(request.Unique);
        return Errno.None;
    }

    /// <summary>Moves the file, unless the daemon before this one had done so for the same request: what it was about to move stands at the new name then.</summary>
    private Errno MoveOnce(string from, string to, RenameKind kind, Inode? replaced, FsRequest request)
    {
        var isThere = PosixFile.Stat(from, out var source);
        if (state.Inodes.MovedBefore(request) is { } moved && PosixFile.Stat(to, out var target) == Errno.None && target.Inode == moved)
        {
            // The open file that was replaced may still stand under the old name: the move out of sight is the second of two steps.
            return kind == RenameKind.Replace && isThere == Errno.None && replaced is { IsOpen: true } ? Park(replaced, from) : Errno.None;
        }

        if (isThere != Errno.None)
        {
            return isThere;
        }

        state.Inodes.NoteIntent(request.Unique, source.Inode);
        return Move(from, to, kind, replaced, source.IsFolder);
    }

    private static Errno Move(string from, string to, RenameKind kind, Inode? replaced, bool isFolder)
    {
        const uint exchange = 2;
        if (kind == RenameKind.Exchange)
        {
            return PosixFile.Rename(from, to, exchange);
        }

        if (kind == RenameKind.Replace && !isFolder && replaced is { IsOpen: true } && PosixFile.Stat(to, out var target) == Errno.None && !target.IsFolder)
        {
            // The new content stands under the name in one step; the open file of before is then moved out of sight.
            var error = PosixFile.Rename(from, to, exchange);
            return error == Errno.None ? Park(replaced, from) : error;
        }

        return PosixFile.Rename(from, to, kind == RenameKind.NoReplace ? PosixFile.RenameNoReplace : 0);
    }

    private Errno ChildPath(Inode parent, string name, out string path)
    {
        var error = state.PathOf(parent, out var folder);
        path = folder + "/" + name;
        return error;
    }
}

/// <summary>What a rename does with an existing target.</summary>
public enum RenameKind
{
    /// <summary>Replaces it.</summary>
    Replace,

    /// <summary>Refuses.</summary>
    NoReplace,

    /// <summary>Swaps the two.</summary>
    Exchange,
}
