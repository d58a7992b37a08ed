using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>The names above models: the root, projects, and the hidden folder <c>/.modelfs</c>. None of them ever waits for a fetch.</summary>
internal sealed class RootNames(FileSystemState state)
{
    private const string ControlName = ".modelfs";
    private const string StatusName = "status.json";
    private const string ConflictsName = "conflicts";
    private const string StatesName = "models";
    private const string StateEnding = ".json";
    private const string HistoryName = "history";

    private readonly Lock _gate = new();
    private readonly HashSet<string> _emptyProjects = new(state.Inodes.Projects, StringComparer.Ordinal);

    private ModelCatalog Catalog => state.Cache.Catalog;

    /// <summary>Looks a name up in the root, a project, or the control folders.</summary>
    public async ValueTask<FsResult<FsEntry>> LookupAsync(Inode parent, string name, CancellationToken cancellationToken)
    {
        switch (parent.Kind)
        {
            case InodeKind.Root when name == ControlName:
                return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Control));
            case InodeKind.Control when name == StatusName:
                return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Status));
            case InodeKind.Control when name == ConflictsName:
                return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Conflicts));
            case InodeKind.Control when name == StatesName:
                return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.ModelStates));
            case InodeKind.ModelStates:
                return FindByStateFile(name) is { } shown ? state.Entry(state.Inodes.HandOut(parent, name, InodeKind.ModelState, null, shown)) : Errno.ENOENT;
            case InodeKind.Control when name == HistoryName:
                return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.History));
            case InodeKind.History:
                return HistoryFiles.TryParse(name, out _) ? state.Entry(state.Inodes.HandOut(parent, name, InodeKind.HistoryFile)) : Errno.ENOENT;
            case InodeKind.Conflicts:
                return state.Cache.Conflicts.FirstOrDefault(copy => copy.Manifest.ConflictName == name) is { } conflict
                    ? state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Conflict, conflict))
                    : Errno.ENOENT;
            case InodeKind.Root or InodeKind.Project:
                await FirstListingAsync(cancellationToken).ConfigureAwait(false);
                await AskForAsync(parent, name, cancellationToken).ConfigureAwait(false);
                return LookupModel(parent, name);
            default:
                return Errno.ENOENT;
        }
    }

    /// <summary>Waits for the store's first listing, and for a short time for a fresh one, before a folder is listed.</summary>
    public async ValueTask PrepareListAsync(Inode folder, CancellationToken cancellationToken)
    {
        if (folder.Kind is InodeKind.Root or InodeKind.Project)
        {
            await FirstListingAsync(cancellationToken).ConfigureAwait(false);
            await FreshListingAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lists the root, a project, or a control folder.</summary>
    public Errno List(Inode folder, out IReadOnlyList<FsName> names)
    {
        names = folder.Kind switch
        {
            InodeKind.Control =>
                [
                    Control(InodeKind.Conflicts, ConflictsName, FileStatus.TypeFolder),
                    Control(InodeKind.History, HistoryName, FileStatus.TypeFolder),
                    Control(InodeKind.ModelStates, StatesName, FileStatus.TypeFolder),
                    Control(InodeKind.Status, StatusName, FileStatus.TypeFile),
                ],
            InodeKind.ModelStates => FsName.Sorted(Catalog.Snapshot().Select(model => StateFile(model))),

            // Every name has one; who reads them all would ask the store for the past of all.
            InodeKind.History => [],
            InodeKind.Conflicts => FsName.Sorted(state.Cache.Conflicts.Select(
                copy => new FsName(copy.Manifest.ConflictName!, InodeNumbers.Of(InodeKind.Conflict, copy.Manifest.ConflictName!, copy.Id), FileStatus.TypeFolder))),
            InodeKind.Project => ListProject(folder),
            _ => ListRoot(folder),
        };
        return Errno.None;
    }

    /// <summary>Makes a folder in the root or in a project: a model, or a project, as the mount's layout says.</summary>
    public async ValueTask<FsResult<FsEntry>> MakeFolderAsync(Inode parent, string name, uint mode, FsRequest request, CancellationToken cancellationToken)
    {
        if (name[0] == '.')
        {
            return Errno.EPERM;
        }

        if (!ModelName.IsValidPart(name))
        {
            return Errno.EINVAL;
        }

        await FirstListingAsync(cancellationToken).ConfigureAwait(false);
        await AskForAsync(parent, name, cancellationToken).ConfigureAwait(false);
        var isProject = parent.Kind == InodeKind.Root && Catalog.NewFoldersAreProjects;
        if (isProject && !ModelName.IsValidProject(name))
        {
            return Errno.EINVAL;
        }

        if (LookupModel(parent, name) is { Error: Errno.None, Value: var existing })
        {
            if (request.IsResent && state.Inodes.HadIntent(request.Unique))
            {
                return existing;
            }

            state.Inodes.Forget(existing.Id, 1);
            return Errno.EEXIST;
        }

        state.Inodes.NoteIntent(request.Unique);

        if (isProject)
        {
            lock (_gate)
            {
                _emptyProjects.Add(name);
            }

            return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Project));
        }

        if (!ModelName.TryCreate(parent.Kind == InodeKind.Project ? parent.Name : null, name, out var modelName))
        {
            return Errno.EINVAL;
        }

        var copy = await state.Cache.CreateModelAsync(modelName, mode).ConfigureAwait(false);
        var inode = state.Inodes.HandOut(parent, name, InodeKind.Model, null, copy.Model);
        state.Inodes.Bind(inode, copy);
        return state.Entry(inode);
    }

    /// <summary>Gives a model another name, in the root, in a project, or between them.</summary>
    /// <exception cref="ModelException">It is in use.</exception>
    public async ValueTask<Errno> RenameModelAsync(Inode parent, string name, Inode newParent, string newName, RenameKind kind, FsRequest request)
    {
        if (state.IsReadOnly(parent))
        {
            return Errno.EROFS;
        }

        if (FindModel(parent, name) is not { } model)
        {
            var isDone = request.IsResent && state.Inodes.HadIntent(request.Unique) && FindModel(newParent, newName) is not null;
            if (isDone)
            {
                MoveInode(parent, name, newParent, newName);
            }

            return isDone ? Errno.None : parent.Kind == InodeKind.Root && IsProject(name) ? Errno.EXDEV : Errno.ENOENT;
        }

        if ((model.StoredRevision is not null && !state.Cache.Options.AllowDelete) || newName[0] == '.')
        {
            return Errno.EPERM;
        }

        if (!ModelName.TryCreate(newParent.Kind == InodeKind.Project ? newParent.Name : null, newName, out var newModel))
        {
            return Errno.EINVAL;
        }

        if (newModel == model.Name)
        {
            return Errno.None;
        }

        if (FindModel(newParent, newName) is not null || (newParent.Kind == InodeKind.Root && IsProject(newName)))
        {
            return kind == RenameKind.NoReplace ? Errno.EEXIST : Errno.ENOTEMPTY;
        }

        state.Inodes.NoteIntent(request.Unique);
        await state.Cache.RenameModelAsync(model, newModel).ConfigureAwait(false);
        MoveInode(parent, name, newParent, newName);
        return Errno.None;
    }

    private void MoveInode(Inode parent, string name, Inode newParent, string newName)
    {
        if (state.Inodes.FindChild(parent, name) is { } inode)
        {
            state.Inodes.Move(inode, newParent, newName);
            inode.Model = FindModel(newParent, newName) ?? inode.Model;
        }
    }

    /// <summary>Removes a project that has no models.</summary>
    public Errno RemoveProject(Inode parent, string name)
    {
        if (Catalog.HasProject(name))
        {
            return Errno.ENOTEMPTY;
        }

        lock (_gate)
        {
            if (!_emptyProjects.Remove(name))
            {
                return Errno.ENOENT;
            }
        }

        if (state.Inodes.FindChild(parent, name) is { } inode)
        {
            state.Inodes.Unlink(inode);
        }

        return Errno.None;
    }

    /// <summary>The model that a name in the root or in a project stands for.</summary>
    public CachedModel? FindModel(Inode parent, string name) =>
        ModelName.TryCreate(parent.Kind == InodeKind.Project ? parent.Name : null, name, out var model) ? Catalog.Find(model) : null;

    private static FsName StateFile(CachedModel model) =>
        new(model.Name.Stem + StateEnding, InodeNumbers.Of(InodeKind.ModelState, model.Name.ToString(), model.Incarnation), FileStatus.TypeFile);

    /// <summary>The model whose state a file name of <c>/.modelfs/models</c> tells.</summary>
    private CachedModel? FindByStateFile(string name) =>
        name.EndsWith(StateEnding, StringComparison.Ordinal) && ModelName.TryParseStem(name[..^StateEnding.Length], out var model) ? Catalog.Find(model) : null;

    private static FsName Control(InodeKind kind, string name, uint type) => new(name, InodeNumbers.Of(kind, name, 0), type);

    private FsResult<FsEntry> LookupModel(Inode parent, string name)
    {
        if (FindModel(parent, name) is { } model)
        {
            // Whoever keeps using a model without ever listing the root sees its next version too.
            _ = Catalog.RefreshIfOlder(state.Cache.Options.ListTtl);
            return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Model, null, model));
        }

        if (parent.Kind == InodeKind.Root && IsProject(name))
        {
            return state.Entry(state.Inodes.HandOut(parent, name, InodeKind.Project));
        }

        // Not remembered, and worth another look at the store: a server asks again for a model that arrives late.
        if (ModelName.IsValidPart(name))
        {
            _ = Catalog.RefreshIfOlder(Catalog.IsByName ? state.Cache.Options.ListTtl : TimeSpan.FromSeconds(1));
        }

        return Errno.ENOENT;
    }

    private bool IsProject(string name)
    {
        lock (_gate)
        {
            if (_emptyProjects.Contains(name))
            {
                return true;
            }
        }

        return Catalog.HasProject(name) || IsPossibleProject(name);
    }

    /// <summary>A project has no object of its own: where the store may not be listed, any name can be one whose models are to be asked for.</summary>
    private bool IsPossibleProject(string name) => Catalog.IsByName && Catalog.NewFoldersAreProjects && ModelName.IsValidProject(name);

    private IReadOnlyList<FsName> ListRoot(Inode root)
    {
        var names = new Dictionary<string, FsName>(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var project in _emptyProjects)
            {
                names[project] = NameOf(root, project, InodeKind.Project, project, 0);
            }
        }

        foreach (var model in Catalog.Snapshot())
        {
            var (name, kind) = model.Name.Project is { } project ? (project, InodeKind.Project) : (model.Name.Name, InodeKind.Model);
            names.TryAdd(name, kind == InodeKind.Project ? NameOf(root, name, kind, name, 0) : NameOf(root, name, kind, model.Name.ToString(), model.Incarnation));
        }

        return FsName.Sorted(names.Values);
    }

    private IReadOnlyList<FsName> ListProject(Inode project) => FsName.Sorted(
        Catalog.Snapshot()
            .Where(model => model.Name.Project == project.Name)
            .Select(model => NameOf(project, model.Name.Name, InodeKind.Model, model.Name.ToString(), model.Incarnation)));

    private FsName NameOf(Inode parent, string name, InodeKind kind, string path, long incarnation) =>
        new(name, state.Inodes.FindChild(parent, name)?.Number ?? InodeNumbers.Of(kind, path, incarnation), FileStatus.TypeFolder);

    private async ValueTask FirstListingAsync(CancellationToken cancellationToken)
    {
        if (!Catalog.FirstListing.IsCompleted)
        {
            try
            {
                await Catalog.FirstListing.WaitAsync(state.Options.FirstListWait, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // What is here is shown; the listing goes on.
            }
        }
    }

    /// <summary>Where the store may not be listed, only asking for a name tells whether it is there.</summary>
    private async ValueTask AskForAsync(Inode parent, string name, CancellationToken cancellationToken)
    {
        if (Catalog.IsByName && ModelName.TryCreate(parent.Kind == InodeKind.Project ? parent.Name : null, name, out var model))
        {
            await Catalog.LookUpAsync(model, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask FreshListingAsync(CancellationToken cancellationToken)
    {
        var refresh = Catalog.RefreshIfOlder(state.Cache.Options.ListTtl);
        if (!refresh.IsCompleted)
        {
            try
            {
                await refresh.WaitAsync(state.Options.ListWait, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // The last listing is shown; the fresh one is taken when it is there.
            }
        }
    }
}
