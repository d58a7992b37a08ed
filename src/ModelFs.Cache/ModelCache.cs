using Microsoft.Extensions.Logging;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Which models are known, here, being fetched, dirty, being published; the front of this project.
/// </summary>
/// <remarks>
/// Lock order: the catalog's lock or the write-back queue's lock, then one model's gate; never two gates. <see cref="CachedModel.DiskTurn"/>
/// is taken with no lock held. No lock is held over I/O to the store.
/// </remarks>
public sealed partial class ModelCache : IAsyncDisposable
{
    private readonly CacheFolder _folder;
    private readonly CacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CopyFiles _files;
    private readonly CacheJournal _journal;
    private readonly ModelFetches _fetches;
    private readonly CopyChanges _changes;
    private readonly CopySealer _sealer;
    private readonly WritebackQueue _queue;
    private readonly CopyShelf _shelf;
    private readonly IModelStore _store;
    private readonly CancellationTokenSource _stopping = new();
    private Task _sealing = Task.CompletedTask;

    /// <summary>Opens the copies of a cache folder over a store; <see cref="Start"/> begins the background work.</summary>
    public ModelCache(CacheFolder folder, IModelStore store, CacheOptions options, TimeProvider time, ILogger<ModelCache> logger)
    {
        _folder = folder;
        _store = store;
        _options = options;
        _time = time;
        _logger = logger;
        _files = new CopyFiles(folder);
        _journal = new CacheJournal(folder, time);
        _shelf = new CopyShelf(_files, _journal, options, logger);
        _sealer = new CopySealer(folder, _shelf);
        _queue = new WritebackQueue(options, time, logger, new ModelPublisher(store, _files, _journal, options, time, logger).PublishAsync, SetAside);
        _fetches = new ModelFetches(new ModelFetcher(store, _files, folder, options, time, logger), _shelf, store.DisplayName, options, time, logger);
        _changes = new CopyChanges(_journal, _queue, time);
        Catalog = new ModelCatalog(store, options, time, logger);
        Catalog.Changed += OnListingChanged;
        _shelf.Retired += copy => CopyRetired?.Invoke(copy);
    }

    /// <summary>A model's folder no longer leads to this copy: the kernel is to forget the name. Raised outside of every lock.</summary>
    public event Action<ModelCopy>? CopyRetired;

    /// <summary>Which models there are.</summary>
    public ModelCatalog Catalog { get; }

    /// <summary>The store behind.</summary>
    public IModelStore Store => _store;

    /// <summary>The settings.</summary>
    public CacheOptions Options => _options;

    /// <summary>The cache's folder on disk.</summary>
    public CacheFolder Folder => _folder;

    /// <summary>Models with changes that the store does not have.</summary>
    public IReadOnlyList<CachedModel> Pending => _queue.Pending();

    /// <summary>Whether the cache folder holds any copy, loaded or not.</summary>
    public bool HasCopies => Directory.EnumerateDirectories(_folder.Trees).Any();

    /// <summary>Versions that lost against the store; kept until somebody removes them.</summary>
    public IReadOnlyList<ModelCopy> Conflicts => _shelf.Conflicts;

    /// <summary>Bytes that all copies take up.</summary>
    public long ContentBytes => _shelf.ContentBytes;

    /// <summary>A copy by its id, retired ones and conflicts included; null when it is gone.</summary>
    public ModelCopy? FindCopy(long id) => _shelf.Find(id);

    /// <summary>Loads what is here, and starts listing the store and publishing what is dirty.</summary>
    /// <param name="resumed">Whether the kernel still holds the inodes of an earlier daemon; replaced copies are kept for it then.</param>
    public void Start(bool resumed)
    {
        var (copies, conflicts) = new CacheRecovery(_folder, _files, _journal, _time, _logger).Load(Catalog, keepReplaced: resumed);
        foreach (var copy in copies)
        {
            _shelf.Add(copy);
            if (copy.IsDirty)
            {
                _queue.Touch(copy.Model);
            }
        }

        _shelf.AddConflicts(conflicts);
        _ = Catalog.RefreshIfOlder(TimeSpan.Zero);
        _sealing = SealFromTimeToTimeAsync();
        if (!_options.ReadOnly)
        {
            _queue.Start();
        }
    }

