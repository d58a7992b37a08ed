using Microsoft.Win32.SafeHandles;
using ModelFs.Cache;
using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem;

/// <summary>Open files: reading, writing and syncing them where the kernel does not do so by itself, and what their closing means.</summary>
internal sealed class OpenFiles(FileSystemState state, TreeNames names, Action<ModelCopy, string> completed)
{
    private const uint OwnerWrite = 0x80;

    private bool PublishesAtClose => state.Cache.Options.Durability == Durability.Remote;

    /// <summary>Opens a file of a model; a writer is announced to the cache first, and a reader waits for a small file that is not here.</summary>
    public async ValueTask<FsResult<FsOpened>> OpenAsync(Inode inode, bool forWriting, bool truncate, FsRequest request, CancellationToken cancellationToken)
    {
        if (state.Inodes.FindInherited(request) is { } inherited)
        {
            return new FsOpened(inherited.Id, state.Inodes.PathOf(inode), IsInherited: true, IsDirect: inherited.IsDirect);
        }

        if (inode.Copy is not { } copy || inode is { IsSuperseded: true, Handles: 0 })
        {
            // The kernel looks the path up again, and is given the inode that took this one's place.
            return Errno.ESTALE;
        }

        var writes = forWriting || truncate;
        if (writes && state.IsReadOnly(inode))
        {
            return Errno.EROFS;
        }

        var path = state.Inodes.RelativePath(inode);
        if (writes)
        {
            await state.Cache.BeginChangeAsync(copy, path, ChangeKind.Write, cancellationToken).ConfigureAwait(false);
        }

        // Counted before anything else: from here on its content is not evicted.
        ModelCache.FileOpened(copy, path);
        var isOpened = false;
        try
        {
            var isComing = !writes && await state.Cache.PrepareReadAsync(copy, path, cancellationToken).ConfigureAwait(false);
            var error = Prepare(inode, copy, writes, truncate, out var localPath);
            if (error != Errno.None)
            {
                return error;
            }

            isOpened = true;
            if (writes)
            {
                ModelCache.WriterOpened(copy);
            }

            return Opened(inode, copy, new HandleUse(writes, ChangePath: path, IsDirect: isComing || inode.DirectHandles > 0), request, localPath);
        }
        finally
        {
            if (!isOpened)
            {
                if (writes)
                {
                    state.Cache.EndChange(copy, path);
                }

                state.Cache.FileClosed(copy, path);
            }
        }
    }

    /// <summary>Makes a file and opens it; opens what is there already unless <paramref name="exclusive"/>.</summary>
    public async ValueTask<FsResult<FsCreated>> CreateAsync(
        Inode parent, string name, uint mode, bool exclusive, bool truncate, FsRequest request, CancellationToken cancellationToken)
    {
        if (state.IsReadOnly(parent))
        {
            return Errno.EROFS;
        }

        if (await names.CopyOfAsync(parent, cancellationToken).ConfigureAwait(false) is not { } copy)
        {
            return Errno.ESTALE;
        }

        if (state.Inodes.FindInherited(request) is { } inherited)
        {
            var again = names.Lookup(parent, copy, name);
            return again.Error == Errno.None ? new FsCreated(again.Value, new FsOpened(inherited.Id, state.Inodes.PathOf(inherited.Inode), IsInherited: true, IsDirect: inherited.IsDirect)) : again.Error;
        }

        var changePath = names.ChangePath(parent, name);
        await state.Cache.BeginChangeAsync(copy, changePath, ChangeKind.Write, cancellationToken).ConfigureAwait(false);
        var error = MakeFile(parent, copy, name, mode, exclusive, truncate, request, out var path, out var file);
        if (error == Errno.None && names.Lookup(parent, copy, name) is { Error: var missing, Value: var entry })
        {
            if (missing == Errno.None)
            {
                ModelCache.FileOpened(copy, changePath);
                ModelCache.WriterOpened(copy);
                var inode = state.Inodes.Find(entry.Id)!;
                var handle = state.Inodes.Open(inode, request, new HandleUse(IsWriter: true, ChangePath: changePath, IsDirect: inode.DirectHandles > 0));
                if (file is not null)
                {
                    handle.Adopt(file, parent);
                }

                var canCache = file is not null && (mode & OwnerWrite) != 0 && parent.ExpectsSmallFile;
                return new FsCreated(entry, new FsOpened(handle.Id, path, CanCache: canCache, WantsFlush: PublishesAtClose, IsDirect: handle.IsDirect));
            }

            error = missing;
        }

        file?.Dispose();
        state.Cache.EndChange(copy, changePath);
        state.TellHalfChanged(parent, error);
        return error;
    }

