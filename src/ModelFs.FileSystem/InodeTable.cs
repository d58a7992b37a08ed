using ModelFs.Cache;

namespace ModelFs.FileSystem;

/// <summary>
/// Every inode and handle that the kernel holds, and the log that lets another daemon take them over. Ids are never reused, so a late
/// request can't reach the wrong file.
/// </summary>
/// <remarks>One lock guards everything here, the inodes included; it is never held over I/O, and a model's gate may be taken inside of it.</remarks>
internal sealed class InodeTable : IDisposable
{
    /// <summary>FUSE_ROOT_ID.</summary>
    public const ulong RootId = 1;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Inode> _inodes = [];
    private readonly Dictionary<(ulong Parent, string Name), Inode> _names = [];
    private readonly Dictionary<ulong, FileHandle> _handles = [];
    private readonly Dictionary<ulong, ulong> _intents = [];
    private readonly HashSet<ulong> _done = [];
    private readonly Dictionary<ulong, ulong> _opened = [];
    private readonly InodeSuccession _succession = new();
    private readonly ModelCache _cache;
    private readonly SessionLog _log;
    private ulong _lastInode = RootId;
    private ulong _lastHandle;

    /// <summary>Starts an empty table, or takes over the one of a daemon that died.</summary>
    public InodeTable(ModelCache cache, bool resume)
    {
        _cache = cache;
        Root = new Inode { Id = RootId, Kind = InodeKind.Root, Number = RootId, Lookups = 1 };
        _inodes.Add(RootId, Root);
        var path = Path.Combine(cache.Folder.Session, "log");
        if (!resume)
        {
            _log = SessionLog.Create(path);
            return;
        }

        var replay = new SessionReplay(Root, cache);
        _log = SessionLog.Resume(path, replay.Apply);
        foreach (var inode in replay.Inodes.Values)
        {
            _inodes[inode.Id] = inode;
            if (inode is { IsSuperseded: true, Successor: null })
            {
                _succession.Await(inode);
            }
            else if (inode is { IsUnlinked: false, IsSuperseded: false, Parent: { } parent })
            {
                _names[(parent.Id, inode.Name)] = inode;
            }

            if (inode.Copy is { } copy)
            {
                ModelCache.AddReference(copy);
            }
        }

        foreach (var handle in replay.Handles)
        {
            _handles[handle.Id] = handle;
            Count(handle, 1);
        }

        _intents = replay.Intents;
        _done = replay.Done;
        _opened = replay.Opened;
        _lastInode = Math.Max(RootId, replay.LastInode);

        // Handles of this daemon start beyond every one that a predecessor can have given out.
        _lastHandle = (ulong)(replay.Resumes + 1) << 40;
        _log.Append(new SessionRecord(SessionRecordType.Resume, 0));
    }

    /// <summary>The mount's root.</summary>
    public Inode Root { get; }

    /// <summary>Handles taken over from a daemon that died.</summary>
    public IReadOnlyList<FileHandle> Handles
    {
        get
        {
            lock (_gate)
            {
                return [.. _handles.Values];
            }
        }
    }

    /// <summary>Names of the projects that the kernel holds; one without models is known from nowhere else.</summary>
    public IReadOnlyList<string> Projects
    {
        get
        {
            lock (_gate)
            {
                return [.. _inodes.Values.Where(inode => inode is { Kind: InodeKind.Project, IsUnlinked: false }).Select(inode => inode.Name)];
            }
        }
    }

    /// <summary>The inode of that id; null when the kernel names one that was never handed out or is gone.</summary>
    public Inode? Find(ulong id)
    {
        lock (_gate)
        {
            return _inodes.GetValueOrDefault(id);
        }
    }

    /// <summary>The inode that a name leads to, if the kernel holds one.</summary>
    public Inode? FindChild(Inode parent, string name)
    {
        lock (_gate)
        {
            return _names.GetValueOrDefault((parent.Id, name));
        }
    }