    /// <summary>The layout that a new model's archive gets: what readers of its kind of key expect.</summary>
    public static ArchiveLayout LayoutOf(ModelName name) => name.Project is null ? ArchiveLayout.Named : ArchiveLayout.Dot;

    /// <summary>The model's current copy, fetched first if it is not here; all who ask at once share one fetch.</summary>
    /// <exception cref="ModelException">It can't be had; within the pause after a failure the same error is given at once.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; the fetch goes on for others.</exception>
    public ValueTask<ModelCopy> AcquireAsync(CachedModel model, CancellationToken cancellationToken) => _fetches.AcquireAsync(model, cancellationToken);

    /// <summary>Announces a change of a copy: returns when the copy's dirty mark is on disk. Every call is followed by one <see cref="EndChange"/>.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="path">What is opened or changed, relative to the model folder; shown to whoever waits for it.</param>
    /// <param name="kind">What the change does.</param>
    /// <exception cref="ModelException">The mark can't be written, or the copy was replaced; nothing may be changed then.</exception>
    public ValueTask BeginChangeAsync(ModelCopy copy, string path, ChangeKind kind) => _changes.BeginAsync(copy, path, kind);

    /// <summary>A change announced by <see cref="BeginChangeAsync"/> is over; the copy begins to settle.</summary>
    public void EndChange(ModelCopy copy, string path) => _changes.End(copy, path);

    /// <summary>Notes which file of the cache's disk a writer was given, so that a publish can see whether it is quiet.</summary>
    public static void NoteWritten(ModelCopy copy, ulong inode)
    {
        lock (copy.Model.Gate)
        {
            copy.WrittenInodes.Add(inode);
        }
    }