    /// <summary>Opens a file that is made at this moment.</summary>
    public FsOpened OpenSnapshot(Inode inode, FsRequest request, byte[] content)
    {
        var handle = state.Inodes.Open(inode, request, default);
        handle.Snapshot = content;
        return new FsOpened(handle.Id, null);
    }

    /// <summary>Takes over what a daemon that died had open.</summary>
    /// <returns>Its open files that the kernel reads by itself, each inode as often as it is open.</returns>
    public async Task<IReadOnlyList<FsInherited>> InheritAsync()
    {
        var opened = new List<FsInherited>();
        foreach (var handle in state.Inodes.Handles)
        {
            if (handle is { IsFolder: false, Inode.Copy: { } copy })
            {
                if (!handle.IsDirect)
                {
                    opened.Add(new FsInherited(handle.Inode.Id, handle.IsCached));
                }

                ModelCache.FileOpened(copy, handle.ChangePath);
                ModelCache.NameMoved(copy);
                if (handle.IsWriter)
                {
                    await state.Cache.BeginChangeAsync(copy, handle.ChangePath, ChangeKind.Write).ConfigureAwait(false);
                    ModelCache.WriterOpened(copy);
                }
            }
        }

        return opened;
    }

    /// <summary>A descriptor of a file is being closed; where closing promises it, returns when the store has what was written.</summary>
    /// <remarks>
    /// Comes once for every descriptor of an open file. Only the last one counts: a shell that redirects closes its first descriptor before anything
    /// is written.
    /// </remarks>
    /// <exception cref="ModelException">The store did not take it.</exception>
    public ValueTask<Errno> FlushAsync(ulong id, uint callerId, CancellationToken cancellationToken) =>
        PublishesAtClose && state.Inodes.FindHandle(id) is { IsWriter: true, Inode.Copy: { } copy } handle
            ? new(Task.Run(() => PublishAtCloseAsync(handle, copy, new ClosingCaller(callerId), cancellationToken), CancellationToken.None))
            : new(Errno.None);

    private async Task<Errno> PublishAtCloseAsync(FileHandle handle, ModelCopy copy, ClosingCaller caller, CancellationToken cancellationToken)
    {
        var hearsNothing = caller.HearsNothing();
        if (!hearsNothing && caller.HoldsAnotherWriter($"/{copy.Model.Name}/{state.Inodes.RelativePath(handle.Inode)}"))
        {
            return Errno.None;
        }

        if (handle.SetClosing(true))
        {
            ModelCache.WriterClosing(copy, true);
        }

        if (!hearsNothing)
        {
            await state.Cache.PublishAtCloseAsync(copy, cancellationToken).ConfigureAwait(false);
        }

        return Errno.None;
    }

    /// <summary>Releases a handle; the last one of a file without a name removes it.</summary>
    public void Release(ulong id)
    {
        if (state.Inodes.Close(id) is not { } handle)
        {
            return;
        }

        handle.NoteMade(state.Options.CachedFileBytesMax);
        handle.Dispose();
        var inode = handle.Inode;
        if (inode.Copy is not { } copy || handle.IsFolder)
        {
            return;
        }

        var owner = inode.Last;
        if (owner is { IsUnlinked: true, IsOpen: false } && state.PathOf(owner, out var path) == Errno.None)
        {
            _ = PosixFile.Unlink(path);
        }

        if (handle.IsWriter)
        {
            state.Cache.WriterReleased(copy, handle.ChangePath, handle.IsClosing);
        }

        state.Cache.FileClosed(copy, handle.ChangePath);
    }

    /// <summary>Reads; fewer bytes than the buffer holds mean the end of the file. Waits for what is not here yet.</summary>
    public ValueTask<FsResult<int>> ReadAsync(ulong id, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (state.Inodes.FindHandle(id) is { IsDirect: true, Inode.Copy: { Hydration: not null } copy } handle)
        {
            var coming = state.Cache.WaitForContentAsync(copy, state.Inodes.RelativePath(handle.Inode), offset, buffer.Length, cancellationToken);
            if (!coming.IsCompletedSuccessfully)
            {
                return ReadLaterAsync(coming, id, offset, buffer);
            }
        }

        return new(Read(id, offset, buffer.Span));
    }

