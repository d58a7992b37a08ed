using ModelFs.Cache;
using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem;

/// <summary>
/// What a path means: the folder of models as a file system of inodes, handles and rules. Knows nothing of the kernel's protocol.
/// </summary>
/// <remarks>
/// Failures of single calls are answered as error numbers; a model that can't be used is a <see cref="ModelException"/>. Only what is
/// documented to wait does: an access to the inside of a model that is not here yet, the first listing of the store, a model's first
/// change (its mark goes to the disk), and setting <c>user.modelfs.sync</c>. Each ends when its cancellation token does.
/// </remarks>
public sealed class ModelFileSystem : IDisposable
{
    private readonly FileSystemState _state;
    private readonly RootNames _root;
    private readonly TreeNames _tree;
    private readonly FolderListing _listing;
    private readonly OpenFiles _files;
    private readonly ModelXattrs _xattrs;
    private readonly HistoryFiles _history;
    private readonly Func<CachedModel?, byte[]> _status;

    /// <summary>Makes the file system over a cache that was started.</summary>
    /// <param name="cache">The models.</param>
    /// <param name="options">How the folder behaves.</param>
    /// <param name="status">Makes the content of <c>/.modelfs/status.json</c>, and, given a model, of its file in <c>/.modelfs/models</c>.</param>
    /// <param name="resume">Whether the kernel still holds the inodes and handles of a daemon that died, whose session log the cache folder has.</param>
    /// <param name="history">Asks the store for the past of models.</param>
    public ModelFileSystem(ModelCache cache, FileSystemOptions options, Func<CachedModel?, byte[]> status, bool resume, IModelHistory? history = null)
    {
        _state = new FileSystemState(cache, new InodeTable(cache, resume), options);
        _root = new RootNames(_state);
        _tree = new TreeNames(_state);
        _listing = new FolderListing(_state, _root, _tree);
        _files = new OpenFiles(_state, _tree, OnFileCompleted);
        _xattrs = new ModelXattrs(cache);
        _history = new HistoryFiles(history, options.ReadOnly);
        _status = status;
        cache.CopyRetired += OnCopyRetired;
        cache.FileReplaced += OnFileReplaced;
        cache.FileCompleted += OnFileCompleted;
    }

    /// <summary>
    /// Inodes of a copy that is no longer its model's, what is inside of a folder before the folder: once the kernel forgets them its files go. It may
    /// be told to forget those that nobody uses.
    /// </summary>
    public event Action<IReadOnlyList<ulong>>? Superseded;

    /// <summary>Has folders told of in which the disk failed a change of names, maybe half-way: the kernel should read their names and attributes again.</summary>
    public void WhenHalfChanged(Action<ulong> tell) => _state.HalfChanged = tell;

    /// <summary>Counts what a daemon that died had open as open here; call once before serving a resumed session.</summary>
    /// <returns>Its open files, each inode as often as it is open.</returns>
    public Task<IReadOnlyList<FsInherited>> InheritAsync() => _files.InheritAsync();

    /// <summary>The kernel is told to open a handle through its page cache; call before it is told so.</summary>
    public void NoteCached(ulong handle) => _state.Inodes.NoteCached(handle);