    /// <summary>Hands out the inode of a name once more, made first if there is none.</summary>
    public Inode HandOut(Inode parent, string name, InodeKind kind, ModelCopy? copy = null, CachedModel? model = null, long size = long.MaxValue)
    {
        lock (_gate)
        {
            if (_names.TryGetValue((parent.Id, name), out var inode) && inode.Kind == kind && (kind == InodeKind.Model || inode.Copy == copy) && inode.Model == model)
            {
                inode.Lookups++;
                return inode;
            }

            var incarnation = model?.Incarnation ?? copy?.Id ?? 0;
            inode = new Inode
            {
                Id = ++_lastInode,
                Kind = kind,
                Number = InodeNumbers.Of(kind, model?.Name.ToString() ?? name, incarnation),
                Parent = parent,
                Name = name,
                Model = model,
                Copy = copy,
                Lookups = 1,
                InitialSize = size,
            };
            _log.Append(new SessionRecord(SessionRecordType.Node, inode.Id, parent.Id, (byte)kind, incarnation, name));
            _inodes.Add(inode.Id, inode);
            _names[(parent.Id, name)] = inode;
            foreach (var predecessor in _succession.TakePlaces(inode))
            {
                _log.Append(new SessionRecord(SessionRecordType.Succeed, inode.Id, predecessor.Id));
            }

            if (copy is not null)
            {
                ModelCache.AddReference(copy);
            }

            return inode;
        }
    }

    /// <summary>Lets the name of a copy's file lead to another inode from its next look-up on.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="path">The file in it.</param>
    /// <param name="onlyIfDirect">Whether only an inode counts that the kernel has open so that every read comes here.</param>
    public void Supersede(ModelCopy copy, string path, bool onlyIfDirect)
    {
        lock (_gate)
        {
            var inode = _inodes.Values.FirstOrDefault(each => each.Kind == InodeKind.Model && each.Copy == copy);
            foreach (var part in path.Split('/'))
            {
                inode = inode is null ? null : _names.GetValueOrDefault((inode.Id, part));
            }

            if (inode is not { Kind: InodeKind.Tree, Parent: not null } || (onlyIfDirect && inode.DirectHandles == 0))
            {
                return;
            }

            RemoveName(inode);
            inode.IsSuperseded = true;
            _succession.Await(inode);
            _log.Append(new SessionRecord(SessionRecordType.Supersede, inode.Id));
        }
    }

    /// <summary>Takes back one hand-out that never reached the kernel.</summary>
    public void TakeBack(Inode inode) => Forget(inode.Id, 1);

    /// <summary>The kernel forgot an inode so many times.</summary>
    public void Forget(ulong id, ulong lookups)
    {
        ModelCopy? released;
        lock (_gate)
        {
            if (!_inodes.TryGetValue(id, out var inode))
            {
                return;
            }

            inode.Lookups -= (long)lookups;
            released = RemoveIfUnused(inode);
        }

        if (released is not null)
        {
            _cache.RemoveReference(released);
        }
    }

    /// <summary>Binds a model's folder to the copy that was fetched or made for it.</summary>
    /// <returns>The copy that it is bound to: the first one wins, for as long as the kernel holds the inode.</returns>
    public ModelCopy Bind(Inode inode, ModelCopy copy)
    {
        lock (_gate)
        {
            if (inode.Copy is { } bound)
            {
                return bound;
            }

            _log.Append(new SessionRecord(SessionRecordType.Bind, inode.Id, 0, 0, copy.Id));
            inode.Copy = copy;
            ModelCache.AddReference(copy);
            return copy;
        }
    }

    /// <summary>Every inode of a copy, what is inside of a folder before the folder.</summary>
    public IReadOnlyList<ulong> InsideOut(ModelCopy copy)
    {
        lock (_gate)
        {
            return [.. _inodes.Values.Where(inode => inode.Copy == copy).OrderByDescending(InodePaths.Depth).Select(inode => inode.Id)];
        }
    }