    /// <summary>Reads what is here; fewer bytes than the buffer holds mean the end of the file.</summary>
    public FsResult<int> Read(ulong id, long offset, Span<byte> buffer)
    {
        if (state.Inodes.FindHandle(id) is not { } handle)
        {
            return Errno.EBADF;
        }

        if (handle.Snapshot is { } snapshot)
        {
            var rest = snapshot.AsSpan((int)Math.Min(offset, snapshot.Length));
            rest = rest[..Math.Min(rest.Length, buffer.Length)];
            rest.CopyTo(buffer);
            return rest.Length;
        }

        var error = Descriptor(handle, out var file);
        if (error == Errno.None)
        {
            error = PosixFile.Read(file, buffer, offset, out var count);
            if (error == Errno.None || count > 0)
            {
                return count;
            }
        }

        return error;
    }

    /// <summary>Writes; fewer bytes than given are a short write for the caller.</summary>
    public FsResult<int> Write(ulong id, long offset, ReadOnlySpan<byte> data)
    {
        if (state.Inodes.FindHandle(id) is not { IsWriter: true } handle)
        {
            return Errno.EBADF;
        }

        if (handle.IsClosing && handle.SetClosing(false) && handle.Inode.Copy is { } copy)
        {
            ModelCache.WriterClosing(copy, false);
        }

        var error = Descriptor(handle, out var file);
        if (error == Errno.None)
        {
            error = PosixFile.Write(file, data, offset, out var count);
            if (error is Errno.ENOSPC or Errno.EDQUOT)
            {
                state.Cache.NoteDiskFull();
            }

            if (error == Errno.None || count > 0)
            {
                return count;
            }
        }

        return error;
    }

    /// <summary>Brings a file, and the names that lead to it, to the disk.</summary>
    public Errno Sync(ulong id, bool dataOnly)
    {
        if (state.Inodes.FindHandle(id) is not { } handle)
        {
            return Errno.EBADF;
        }

        if (handle.Inode.Copy is not { } copy || state.IsReadOnly(handle.Inode))
        {
            return Errno.None;
        }

        var error = Descriptor(handle, out var file);
        error = error == Errno.None ? PosixFile.Sync(file, dataOnly) : error;
        return error == Errno.None ? SyncWayTo(handle.Inode, copy) : error;
    }

    /// <summary>Brings a folder of a model, and the names that lead to it, to the disk.</summary>
    public Errno SyncFolder(Inode inode)
    {
        if (inode.Copy is not { } copy || state.IsReadOnly(inode))
        {
            return Errno.None;
        }

        var error = state.PathOf(inode, out var path);
        error = error == Errno.None ? PosixFile.SyncPath(path) : error;
        return error == Errno.None ? SyncWayTo(inode, copy) : error;
    }

    /// <summary>fallocate on an open file.</summary>
    public Errno Allocate(ulong id, int mode, long offset, long length)
    {
        if (state.Inodes.FindHandle(id) is not { IsWriter: true } handle)
        {
            return Errno.EBADF;
        }

        var error = Descriptor(handle, out var file);
        return error == Errno.None ? PosixFile.Allocate(file, mode, offset, length) : error;
    }

    /// <summary>lseek for data or holes.</summary>
    public FsResult<long> Seek(ulong id, long offset, int whence)
    {
        if (state.Inodes.FindHandle(id) is not { } handle)
        {
            return Errno.EBADF;
        }

        if (handle.IsDirect && handle.Inode.Copy is { Hydration: not null })
        {
            return SeekInComing(handle.Inode, offset, whence);
        }

        var error = Descriptor(handle, out var file);
        error = error == Errno.None ? PosixFile.Seek(file, offset, whence, out offset) : error;
        return error == Errno.None ? offset : error;
    }

