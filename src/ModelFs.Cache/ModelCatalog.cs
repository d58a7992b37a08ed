using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Which models there are: the last listing of the store, and what is only here. Reads answer at once; a listing that is older than its
/// lifetime is read again in the background. Of a store that may be read but not listed, what was asked for by its name.
/// </summary>
public sealed partial class ModelCatalog
{
    private readonly IModelStore _store;
    private readonly CacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, CachedModel> _models = new(StringComparer.Ordinal);
    private readonly ModelLookUps _lookUps;
    private readonly TaskCompletionSource _firstListing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Replaced whole under the lock, and read without it: a model's gate is held by who asks.</summary>
    private volatile ModelIntent[] _moves = [];
    private IReadOnlyList<string> _clashes = [];
    private Task? _refresh;
    private bool _isListing;
    private DateTimeOffset _listedAt = DateTimeOffset.MinValue;
    private TimeSpan _listingTook;
    private StoreException? _lastError;
    private volatile StoreException? _denial;

    internal ModelCatalog(IModelStore store, CacheOptions options, TimeProvider time, ILogger logger)
    {
        _store = store;
        _options = options;
        _time = time;
        _logger = logger;
        _lookUps = new ModelLookUps(store, time);
    }

    /// <summary>Raised outside of every lock after a listing, with the models whose entry in it changed.</summary>
    internal event Action<IReadOnlyList<CachedModel>>? Changed;

    /// <summary>Whether the store was ever listed; before, what it has of a model is not known.</summary>
    internal bool HasListing { get; private set; }

    /// <summary>Completes with the first listing, or when it failed.</summary>
    public Task FirstListing => _firstListing.Task;

    /// <summary>Why the last listing failed; null when it succeeded.</summary>
    public StoreException? LastError
    {
        get
        {
            lock (_gate)
            {
                return _lastError;
            }
        }
    }

    /// <summary>Why models are looked up by their names, one by one: the store may not be listed. Null when it may, or was not asked yet.</summary>
    public StoreException? ListingDenied => _denial;

    /// <summary>Whether models are looked up by their names, one by one.</summary>
    public bool IsByName => _denial is not null;

    /// <summary>Names that stand for more than one thing in the store, one sentence each.</summary>
    public IReadOnlyList<string> Clashes
    {
        get
        {
            lock (_gate)
            {
                return _clashes;
            }
        }
    }

    /// <summary>Whether a new folder in the root is a project; fixed by the first listing.</summary>
    public bool NewFoldersAreProjects { get; private set; }

    /// <summary>All models that the mount shows, sorted by name.</summary>
    public IReadOnlyList<CachedModel> Snapshot()
    {
        lock (_gate)
        {
            return [.. _models.Values.Where(IsShown)];
        }
    }

    /// <summary>Looks a shown model up.</summary>
    public CachedModel? Find(ModelName name)
    {
        lock (_gate)
        {
            return _models.TryGetValue(name.ToString(), out var model) && IsShown(model) ? model : null;
        }
    }

    /// <summary>Whether any shown model belongs to the project.</summary>
    public bool HasProject(string project)
    {
        lock (_gate)
        {
            return _models.Values.Any(model => model.Name.Project == project && IsShown(model));
        }
    }

    /// <summary>From now on, and until a listing succeeds, models are looked up by their names.</summary>
    /// <param name="denial">What the store said.</param>
    public void BeginByName(StoreException denial)
    {
        if (_denial is null)
        {
            LogListingDenied(_logger, _store.DisplayName, denial.Message);
        }

        _denial = denial;
    }