    /// <summary>Looks a name up and hands its inode out once.</summary>
    public ValueTask<FsResult<FsEntry>> LookupAsync(ulong parent, string name, CancellationToken cancellationToken)
    {
        if (Inode(parent) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if (!IsInsideModel(inode))
        {
            return _root.LookupAsync(inode, name, cancellationToken);
        }

        return inode.Copy is { Making: null } copy ? new(_tree.Lookup(inode, copy, name)) : _tree.LookupAsync(inode, name, cancellationToken);
    }

    /// <summary>As <see cref="LookupAsync"/>, for a name of <see cref="NamesOfAsync"/> that <see cref="StandingAsync"/> has counted.</summary>
    public ValueTask<FsResult<FsEntry>> LookupListedAsync(ulong parent, string name) =>
        Inode(parent) is { Copy: { Making: not null } copy } inode && IsInsideModel(inode) ? new(_tree.Lookup(inode, copy, name)) : LookupAsync(parent, name, CancellationToken.None);

    /// <summary>The kernel forgot an inode so many times.</summary>
    public void Forget(ulong id, ulong lookups) => _state.Inodes.Forget(id, lookups);

    /// <summary>Attributes of an inode, and how long they may be kept.</summary>
    public FsResult<FsEntry> GetAttributes(ulong id)
    {
        if (Inode(id) is not { } inode)
        {
            return Errno.ESTALE;
        }

        var error = _state.Attributes(inode, null, out var attributes);
        return error == Errno.None ? new FsEntry(id, attributes, _state.EntryValid(inode), _state.AttributesValid(inode)) : error;
    }

    /// <summary>Changes mode, size or times. The owner is always the mounting user: setting it is accepted and changes nothing.</summary>
    public async ValueTask<FsResult<FsEntry>> SetAttributesAsync(ulong id, FsChange change, CancellationToken cancellationToken)
    {
        if (Inode(id) is not { } inode)
        {
            return Errno.ESTALE;
        }

        if (change is { Mode: null, Size: null, AccessTime: null, ModifiedTime: null })
        {
            return GetAttributes(id);
        }

        if (_state.IsReadOnly(inode))
        {
            return Errno.EROFS;
        }

        if (!IsInsideModel(inode))
        {
            // Copying tools set the times of the folder that they copy into; nothing keeps those of the root or of a project.
            return change is { Mode: null, Size: null } ? GetAttributes(id) : Errno.EPERM;
        }

        if (await _tree.CopyOfAsync(inode, cancellationToken).ConfigureAwait(false) is not { } copy)
        {
            return Errno.ESTALE;
        }

        var changePath = _state.Inodes.RelativePath(inode);
        await _state.Cache.BeginChangeAsync(copy, changePath, ChangeKind.Write, cancellationToken).ConfigureAwait(false);
        try
        {
            var error = _tree.Apply(inode, copy, change);
            return error == Errno.None ? GetAttributes(id) : error;
        }
        finally
        {
            _state.Cache.EndChange(copy, changePath);
        }
    }

    /// <summary>A link's target.</summary>
    public FsResult<string> ReadLink(ulong id)
    {
        if (Inode(id) is not { } inode)
        {
            return Errno.ESTALE;
        }

        _state.Names.EnterReadLock();
        try
        {
            var error = _state.PathOf(inode, out var path);
            if (error != Errno.None)
            {
                return error;
            }

            error = PosixFile.ReadLink(path, out var target);
            return error == Errno.None ? target : error;
        }
        finally
        {
            _state.Names.ExitReadLock();
        }
    }

    /// <summary>Makes a link. Its target must stay inside of the model: a relative path that does not climb out of it.</summary>
    public ValueTask<FsResult<FsEntry>> MakeLinkAsync(ulong parent, string name, string target, FsRequest request, CancellationToken cancellationToken)
    {
        if (Inode(parent) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if (!IsInsideModel(inode) || !LinkTargets.StaysInside(_tree.ChangePath(inode, name), target))
        {
            return new(Errno.EPERM);
        }

        return _tree.MakeAsync(inode, name, request, path => PosixFile.MakeLink(target, path), cancellationToken);
    }

    /// <summary>Makes a folder: inside of a model, or a new model or project.</summary>
    public ValueTask<FsResult<FsEntry>> MakeFolderAsync(ulong parent, string name, uint mode, FsRequest request, CancellationToken cancellationToken)
    {
        if (Inode(parent) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if (IsInsideModel(inode))
        {
            return _tree.MakeAsync(inode, name, request, path => PosixFile.MakeFolder(path, mode & 0x1FF), cancellationToken);
        }

        if (_state.IsReadOnly(inode))
        {
            return new(Errno.EROFS);
        }

        return inode.Kind is InodeKind.Root or InodeKind.Project
            ? _root.MakeFolderAsync(inode, name, mode & 0x1FF, request, cancellationToken)
            : new(Errno.EPERM);
    }

    /// <summary>Makes an empty file that is not opened.</summary>
    public ValueTask<FsResult<FsEntry>> MakeFileAsync(ulong parent, string name, uint mode, FsRequest request, CancellationToken cancellationToken)
    {
        if (Inode(parent) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        return IsInsideModel(inode) ? _tree.MakeAsync(inode, name, request, path => PosixFile.MakeFile(path, mode & 0x1FF), cancellationToken) : new(Errno.EPERM);
    }

    /// <summary>Makes a file and opens it for writing, or opens the one that is there unless <paramref name="exclusive"/>.</summary>
    public ValueTask<FsResult<FsCreated>> CreateAsync(
        ulong parent, string name, uint mode, bool exclusive, bool truncate, FsRequest request, CancellationToken cancellationToken)
    {
        if (Inode(parent) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        return IsInsideModel(inode) ? _files.CreateAsync(inode, name, mode, exclusive, truncate, request, cancellationToken) : new(Errno.EPERM);
    }

    /// <summary>Removes a file or link.</summary>
    public ValueTask<Errno> UnlinkAsync(ulong parent, string name, FsRequest request, CancellationToken cancellationToken = default) =>
        Inode(parent) is not { } inode ? new(Errno.ESTALE)
        : IsInsideModel(inode) ? _tree.UnlinkAsync(inode, name, request, cancellationToken)
        : new(Errno.EPERM);

    /// <summary>Removes an empty folder: inside of a model, a model, or a project.</summary>
    public async ValueTask<Errno> RemoveFolderAsync(ulong parent, string name, FsRequest request, CancellationToken cancellationToken)
    {
        if (Inode(parent) is not { } inode)
        {
            return Errno.ESTALE;
        }

        if (IsInsideModel(inode))
        {
            return await _tree.RemoveFolderAsync(inode, name, request, cancellationToken).ConfigureAwait(false);
        }

        if (_state.IsReadOnly(inode))
        {
            return Errno.EROFS;
        }

        if (inode.Kind is not (InodeKind.Root or InodeKind.Project))
        {
            return Errno.EPERM;
        }

        if (_root.FindModel(inode, name) is { } model)
        {
            return await RemoveModelAsync(inode, name, model, request, cancellationToken).ConfigureAwait(false);
        }

        var error = _root.RemoveProject(inode, name);
        return error == Errno.ENOENT && request.IsResent && _state.Inodes.HadIntent(request.Unique) ? Errno.None : error;
    }

    /// <summary>Renames inside of one model, or a model. Of files across models it is EXDEV, so that tools copy.</summary>
    public ValueTask<Errno> RenameAsync(ulong parent, string name, ulong newParent, string newName, RenameKind kind, FsRequest request, CancellationToken cancellationToken = default)
    {
        if (Inode(parent) is not { } from || Inode(newParent) is not { } to)
        {
            return new(Errno.ESTALE);
        }

        if (IsInsideModel(from) && IsInsideModel(to))
        {
            return _tree.RenameAsync(from, name, to, newName, kind, request, cancellationToken);
        }

        var areFoldersOfModels = from.Kind is InodeKind.Root or InodeKind.Project && to.Kind is InodeKind.Root or InodeKind.Project;
        return areFoldersOfModels && kind != RenameKind.Exchange ? _root.RenameModelAsync(from, name, to, newName, kind, request) : new(Errno.EXDEV);
    }

    /// <summary>Opens a file; waits for a small one that is not here yet, and for the whole model before its first change.</summary>
    public ValueTask<FsResult<FsOpened>> OpenAsync(ulong id, bool forWriting, bool truncate, FsRequest request, CancellationToken cancellationToken = default)
    {
        if (Inode(id) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if (inode.Kind is not (InodeKind.Status or InodeKind.ModelState or InodeKind.HistoryFile))
        {
            return _files.OpenAsync(inode, forWriting, truncate, request, cancellationToken);
        }

        if (forWriting || truncate)
        {
            return new(Errno.EROFS);
        }

        return inode.Kind == InodeKind.HistoryFile ? OpenHistoryAsync(inode, request, cancellationToken) : new(_files.OpenSnapshot(inode, request, _status(inode.Model)));
    }

    /// <summary>Reads; fewer bytes than the buffer holds mean the end of the file. Waits for what is not here yet.</summary>
    public ValueTask<FsResult<int>> ReadAsync(ulong handle, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        _files.ReadAsync(handle, offset, buffer, cancellationToken);

    /// <summary>Reads what is here; fewer bytes than the buffer holds mean the end of the file.</summary>
    public FsResult<int> Read(ulong handle, long offset, Span<byte> buffer) => _files.Read(handle, offset, buffer);

    /// <summary>Writes.</summary>
    public FsResult<int> Write(ulong handle, long offset, ReadOnlySpan<byte> data) => _files.Write(handle, offset, data);

    /// <summary>A descriptor of an open file is being closed, by the thread of that id; where closing promises it, returns when the store has what was written.</summary>
    /// <exception cref="ModelException">The store did not take it.</exception>
    public ValueTask<Errno> FlushAsync(ulong handle, uint callerId, CancellationToken cancellationToken) => _files.FlushAsync(handle, callerId, cancellationToken);

    /// <summary>Brings an open file to the disk.</summary>
    public Errno Sync(ulong handle, bool dataOnly) => _files.Sync(handle, dataOnly);

    /// <summary>Brings a folder to the disk.</summary>
    public Errno SyncFolder(ulong id) => Inode(id) is { } inode ? _files.SyncFolder(inode) : Errno.ESTALE;

    /// <summary>fallocate.</summary>
    public Errno Allocate(ulong handle, int mode, long offset, long length) => _files.Allocate(handle, mode, offset, length);

    /// <summary>lseek for data or holes.</summary>
    public FsResult<long> Seek(ulong handle, long offset, int whence) => _files.Seek(handle, offset, whence);

    /// <summary>Releases a handle of a file or folder.</summary>
    public void Release(ulong handle) => _files.Release(handle);

    /// <summary>Opens a folder. A model that is not here is not fetched by it: a shell that stands in a folder opens it without a look inside.</summary>
    public async ValueTask<FsResult<ulong>> OpenFolderAsync(ulong id, FsRequest request, CancellationToken cancellationToken)
    {
        if (Inode(id) is not { } inode)
        {
            return Errno.ESTALE;
        }

        if (_state.Inodes.FindInherited(request) is { } inherited)
        {
            return inherited.Id;
        }

        if (!IsInsideModel(inode))
        {
            await _root.PrepareListAsync(inode, cancellationToken).ConfigureAwait(false);
        }

        return _state.Inodes.Open(inode, request, new HandleUse(IsFolder: true)).Id;
    }

    /// <summary>The names of an opened folder, sorted, as they were when its reading began; waits for the fetch of a model that is not here.</summary>
    /// <param name="id">The folder.</param>
    /// <param name="handle">The open folder.</param>
    /// <param name="restart">Whether its reading begins, or begins again.</param>
    /// <param name="forLookUp">Whether each is looked up, so that their numbers need not be known and not all have to stand (<see cref="StandingAsync"/>).</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<FsResult<IReadOnlyList<FsName>>> NamesOfAsync(ulong id, ulong handle, bool restart, bool forLookUp, CancellationToken cancellationToken) =>
        Inode(id) is { } inode ? _listing.NamesOfAsync(inode, handle, restart, forLookUp, cancellationToken) : new(Errno.ESTALE);

    /// <summary>How many of a folder's names can be looked up now: of a tree that is just being made it waits for the next ones, about as many as go into one answer.</summary>
    /// <param name="id">The folder.</param>
    /// <param name="names">Its names.</param>
    /// <param name="first">The first one that is wanted.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelException">The cache's disk refused to make them.</exception>
    public ValueTask<int> StandingAsync(ulong id, IReadOnlyList<FsName> names, int first, CancellationToken cancellationToken) =>
        _listing.StandingAsync(Inode(id), names, first, cancellationToken);

    /// <summary>Whether nothing but this mount changes the names of a folder, so that the kernel may keep them.</summary>
    public bool CanKeepNames(ulong id) => Inode(id) is { } inode && IsInsideModel(inode);

    /// <summary>An inode and that of the folder that it stands in, as numbers for <c>.</c> and <c>..</c>.</summary>
    public (ulong Self, ulong Parent) NumbersOf(ulong id)
    {
        var inode = Inode(id);
        return (NumberOf(inode), NumberOf(inode?.Parent ?? inode));
    }

    /// <summary>Figures of the cache's disk.</summary>
    public FsResult<FileSystemStatus> StatFileSystem()
    {
        var error = PosixFile.StatFileSystem(_state.Cache.Folder.Root, out var status);
        return error == Errno.None ? status : error;
    }

    /// <summary>Reads an extended attribute.</summary>
    public FsResult<byte[]> GetXattr(ulong id, string name) =>
        Inode(id) is not { } inode ? Errno.ESTALE
        : inode.Kind == InodeKind.HistoryFile ? _history.Get(name)
        : _xattrs.Get(inode, name);

    /// <summary>Names of the extended attributes.</summary>
    public IReadOnlyList<string> ListXattrs(ulong id) => Inode(id) is { Kind: InodeKind.Model } ? ModelXattrs.Names : [];

    /// <summary>Sets an extended attribute; <c>user.modelfs.sync</c> waits for the store.</summary>
    public ValueTask<Errno> SetXattrAsync(ulong id, string name, string value, CancellationToken cancellationToken) =>
        Inode(id) is not { } inode ? new(Errno.ESTALE)
        : inode.Kind == InodeKind.HistoryFile ? _history.SetAsync(inode, name, value, cancellationToken)
        : _xattrs.SetAsync(inode, name, value, cancellationToken);

    /// <summary>Whether reading the extended attribute of that name asks for something: then <see cref="AskAsync"/> answers.</summary>
    public static bool IsQuestion(string name) => ModelXattrs.IsQuestion(name);

    /// <summary>Does what the name of an extended attribute asks for; on read-only mounts, where none can be set.</summary>
    public ValueTask<Errno> AskAsync(ulong id, string name, CancellationToken cancellationToken) =>
        Inode(id) is not { } inode ? new(Errno.ESTALE)
        : _state.Options.ReadOnly ? _xattrs.AskAsync(inode, name, cancellationToken)
        : new(Errno.ENODATA);

    /// <inheritdoc/>
    public void Dispose()
    {
        _state.Cache.CopyRetired -= OnCopyRetired;
        _state.Cache.FileReplaced -= OnFileReplaced;
        _state.Cache.FileCompleted -= OnFileCompleted;
        _state.Dispose();
    }

    internal static bool IsInsideModel(Inode inode) => inode.Kind is InodeKind.Model or InodeKind.Tree or InodeKind.Conflict;

    private async ValueTask<FsResult<FsOpened>> OpenHistoryAsync(Inode inode, FsRequest request, CancellationToken cancellationToken)
    {
        var content = await _history.ReadAsync(inode, cancellationToken).ConfigureAwait(false);
        return content.Error == Errno.None ? _files.OpenSnapshot(inode, request, content.Value) : content.Error;
    }

    private Inode? Inode(ulong id) => _state.Inodes.Find(id);

    private ulong NumberOf(Inode? inode) =>
        inode is not null && _state.Attributes(inode, null, out var attributes) == Errno.None ? attributes.Number : InodeTable.RootId;

    private async ValueTask<Errno> RemoveModelAsync(Inode parent, string name, CachedModel model, FsRequest request, CancellationToken cancellationToken)
    {
        if (model.Copy is { } copy)
        {
            var error = PosixFile.List(copy.Content, out var entries);
            if (error != Errno.None || entries.Count > 0)
            {
                return error != Errno.None ? error : Errno.ENOTEMPTY;
            }
        }
        else
        {
            return _state.Cache.Options.AllowDelete ? Errno.ENOTEMPTY : Errno.EPERM;
        }

        _state.Inodes.NoteIntent(request.Unique);
        await _state.Cache.RemoveModelAsync(model, cancellationToken).ConfigureAwait(false);
        if (_state.Inodes.FindChild(parent, name) is { } inode)
        {
            _state.Inodes.Unlink(inode);
        }

        return Errno.None;
    }

    private void OnFileReplaced(ModelCopy copy, string path) => _state.Inodes.Supersede(copy, path, onlyIfDirect: false);

    /// <summary>Who has the file open goes on as before; whoever looks it up from now on has the kernel read it by itself.</summary>
    private void OnFileCompleted(ModelCopy copy, string path) => _state.Inodes.Supersede(copy, path, onlyIfDirect: true);

    /// <summary>
    /// The name leads to another inode from now on. The kernel is not told to drop it, but asks again after <see cref="FileSystemOptions.RootValid"/>:
    /// it drops a name under its folder's lock, and waits for that in a way that nothing ends. A daemon that is killed while it waits for a lock
    /// that one of its own callers holds would keep the mount's descriptor and the cache's lock for ever.
    /// </summary>
    private void OnCopyRetired(ModelCopy copy)
    {
        _state.Inodes.Detach(copy);
        if (_state.Inodes.InsideOut(copy) is { Count: > 0 } inodes)
        {
            Superseded?.Invoke(inodes);
        }
    }
}