    private FsOpened Opened(Inode inode, ModelCopy copy, HandleUse use, FsRequest request, string localPath)
    {
        var handle = state.Inodes.Open(inode, request, use);
        if (use.IsDirect && (copy.Hydration is not { } hydration || hydration.IsHere(handle.ChangePath)))
        {
            // It came between the look and the open, so nobody else says that others can have the kernel read it by itself.
            completed(copy, handle.ChangePath);
        }

        var canCache = use is { IsWriter: false, IsDirect: false } && state.Inodes.CanCache(inode, state.Options.CachedFileBytesMax);
        return new FsOpened(handle.Id, localPath, CanCache: canCache, WantsFlush: use.IsWriter && PublishesAtClose, IsDirect: use.IsDirect);
    }

    private async ValueTask<FsResult<int>> ReadLaterAsync(ValueTask coming, ulong id, long offset, Memory<byte> buffer)
    {
        await coming.ConfigureAwait(false);
        return Read(id, offset, buffer.Span);
    }

    /// <summary>What is not here yet is no hole.</summary>
    private FsResult<long> SeekInComing(Inode inode, long offset, int whence)
    {
        const int seekData = 3;
        var error = state.Attributes(inode, null, out var attributes);
        if (error != Errno.None)
        {
            return error;
        }

        return offset < 0 || offset >= attributes.Size ? Errno.ENXIO : whence == seekData ? offset : attributes.Size;
    }

    /// <summary>Makes the file, or finds it.</summary>
    /// <remarks>A new file is handed on open: its mode may forbid its owner, who this process may be, to open it for writing ever again.</remarks>
    private Errno MakeFile(
        Inode parent, ModelCopy copy, string name, uint mode, bool exclusive, bool truncate, FsRequest request, out string path, out SafeFileHandle? file)
    {
        file = null;
        state.Names.EnterReadLock();
        try
        {
            var error = state.PathOf(parent, out var folder);
            path = folder + "/" + name;
            if (error != Errno.None)
            {
                return error;
            }

            if (PosixFile.Stat(path, out var status) == Errno.None)
            {
                var isDone = request.IsResent && state.Inodes.HadIntent(request.Unique);
                if (exclusive && !isDone)
                {
                    return Errno.EEXIST;
                }

                ModelCache.NoteWritten(copy, status.Inode);
                return truncate && !isDone ? PosixFile.SetLength(path, 0) : Errno.None;
            }

            state.Inodes.NoteIntent(request.Unique);
            error = PosixFile.MakeFile(path, PosixFile.ReadWrite, mode & 0x1FF, out file, out var inode);
            ModelCache.NoteWritten(copy, inode);
            return error;
        }
        finally
        {
            state.Names.ExitReadLock();
        }
    }

    private Errno Prepare(Inode inode, ModelCopy copy, bool writes, bool truncate, out string path)
    {
        state.Names.EnterReadLock();
        try
        {
            var error = state.PathOf(inode, out path);
            if (error != Errno.None || !writes)
            {
                return error;
            }

            error = PosixFile.Stat(path, out var status);
            if (error == Errno.None)
            {
                ModelCache.NoteWritten(copy, status.Inode);
                error = truncate ? PosixFile.SetLength(path, 0) : Errno.None;
            }

            return error;
        }
        finally
        {
            state.Names.ExitReadLock();
        }
    }

    private Errno Descriptor(FileHandle handle, out SafeFileHandle file)
    {
        state.Names.EnterReadLock();
        try
        {
            file = null!;
            var error = state.PathOf(handle.Inode, out var path);
            return error == Errno.None ? handle.File(path, out file) : error;
        }
        finally
        {
            state.Names.ExitReadLock();
        }
    }

    /// <summary>A fetched tree is committed without syncs, so the first fsync in a folder also syncs the folders above it.</summary>
    private Errno SyncWayTo(Inode inode, ModelCopy copy)
    {
        if (inode.IsUnlinked)
        {
            return Errno.None;
        }

        for (var folder = inode.Parent; folder is { Copy: not null }; folder = folder.Parent)
        {
            if (state.PathOf(folder, out var path) != Errno.None || state.Anchored.ContainsKey(path))
            {
                return Errno.None;
            }

            var error = PosixFile.SyncPath(path);
            if (error != Errno.None)
            {
                return error;
            }

            state.Anchored[path] = true;
        }

        var result = PosixFile.SyncPath(copy.Folder);
        return result == Errno.None ? PosixFile.SyncPath(state.Cache.Folder.Trees) : result;
    }
}