    /// <summary>The copy was retired: its model's name leads nowhere until it is looked up again.</summary>
    public void Detach(ModelCopy copy)
    {
        lock (_gate)
        {
            if (_inodes.Values.FirstOrDefault(each => each is { Kind: InodeKind.Model, Parent: not null } && each.Copy == copy) is { } inode)
            {
                RemoveName(inode);
                inode.IsUnlinked = true;
                _log.Append(new SessionRecord(SessionRecordType.Unlink, inode.Id));
            }
        }
    }

    /// <summary>An inode has another place in its model.</summary>
    public void Move(Inode inode, Inode parent, string name)
    {
        lock (_gate)
        {
            _log.Append(new SessionRecord(SessionRecordType.Move, inode.Id, parent.Id, 0, 0, name));
            RemoveName(inode);
            inode.Parent = parent;
            inode.Name = name;
            _names[(parent.Id, name)] = inode;
        }
    }

    /// <summary>Two inodes swapped their places.</summary>
    public void Exchange(Inode? left, Inode leftParent, string leftName, Inode? right, Inode rightParent, string rightName)
    {
        if (left is not null)
        {
            Move(left, rightParent, rightName);
        }

        if (right is not null)
        {
            Move(right, leftParent, leftName);
        }
    }

    /// <summary>An inode has no name any more.</summary>
    public void Unlink(Inode inode)
    {
        lock (_gate)
        {
            _log.Append(new SessionRecord(SessionRecordType.Unlink, inode.Id));
            RemoveName(inode);
            inode.IsUnlinked = true;
        }
    }

    /// <summary>A new handle on an inode.</summary>
    public FileHandle Open(Inode inode, FsRequest request, HandleUse use)
    {
        lock (_gate)
        {
            var handle = new FileHandle(++_lastHandle, inode, use);
            _log.Append(new SessionRecord(SessionRecordType.Open, handle.Id, inode.Id, use.ToByte(), (long)request.Unique, handle.ChangePath));
            _handles.Add(handle.Id, handle);
            Count(handle, 1);
            inode.WasWritten |= use.IsWriter;
            return handle;
        }
    }

    /// <summary>Notes that the kernel was told to open a handle through its page cache: a successor must do the same while it lives.</summary>
    public void NoteCached(ulong handle)
    {
        lock (_gate)
        {
            _log.Append(new SessionRecord(SessionRecordType.Cached, handle));
        }
    }

    /// <summary>Notes that a file is changed other than through a handle.</summary>
    public void NoteWritten(Inode inode)
    {
        lock (_gate)
        {
            inode.WasWritten = true;
        }
    }

    /// <summary>Whether the kernel may keep the pages of a file that is opened for reading, see <see cref="Inode.WasWritten"/>.</summary>
    public bool CanCache(Inode inode, long bytesMax)
    {
        lock (_gate)
        {
            return inode is { WasWritten: false, IsInherited: false } && inode.InitialSize <= bytesMax;
        }
    }

    /// <summary>The handle that a dead daemon made for this very request, which the kernel repeats because it got no answer.</summary>
    public FileHandle? FindInherited(FsRequest request)
    {
        lock (_gate)
        {
            return request.IsResent && _opened.TryGetValue(request.Unique, out var id) ? _handles.GetValueOrDefault(id) : null;
        }
    }

    /// <summary>The handle of that id; null when there is none.</summary>
    public FileHandle? FindHandle(ulong id)
    {
        lock (_gate)
        {
            return _handles.GetValueOrDefault(id);
        }
    }