    /// <summary>A file of the copy was opened; it is neither evicted nor replaced until <see cref="FileClosed"/>.</summary>
    public static void FileOpened(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.OpenFiles++;
        }
    }

    /// <summary>The counterpart of <see cref="FileOpened"/>.</summary>
    public void FileClosed(ModelCopy copy)
    {
        bool stamp;
        lock (copy.Model.Gate)
        {
            copy.OpenFiles--;
            copy.LastUsed = _time.GetUtcNow();
            stamp = copy.LastUsed - copy.LastUsedOnDisk > TimeSpan.FromMinutes(1);
            if (stamp)
            {
                copy.LastUsedOnDisk = copy.LastUsed;
            }
        }

        if (stamp)
        {
            _ = PosixFile.SetTimes(copy.Folder, PosixFile.TimeUnchanged, UnixTime.From(copy.LastUsed));
        }

        _shelf.DropIfUnused(copy);
        ReplaceIfOutdated(copy.Model);
    }

    /// <summary>The kernel holds one more inode of the copy.</summary>
    public static void AddReference(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.References++;
        }
    }

    /// <summary>The kernel forgot an inode of the copy.</summary>
    public void RemoveReference(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.References--;
        }

        _shelf.DropIfUnused(copy);
    }

    /// <summary>Makes a new, empty model; returns when its mark is on disk.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public async Task<ModelCopy> CreateModelAsync(ModelName name, uint mode)
    {
        var model = await TakeDiskTurnAsync(name).ConfigureAwait(false);
        try
        {
            lock (model.Gate)
            {
                if (model.Copy is not null || model.Stored is not null || model.Fetch is not null)
                {
                    throw new ModelException(ModelErrorKind.Busy, $"there is a model {name} already");
                }
            }

            var (id, staged) = _files.Stage();
            var manifest = new CopyManifest(
                CopyManifest.CurrentVersion, new ModelKey(name, ArchiveFormat.TarGz).ToString(), null, 0, default, null, LayoutOf(name), 0, 0, CacheFolder.BootId);
            DurableFile.Check(PosixFile.SetMode(staged + "/content", mode), "set the mode of", staged);
            CopyFiles.WriteManifest(staged, manifest, durable: true);
            _journal.Mark(id, manifest.Key, CacheJournal.StateDirty);
            var copy = new ModelCopy(model, id, _files.Commit(id, staged), manifest);
            lock (model.Gate)
            {
                copy.DirtySince = copy.LastChange = copy.LastUsed = _time.GetUtcNow();
                copy.OnlyRemovals = false;
                model.Copy = copy;
                model.MoveTo(ModelState.Dirty);
            }

            _shelf.Add(copy);
            _queue.Touch(model);
            return copy;
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    /// <summary>Removes a model whose folder is empty: here if it was never published, in the store too if that is allowed.</summary>
    /// <exception cref="ModelException">
    /// It is published and deleting is not allowed (<see cref="ModelErrorKind.NotPermitted"/>): the removals are discarded, and the store's
    /// version shows again. Or the store refused.
    /// </exception>
    public async Task RemoveModelAsync(CachedModel model, CancellationToken cancellationToken)
    {
        ModelCopy? copy;
        StoredObject? stored;
        lock (model.Gate)
        {
            if (model.IsPublishing || model.Copy is { OpenWriters: > 0 })
            {
                throw new ModelException(ModelErrorKind.Busy, $"{model.Name} is being written or published; try again when it is done");
            }

            (copy, stored) = (model.Copy, model.Stored);
        }

        if (stored is not null && _options.AllowDelete)
        {
            try
            {
                await _store.DeleteAsync(stored.Key, stored.Revision, cancellationToken).ConfigureAwait(false);
                LogDeleted(_logger, stored.Key, stored.Revision.Value);
            }
            catch (StoreException error)
            {
                throw ModelErrors.From(error, $"cannot delete {stored.Key} in {_store.DisplayName}");
            }

            lock (model.Gate)
            {
                model.NoteStored(null, _time.GetTimestamp());
            }
        }

        if (copy is not null)
        {
            Discard(model, copy);
        }

        Catalog.Prune();
        if (stored is not null && !_options.AllowDelete)
        {
            throw new ModelException(
                ModelErrorKind.NotPermitted,
                $"{model.Name} is published and this mount does not delete (--allow-delete); its removed files show again");
        }
    }

    /// <summary>Whether a model has changes here that the store does not have.</summary>
    public bool HasLocalChanges(ModelName name)
    {
        if (Catalog.Find(name) is not { } model)
        {
            return false;
        }

        lock (model.Gate)
        {
            return model.IsPublishing || model.Copy is { IsDirty: true };
        }
    }

    /// <summary>Another revision was made current by this mount itself: it is shown as one that a listing brings.</summary>
    public void NoteRestored(ModelName name, StoredObject stored)
    {
        var model = Catalog.GetOrAdd(name);
        lock (model.Gate)
        {
            model.NoteStored(stored, _time.GetTimestamp());
        }

        OnListingChanged([model]);
    }

    /// <summary>Publishes a model, or all of them but those that need a person's review, now; returns when the store has the changes.</summary>
    /// <exception cref="ModelException">A writer is open (<see cref="ModelErrorKind.Busy"/>), or the publish failed.</exception>
    public async Task SyncAsync(CachedModel? model, CancellationToken cancellationToken)
    {
        var models = model is null ? Drainable() : [model];
        var attempts = models.Select(each => SyncOneAsync(each, cancellationToken)).ToList();
        await Task.WhenAll(attempts).ConfigureAwait(false);
    }

    /// <summary>Publishes what is pending, retrying until the deadline; what needs a person's review is left.</summary>
    /// <param name="deadline">How long to go on trying.</param>
    /// <param name="cancellationToken">Ends it earlier; what is pending is returned all the same.</param>
    /// <returns>What is still pending.</returns>
    public async Task<IReadOnlyList<CachedModel>> DrainAsync(TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var end = _time.CreateTimer(_ => timer.Cancel(), null, deadline, Timeout.InfiniteTimeSpan);
        while (Drainable() is { Count: > 0 } pending)
        {
            try
            {
                await Task.WhenAll(pending.Select(model => _queue.PublishNowAsync(model, timer.Token))).ConfigureAwait(false);
                if (Drainable().Count > 0)
                {
                    await Task.Delay(_options.BackoffMin, _time, timer.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return Pending;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _fetches.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);

        // Nothing is written any more when the folder's lock is given up.
        await _sealing.ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>Brings clean copies to the disk, so that they outlive the loss of power.</summary>
    public void Seal() => _sealer.Seal();

    private async Task SealFromTimeToTimeAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(CopySealer.Interval, _time, _stopping.Token).ConfigureAwait(false);
                await Task.Run(_sealer.Seal).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon ends; it seals once more by itself.
        }
    }

    private IReadOnlyList<CachedModel> Drainable() => _options.ReadOnly ? [] : [.. Pending.Where(model => model.Copy is not { NeedsReview: true })];

    private async Task SyncOneAsync(CachedModel model, CancellationToken cancellationToken)
    {
        var outcome = await _queue.PublishNowAsync(model, cancellationToken).ConfigureAwait(false);
        if (outcome is { Error: { } error })
        {
            lock (model.Gate)
            {
                model.LastError = error;
            }

            throw error;
        }
    }

    /// <summary>The disk turn of the model of that name, as the catalog has it: with the turn taken the catalog does not forget it.</summary>
    private async Task<CachedModel> TakeDiskTurnAsync(ModelName name)
    {
        while (true)
        {
            var model = Catalog.GetOrAdd(name);
            await model.DiskTurn.WaitAsync(_stopping.Token).ConfigureAwait(false);
            if (Catalog.GetOrAdd(name) == model)
            {
                return model;
            }

            model.DiskTurn.Release();
        }
    }

    /// <summary>Gives up a copy with its changes. The folder goes before the mark: a mark without a folder is harmless, the reverse is not.</summary>
    private void Discard(CachedModel model, ModelCopy copy)
    {
        lock (model.Gate)
        {
            Retire(model, copy);
            copy.DirtySince = null;
        }

        _files.Drop(copy.Folder);
        _journal.Clear(copy.Id);
        _shelf.NoteRetired(copy);
    }

    /// <summary>Keeps a version that lost against the store under a name of its own; the model's folder leads to the store's version again.</summary>
    private void SetAside(CachedModel model, ModelCopy copy)
    {
        var manifest = copy.Manifest with { ConflictName = ConflictNames.For(model.Name, _time.GetUtcNow()) };
        CopyFiles.WriteManifest(copy.Folder, manifest, durable: true);
        _journal.Clear(copy.Id);
        lock (model.Gate)
        {
            copy.Manifest = manifest;
            copy.DirtySince = null;
            model.MoveTo(ModelState.Conflicted);
            Retire(model, copy);
        }

        _shelf.AddConflicts([copy]);
        _shelf.NoteRetired(copy);
        _ = Catalog.RefreshIfOlder(TimeSpan.Zero);
    }

    private void OnListingChanged(IReadOnlyList<CachedModel> changed)
    {
        foreach (var model in changed)
        {
            lock (model.Gate)
            {
                // A new archive is worth a new try at once.
                model.NextTryAt = default;
            }

            ReplaceIfOutdated(model);
        }

        Catalog.Prune();
    }

    /// <summary>Retires a clean, unused copy whose model has another revision in the store, or none.</summary>
    private void ReplaceIfOutdated(CachedModel model)
    {
        ModelCopy copy;
        TimeSpan left;
        lock (model.Gate)
        {
            if (!Catalog.HasListing || model.Copy is not { IsDirty: false } current || model.IsPublishing || current.OpenFiles > 0
                || model.Stored?.Revision.Value == current.Manifest.BaseRevision)
            {
                return;
            }

            copy = current;
            left = copy.LastUsed + _options.SwitchAfter - _time.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                Retire(model, copy);
            }
        }

        if (left > TimeSpan.Zero)
        {
            _ = ReplaceLaterAsync(model, left);
            return;
        }

        _shelf.NoteRetired(copy);
    }

    private async Task ReplaceLaterAsync(CachedModel model, TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _time, _stopping.Token).ConfigureAwait(false);
            ReplaceIfOutdated(model);
        }
        catch (OperationCanceledException)
        {
            // The next start compares revisions again.
        }
    }

    /// <summary>Under the model's gate: the model has no copy from now on.</summary>
    internal static void Retire(CachedModel model, ModelCopy copy)
    {
        copy.IsRetired = true;
        model.Copy = null;
        model.Incarnation++;
        model.MoveTo(ModelState.Absent);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "deleted {Key}, revision {Revision}")]
    private static partial void LogDeleted(ILogger logger, string key, string revision);
}
