using Microsoft.Extensions.Logging;
using ModelFs.Cache.Hydration;

namespace ModelFs.Cache;

/// <summary>All copies on the cache's disk: which is to go when room is needed, and which is to be removed when nobody holds it any more.</summary>
/// <remarks>Its own lock guards only the two sets and is never held together with a model's gate.</remarks>
internal sealed partial class CopyShelf(
    CopyFiles files, CacheJournal journal, CachePins pins, ContentEviction contents, CacheOptions options, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly HashSet<ModelCopy> _copies = [];
    private readonly List<ModelCopy> _conflicts = [];
    private readonly RunningTasks _drops = new();

    /// <summary>A copy is no longer its model's current one. Raised outside of every lock.</summary>
    public event Action<ModelCopy>? Retired;

    /// <summary>Versions that lost against the store.</summary>
    public IReadOnlyList<ModelCopy> Conflicts
    {
        get
        {
            lock (_gate)
            {
                return [.. _conflicts];
            }
        }
    }

    /// <summary>Bytes that all copies take up, retired ones and conflicts too.</summary>
    public long ContentBytes
    {
        get
        {
            lock (_gate)
            {
                return _copies.Sum(copy => copy.BytesHere) + _conflicts.Sum(copy => copy.ContentBytes);
            }
        }
    }

    /// <summary>All copies but conflicts.</summary>
    public IReadOnlyList<ModelCopy> Copies
    {
        get
        {
            lock (_gate)
            {
                return [.. _copies];
            }
        }
    }

    public ModelCopy? Find(long id)
    {
        lock (_gate)
        {
            return _copies.FirstOrDefault(copy => copy.Id == id) ?? _conflicts.FirstOrDefault(copy => copy.Id == id);
        }
    }

    public void Add(ModelCopy copy)
    {
        lock (_gate)
        {
            _copies.Add(copy);
        }
    }

    /// <summary>A kept version was decided about.</summary>
    public void RemoveConflict(ModelCopy copy)
    {
        lock (_gate)
        {
            _conflicts.Remove(copy);
        }
    }

    public void AddConflicts(IReadOnlyList<ModelCopy> copies)
    {
        lock (_gate)
        {
            foreach (var copy in copies)
            {
                _copies.Remove(copy);
                _conflicts.Add(copy);
            }
        }
    }

    /// <summary>
    /// Until so many more bytes fit under the limit, and the disk has left free what is to stay free, takes from the copies that were used longest ago: files that are not open
    /// from indexed ones, which keep their trees; others are retired when they are clean and unused. Returns when their files are gone.
    /// </summary>
    /// <param name="bytes">How many.</param>
    /// <param name="keep">A copy that is not to lose anything by it.</param>
    public void MakeRoom(long bytes, ModelCopy? keep = null)
    {
        // Nothing that could go makes room for more than the limit itself.
        if (bytes > options.BytesMax)
        {
            return;
        }

        var limit = options.BytesMax ?? long.MaxValue;
        var wanted = files.BytesFree() is var free && free == long.MaxValue ? 0 : options.FreeBytesMin + bytes - free;

        ModelCopy[] oldestFirst;
        lock (_gate)
        {
            oldestFirst = [.. _copies.Where(copy => !copy.IsRetired).OrderBy(copy => copy.LastUsed)];
        }

        var total = oldestFirst.Sum(copy => copy.BytesHere) + Conflicts.Sum(copy => copy.ContentBytes);
        foreach (var copy in oldestFirst)
        {
            if (total <= limit - bytes && wanted <= 0)
            {
                break;
            }

            if (bytes == 0 && copy == oldestFirst[^1])
            {
                // The newest was fetched for somebody who is about to use it.
                break;
            }

            if (copy == keep)
            {
                continue;
            }

            if (copy.IsIndexed)
            {
                var dropped = pins.IsPinned(copy.Model.Name) ? 0 : contents.Drop(copy, Math.Max(total - (limit - bytes), wanted));
                total -= dropped;
                wanted -= dropped;
            }
            else if (TryEvict(copy))
            {
                total -= copy.ContentBytes;
                wanted -= copy.ContentBytes;
                LogEvicted(logger, copy.Model.Name.ToString(), copy.ContentBytes);
            }
        }

        DropsAsync().Wait();
    }

    /// <summary>Completes when the files of every copy that was dropped until now are gone.</summary>
    public Task DropsAsync() => _drops.WhenAllAsync();

    /// <summary>
    /// Bounds what copies take beside their content as long as not all of it is here: names on the disk and an index in memory. The ones used longest ago are dropped, those without any
    /// content first; they are listed again at the next look.
    /// </summary>
    /// <param name="keep">A copy that somebody is about to use.</param>
    public void BoundListings(ModelCopy keep)
    {
        List<(ModelCopy Copy, CopyHydration Hydration)> hollow;
        lock (_gate)
        {
            hollow = [.. _copies.Where(copy => !copy.IsRetired && copy.Hydration is { IsWhole: false }).Select(copy => (copy, copy.Hydration!))];
        }

        var entries = hollow.Sum(each => (long)each.Hydration.Index.Entries.Count);
        if (entries <= options.ListedEntriesMax)
        {
            return;
        }

        foreach (var (copy, hydration) in hollow.OrderBy(each => each.Hydration.BytesHere > 0).ThenBy(each => each.Copy.LastUsed))
        {
            if (entries <= options.ListedEntriesMax)
            {
                break;
            }

            if (copy != keep && !hydration.HasSlot && TryEvict(copy))
            {
                entries -= hydration.Index.Entries.Count;
                LogUnlisted(logger, copy.Model.Name.ToString(), hydration.Index.Entries.Count, options.ListedEntriesMax);
            }
        }
    }

    /// <summary>Tells that a copy was retired, and removes it if nobody holds it.</summary>
    public void NoteRetired(ModelCopy copy)
    {
        copy.Hydration?.End(new ModelException(
            ModelErrorKind.Conflict, $"{copy.Model.Name} is another version now or was dropped from the cache, and not all of this one is here; open it again"));
        Retired?.Invoke(copy);
        DropIfUnused(copy);
    }

    /// <summary>
    /// Removes a retired copy at once, whoever holds names of it: nothing of it can be used, and its files may be what the disk lacks room for. For one that is not among the
    /// copies yet.
    /// </summary>
    public void DropUnusable(ModelCopy copy)
    {
        files.Drop(copy.Folder);
        Retired?.Invoke(copy);
    }

    /// <summary>Removes a retired copy from the disk once no open file and no inode of the kernel holds it.</summary>
    public void DropIfUnused(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            if (!copy.IsRetired || copy.IsDirty || journal.IsMarked(copy.Id) || copy.References > 0 || copy.OpenFiles > 0 || copy.Manifest.ConflictName is not null)
            {
                return;
            }
        }

        lock (_gate)
        {
            if (!_copies.Remove(copy))
            {
                return;
            }
        }

        _drops.Add(Task.Run(() => files.Drop(copy.Folder)));
    }

    /// <summary>Drops a copy that is clean and not in use.</summary>
    /// <returns>False when it has to stay.</returns>
    public bool TryEvict(ModelCopy copy)
    {
        var model = copy.Model;
        if (pins.IsPinned(model.Name))
        {
            return false;
        }

        lock (model.Gate)
        {
            if (model.Copy != copy || copy.IsDirty || journal.IsMarked(copy.Id) || model.Move is not null || model.IsPublishing || copy.OpenFiles > 0 || copy.OpenWriters > 0)
            {
                return false;
            }

            ModelCache.Retire(model, copy);
        }

        NoteRetired(copy);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "evicted the listing of {Model} with {Entries} entries: models of which not all is here have more than {EntriesMax}")]
    private static partial void LogUnlisted(ILogger logger, string model, int entries, int entriesMax);

    [LoggerMessage(Level = LogLevel.Information, Message = "evicted {Model}: {Bytes} bytes")]
    private static partial void LogEvicted(ILogger logger, string model, long bytes);
}