    /// <summary>Releases a handle.</summary>
    /// <returns>Null when it was released before: a request that is sent again finds nothing to do.</returns>
    public FileHandle? Close(ulong id)
    {
        FileHandle? handle;
        ModelCopy? released;
        lock (_gate)
        {
            if (!_handles.Remove(id, out handle))
            {
                return null;
            }

            _log.Append(new SessionRecord(SessionRecordType.Close, id));
            Count(handle, -1);

            // The kernel's forget may be handled before the release that it sent earlier.
            released = RemoveIfUnused(handle.Inode);
        }

        if (released is not null)
        {
            _cache.RemoveReference(released);
        }

        return handle;
    }

    /// <summary>Notes that an operation is about to take effect, so that it is known again when the kernel repeats it to a successor.</summary>
    /// <param name="unique">The request's number.</param>
    /// <param name="moved">st_ino of what it moves to another name, where it moves something.</param>
    public void NoteIntent(ulong unique, ulong moved = 0)
    {
        lock (_gate)
        {
            _log.Append(new SessionRecord(SessionRecordType.Intent, unique, Signed: (long)moved));
        }
    }

    /// <summary>Whether a dead daemon noted that it was about to carry out this very request.</summary>
    public bool HadIntent(ulong unique)
    {
        lock (_gate)
        {
            return _intents.ContainsKey(unique);
        }
    }

    /// <summary>The st_ino of what a dead daemon was about to move for this very request; null when it never came to it.</summary>
    public ulong? MovedBefore(FsRequest request)
    {
        lock (_gate)
        {
            return request.IsResent && _intents.TryGetValue(request.Unique, out var moved) ? moved : null;
        }
    }

    /// <summary>Notes that an operation took effect and this table knows it.</summary>
    public void NoteDone(ulong unique)
    {
        lock (_gate)
        {
            _log.Append(new SessionRecord(SessionRecordType.Done, unique));
        }
    }

    /// <summary>Whether a dead daemon finished this very request but for its answer.</summary>
    public bool WasDone(FsRequest request)
    {
        lock (_gate)
        {
            return request.IsResent && _done.Contains(request.Unique);
        }
    }

    /// <summary>Where an inode's file is on the cache's disk; null for what has none.</summary>
    public string? PathOf(Inode inode)
    {
        lock (_gate)
        {
            return InodePaths.OnDisk(inode);
        }
    }

    /// <summary>An inode's path relative to its model's folder, for messages.</summary>
    public string RelativePath(Inode inode)
    {
        lock (_gate)
        {
            return InodePaths.InModel(inode);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var handle in Handles)
        {
            handle.Dispose();
        }

        // A request that came in while the mount ended may still want to write to it: that is an error then, not a store into nothing.
        lock (_gate)
        {
            _log.Dispose();
        }
    }

    /// <summary>Removes an inode that the kernel neither knows nor has open.</summary>
    /// <returns>The copy that it held.</returns>
    private ModelCopy? RemoveIfUnused(Inode inode)
    {
        if (inode.Id == RootId || inode.IsInherited || inode.Lookups > 0 || inode.Handles > 0 || inode.Predecessors.Count > 0 || !_inodes.Remove(inode.Id))
        {
            return null;
        }

        _log.Append(new SessionRecord(SessionRecordType.Forget, inode.Id));
        RemoveName(inode);
        LeaveSuccessor(inode);
        return inode.Copy;
    }

    private static void Count(FileHandle handle, int change)
    {
        handle.Inode.Handles += change;
        handle.Inode.DirectHandles += handle.IsDirect ? change : 0;
    }

    /// <summary>A successor that was kept for the sake of an inode that is gone may go.</summary>
    private void LeaveSuccessor(Inode inode)
    {
        if (_succession.Leave(inode) is { } successor && RemoveIfUnused(successor) is { } copy)
        {
            _cache.RemoveReference(copy);
        }
    }

    private void RemoveName(Inode inode)
    {
        if (inode.Parent is { } parent && _names.TryGetValue((parent.Id, inode.Name), out var named) && named == inode)
        {
            _names.Remove((parent.Id, inode.Name));
        }
    }
}