    /// <summary>Where the store may not be listed, asks it for a model that is not shown; completes at once everywhere else.</summary>
    /// <exception cref="ModelException">The store failed.</exception>
    public async Task LookUpAsync(ModelName name, CancellationToken cancellationToken)
    {
        if (_denial is null || Find(name) is not null)
        {
            return;
        }

        try
        {
            await _lookUps.ShareAsync(name, () => LookUpNowAsync(name)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            LogLookUpFailed(_logger, name.ToString(), error.Message);
            throw ModelErrors.From(error, $"cannot look up {name}");
        }
    }

    /// <summary>Starts reading the listing again if it is older than <paramref name="age"/>; never waits.</summary>
    public Task RefreshIfOlder(TimeSpan age)
    {
        lock (_gate)
        {
            if (_refresh is { IsCompleted: false })
            {
                return _refresh;
            }

            // However impatient the callers: listing takes at most a tenth of the time.
            if (_time.GetUtcNow() - _listedAt < age || _time.GetUtcNow() - _listedAt < 10 * _listingTook)
            {
                return Task.CompletedTask;
            }

            _listedAt = _time.GetUtcNow();
            _isListing = true;
            return _refresh = Task.Run(RefreshAsync);
        }
    }

    /// <summary>The model of that name, made if it is not known yet; it is shown once the store or the cache holds it.</summary>
    public CachedModel GetOrAdd(ModelName name)
    {
        lock (_gate)
        {
            if (!_models.TryGetValue(name.ToString(), out var model))
            {
                _models[name.ToString()] = model = new CachedModel(name);
            }

            return model;
        }
    }

    /// <summary>The disk turn of the model of that name, as the catalog has it: with the turn taken the catalog does not forget it.</summary>
    internal async Task<CachedModel> TakeDiskTurnAsync(ModelName name, CancellationToken cancellationToken)
    {
        while (true)
        {
            var model = GetOrAdd(name);
            await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (GetOrAdd(name) == model)
            {
                return model;
            }

            model.DiskTurn.Release();
        }
    }

    /// <summary>A model stands under another name from now on; what the store still has under the old key is shown under the new name.</summary>
    internal void Rename(CachedModel model, ModelName newName, ModelIntent? move)
    {
        lock (_gate)
        {
            if (_models.GetValueOrDefault(model.Name.ToString()) == model)
            {
                _models.Remove(model.Name.ToString());
            }

            model.Name = newName;
            _models[newName.ToString()] = model;
            if (move is not null)
            {
                _moves = [.. _moves, move];
            }
        }
    }

    /// <summary>A rename is over.</summary>
    internal void EndMove(ModelIntent move)
    {
        lock (_gate)
        {
            _moves = [.. _moves.Where(each => each.Id != move.Id)];
        }
    }

    /// <summary>Whether the store's object of a key is still to be renamed, so that nothing new can be published there.</summary>
    internal bool IsMoving(string key) => Array.Exists(_moves, move => move.Key == key);

    /// <summary>Whether this very object is what is still to be renamed.</summary>
    internal bool IsMoving(StoredObject stored) => Array.Exists(_moves, move => move.Key == stored.Key && move.Revision == stored.Revision.Value);

    /// <summary>Shows what is being renamed under its new name.</summary>
    private void ApplyMoves(Dictionary<ModelName, StoredObject> listed)
    {
        foreach (var move in _moves)
        {
            if (ModelKey.TryParse(move.Key, out var oldKey) && ModelKey.TryParse(move.NewKey!, out var newKey)
                && listed.TryGetValue(oldKey.Model, out var entry) && entry.Key == move.Key && entry.Revision.Value == move.Revision)
            {
                listed.Remove(oldKey.Model);
                listed.TryAdd(newKey.Model, entry);
            }
        }
    }

    /// <summary>Forgets models that neither the store nor the cache holds; not one whose first copy is being made.</summary>
    internal void Prune()
    {
        lock (_gate)
        {
            if (_isListing)
            {
                // It may have begun before a model was deleted, and only the model knows that its word is no news. Its end prunes.
                return;
            }

            foreach (var gone in _models.Where(pair => pair.Value.DiskTurn.CurrentCount > 0 && !IsKept(pair.Value)).Select(pair => pair.Key).ToList())
            {
                _models.Remove(gone);
            }
        }
    }

    /// <summary>Whether it is known what the store has of a model, be it nothing. The caller holds the model's gate.</summary>
    internal bool Knows(CachedModel model) => HasListing || model.IsStoredKnown;

    /// <summary>What the store has, and what only this machine has. A clean copy of what was deleted there stays for those who have it open, and for nobody else.</summary>
    private bool IsShown(CachedModel model)
    {
        lock (model.Gate)
        {
            return model.Stored is not null || model.Copy is { } copy && (!Knows(model) || copy.IsNew || copy.IsDirty);
        }
    }

    private static bool IsKept(CachedModel model)
    {
        lock (model.Gate)
        {
            return model.Stored is not null || model.Copy is not null;
        }
    }

    private async Task RefreshAsync()
    {
        var startedAt = _time.GetTimestamp();
        try
        {
            var listed = new Dictionary<ModelName, StoredObject>();
            var clashes = new List<string>();
            await foreach (var entry in _store.ListAsync(CancellationToken.None).ConfigureAwait(false))
            {
                if (ModelKey.TryParse(entry.Key, out var key))
                {
                    Choose(listed, key, entry, clashes);
                }
            }

            ApplyMoves(listed);
            RemoveProjectsBehindModels(listed, clashes);
            Apply(listed, clashes, startedAt);
            _denial = null;
            NoteTook(startedAt);
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.ListingDenied)
        {
            await RefreshByNameAsync(error).ConfigureAwait(false);
            NoteTook(startedAt);
        }
        catch (StoreException error)
        {
            LogListingFailed(_logger, _store.DisplayName, error.Message);
            lock (_gate)
            {
                _lastError = error;
            }
        }
        finally
        {
            lock (_gate)
            {
                _isListing = false;
            }

            Prune();
            _firstListing.TrySetResult();
        }
    }

    private void NoteTook(long startedAt)
    {
        lock (_gate)
        {
            _listingTook = _time.GetElapsedTime(startedAt);
        }
    }

    /// <summary>In place of a listing: asks for the models that are known.</summary>
    private async Task RefreshByNameAsync(StoreException denial)
    {
        List<ModelName> known;
        lock (_gate)
        {
            known = [.. _models.Values.Where(IsKept).Select(model => model.Name)];
            if (!_firstListing.Task.IsCompleted)
            {
                NewFoldersAreProjects = _options.Layout == NameLayout.Project;
            }
        }

        BeginByName(denial);
        StoreException? failed = null;
        try
        {
            await Parallel.ForEachAsync(known, new ParallelOptions { MaxDegreeOfParallelism = _options.FetchesMax }, async (name, _) => await LookUpNowAsync(name).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            LogListingFailed(_logger, _store.DisplayName, error.Message);
            failed = error;
        }

        lock (_gate)
        {
            _lastError = failed;
        }
    }

    /// <returns>Whether the store has the model.</returns>
    private async Task<bool> LookUpNowAsync(ModelName name)
    {
        var startedAt = _time.GetTimestamp();
        var found = new Dictionary<ModelName, StoredObject>();
        foreach (var asked in RenamedTo(name).Prepend(name))
        {
            if (await _lookUps.AskAsync(asked, CancellationToken.None).ConfigureAwait(false) is { } stored)
            {
                found[asked] = stored;
            }
        }

        ApplyMoves(found);
        var isThere = found.TryGetValue(name, out var entry);
        CachedModel? known;
        lock (_gate)
        {
            if (!_models.TryGetValue(name.ToString(), out known) && isThere)
            {
                _models[name.ToString()] = known = new CachedModel(name);
            }
        }

        if (known is not null && known.TakeLookedUp(entry, startedAt))
        {
            Changed?.Invoke([known]);
        }

        return isThere;
    }

    /// <summary>What the store still has under an older name.</summary>
    private IEnumerable<ModelName> RenamedTo(ModelName name)
    {
        foreach (var move in _moves)
        {
            if (ModelKey.TryParse(move.NewKey!, out var newKey) && newKey.Model == name && ModelKey.TryParse(move.Key, out var oldKey))
            {
                yield return oldKey.Model;
            }
        }
    }

    /// <summary>Of several archives of one model the one that ModelFs itself would write wins.</summary>
    private static void Choose(Dictionary<ModelName, StoredObject> listed, ModelKey key, StoredObject entry, List<string> clashes)
    {
        if (!listed.TryGetValue(key.Model, out var other))
        {
            listed[key.Model] = entry;
            return;
        }

        var keep = ModelKey.TryParse(other.Key, out var otherKey) && otherKey.Format < key.Format ? other : entry;
        clashes.Add($"{other.Key} and {entry.Key} are both {key.Model}; {keep.Key} is shown");
        listed[key.Model] = keep;
    }

    private static void RemoveProjectsBehindModels(Dictionary<ModelName, StoredObject> listed, List<string> clashes)
    {
        foreach (var (name, entry) in listed.ToList())
        {
            if (name.Project is { } project && ModelName.TryCreate(null, project, out var model) && listed.ContainsKey(model))
            {
                clashes.Add($"{project} is both a model and a project; {entry.Key} is not shown");
                listed.Remove(name);
            }
        }
    }

    private void Apply(Dictionary<ModelName, StoredObject> listed, List<string> clashes, long startedAt)
    {
        var changed = new List<CachedModel>();
        lock (_gate)
        {
            foreach (var (name, entry) in listed)
            {
                if (!_models.TryGetValue(name.ToString(), out var model))
                {
                    _models[name.ToString()] = model = new CachedModel(name);
                }

                if (model.TakeListed(entry, startedAt))
                {
                    changed.Add(model);
                }
            }

            foreach (var model in _models.Values)
            {
                // What was deleted while no daemon ran is a change, too, though nothing was known of it before.
                if (!listed.ContainsKey(model.Name) && (model.TakeListed(null, startedAt) || !HasListing))
                {
                    changed.Add(model);
                }
            }

            if (!_firstListing.Task.IsCompleted)
            {
                NewFoldersAreProjects = _options.Layout switch
                {
                    NameLayout.Flat => false,
                    NameLayout.Project => true,
                    NameLayout.Auto => listed.Count > 0 && listed.Keys.All(name => name.Project is not null),
                };
            }

            _clashes = clashes;
            _lastError = null;
            HasListing = true;
        }

        foreach (var clash in clashes)
        {
            LogClash(_logger, clash);
        }

        if (changed.Count > 0)
        {
            Changed?.Invoke(changed);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot list {Store}: {Reason}; models that are here stay usable")]
    private static partial void LogListingFailed(ILogger logger, string store, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Store} may not be listed: {Reason}. Models are looked up by their names; listings show those that were asked for")]
    private static partial void LogListingDenied(ILogger logger, string store, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot look up {Model}: {Reason}")]
    private static partial void LogLookUpFailed(ILogger logger, string model, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Clash}")]
    private static partial void LogClash(ILogger logger, string clash);
}
