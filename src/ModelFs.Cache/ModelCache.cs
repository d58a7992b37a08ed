using Microsoft.Extensions.Logging;
using ModelFs.Cache.Hydration;
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
    private readonly ClosePublisher _closes;
    private readonly CopyShelf _shelf;
    private readonly CacheDiskWatch _disk;
    private readonly ContentEviction _contents;
    private readonly Hydrator _hydrator;
    private readonly CopyTurnover _turnover;
    private readonly ModelWarming _warming;
    private readonly CopyReads _reads;
    private readonly CopyUses _uses;
    private readonly ModelCreation _creation;
    private readonly StoreWaits _waits;
    private readonly CopyEndings _endings;
    private readonly ConflictResolver _resolver;
    private readonly ModelMoves _moves;
    private readonly ModelRemovals _removals;
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
        Pins = new CachePins(folder);
        _contents = new ContentEviction(logger);
        _shelf = new CopyShelf(_files, _journal, Pins, _contents, options, logger);
        _disk = new CacheDiskWatch(_shelf, folder, options, logger);
        _sealer = new CopySealer(folder, _shelf);
        var slots = new SemaphoreSlim(options.FetchesMax);
        _fetches = new ModelFetches(new ModelFetcher(store, _files, _shelf, folder, slots, options, time, logger), _shelf, store.DisplayName, options, time, logger);
        _hydrator = new Hydrator(store, slots, new HydrationRoom(_shelf, folder, options), options, time, logger, (copy, gone) => _turnover!.GiveUpAsync(copy, gone));
        _reads = new CopyReads(_hydrator, options);
        Catalog = new ModelCatalog(store, options, time, logger);
        _turnover = new CopyTurnover(store, Catalog, _shelf, options, time, logger, () => _warming!.FetchPinned(), _stopping.Token);
        _warming = new ModelWarming(Catalog, Pins, _fetches, _reads, _stopping.Token);
        Catalog.Changed += OnListingChanged;
        _endings = new CopyEndings(_files, _journal, _shelf, Catalog, time);
        _queue = new WritebackQueue(options, time, logger, new ModelPublisher(store, _files, _journal, _shelf, options, time, logger).PublishAsync, _endings.SetAside, Catalog.IsMoving);
        _queue.StoreChanged += model => OnListingChanged([model]);
        _closes = new ClosePublisher(_queue, time, logger);
        _resolver = new ConflictResolver(store, Catalog, _shelf, _files, _journal, _endings, _queue, time, logger);
        _changes = new CopyChanges(_journal, _queue, _reads, _disk, time);
        var own = new OwnRevisions(store, Catalog, new SentArchives(store, _journal));
        _moves = new ModelMoves(store, Catalog, _journal, own, _changes, _queue, _fetches, _reads, options, time, logger);
        _uses = new CopyUses(_shelf, _turnover, time);
        _creation = new ModelCreation(Catalog, _files, _journal, _shelf, _queue, time);
        _waits = new StoreWaits(_queue, options, time);
        _removals = new ModelRemovals(store, Catalog, _journal, own, _changes, _endings, _queue, options, time, logger);
        _hydrator.FileCompleted += (copy, path) => FileCompleted?.Invoke(copy, path);
        _shelf.Retired += copy => CopyRetired?.Invoke(copy);
        _contents.FileDropped += (copy, path) => FileReplaced?.Invoke(copy, path);
    }

    /// <summary>A model's folder no longer leads to this copy: the kernel is to forget the name. Raised outside of every lock.</summary>
    public event Action<ModelCopy>? CopyRetired;

    /// <summary>
    /// The file of that path in a copy is another one on the cache's disk now: the kernel is to look its name up again. Raised outside of every lock.
    /// </summary>
    public event Action<ModelCopy, string>? FileReplaced;

    /// <summary>A file that was read while it came is here now, whole. Raised outside of every lock.</summary>
    public event Action<ModelCopy, string>? FileCompleted;

    /// <summary>Which models there are.</summary>
    public ModelCatalog Catalog { get; }

    /// <summary>Models that are to stay here.</summary>
    public CachePins Pins { get; }

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

    /// <summary>What the operator should know of the cache's disk; null when there is room on it.</summary>
    public string? DiskWarning => _disk.Warning();

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
        if (!_options.ReadOnly)
        {
            var intents = _journal.ReadIntents();
            _moves.TakeUp(intents.Where(intent => intent.Kind == ModelIntent.KindMove));
            _ = _removals.TakeUpAsync([.. intents.Where(intent => intent.Kind == ModelIntent.KindDelete)], _stopping.Token);
        }

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
    public async ValueTask<ModelCopy> AcquireAsync(CachedModel model, CancellationToken cancellationToken)
    {
        await WhenListedAsync(model, cancellationToken).ConfigureAwait(false);
        return await _fetches.AcquireAsync(model, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="AcquireAsync"/>, but the copy may be one whose files are still being made (<see cref="ModelCopy.Making"/>).</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async ValueTask<ModelCopy> AcquireForListingAsync(CachedModel model, CancellationToken cancellationToken)
    {
        await WhenListedAsync(model, cancellationToken).ConfigureAwait(false);
        return await _fetches.AcquireForListingAsync(model, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Announces a change of a copy: returns when the copy's dirty mark is on disk. Every call is followed by one <see cref="EndChange"/>.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="path">What is opened or changed, relative to the model folder; shown to whoever waits for it.</param>
    /// <param name="kind">What the change does.</param>
    /// <param name="cancellationToken">Ends the wait for what is not here of a copy that is changed for the first time.</param>
    /// <exception cref="ModelException">The mark can't be written, the copy was replaced, or what it lacks can't be had; nothing may be changed then.</exception>
    public ValueTask BeginChangeAsync(ModelCopy copy, string path, ChangeKind kind, CancellationToken cancellationToken = default) =>
        copy.Making is null ? _changes.BeginAsync(copy, path, kind, cancellationToken) : BeginWhenMadeAsync(copy, path, kind, cancellationToken);

    /// <summary>Prepares an open of a file for reading, which was counted by <see cref="FileOpened"/> before: waits for a small file that is not here.</summary>
    /// <returns>Whether the file comes while it is read, so that every read goes through <see cref="WaitForContentAsync"/>.</returns>
    /// <exception cref="ModelException">Its content can't be had.</exception>
    public ValueTask<bool> PrepareReadAsync(ModelCopy copy, string path, CancellationToken cancellationToken) => _reads.PrepareAsync(copy, path, cancellationToken);

    /// <summary>Waits until so many bytes of an open file are here.</summary>
    /// <exception cref="ModelException">They can't be had.</exception>
    public ValueTask WaitForContentAsync(ModelCopy copy, string path, long offset, long length, CancellationToken cancellationToken) =>
        _reads.WaitForAsync(copy, path, offset, length, cancellationToken);

    /// <summary>Compares what is here of a model with the digests that are known of it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="repair">Whether what is damaged is given up and fetched anew.</param>
    /// <param name="withStore">Whether the store is asked; without it a repair only drops what is damaged.</param>
    /// <param name="cancellationToken">Ends it between two blocks.</param>
    /// <exception cref="ModelException">The cache's disk failed, or the model does not rest.</exception>
    public Task<VerifyReport> VerifyAsync(CachedModel model, bool repair, bool withStore, CancellationToken cancellationToken) =>
        new CacheVerification(withStore ? _store : null, _contents, _hydrator, _turnover.TryGiveUpAsync, _logger).RunAsync(model, repair, cancellationToken);

    /// <summary>A change announced by <see cref="BeginChangeAsync"/> is over; the copy begins to settle.</summary>
    public void EndChange(ModelCopy copy, string path) => _changes.End(copy, path);

    /// <summary>What was announced by <see cref="BeginChangeAsync"/> is a file that stays open for writing, until <see cref="WriterReleased"/>.</summary>
    public static void WriterOpened(ModelCopy copy) => CopyChanges.Opened(copy);

    /// <summary>A program began to close a writer, or wrote again through it.</summary>
    public static void WriterClosing(ModelCopy copy, bool isClosing) => CopyChanges.Closing(copy, isClosing);

    /// <summary>The counterpart of <see cref="WriterOpened"/>, in place of <see cref="EndChange"/>.</summary>
    public void WriterReleased(ModelCopy copy, string path, bool isClosing)
    {
        _changes.Released(copy, path, isClosing);
        _disk.LookSoon();
    }

    /// <summary>A write to the cache's disk did not fit: room is made if it can be, and it is told.</summary>
    public void NoteDiskFull() => _disk.LookSoon();

    /// <summary>Returns when the store has what the copy holds, unless another file of it is open for writing or it was never published.</summary>
    /// <exception cref="ModelException">The store did not take it; it is tried again in the background.</exception>
    public Task PublishAtCloseAsync(ModelCopy copy, CancellationToken cancellationToken) => _closes.PublishAsync(copy, cancellationToken);

    /// <summary>Notes which file of the cache's disk a writer was given, so that a publish can see whether it is quiet.</summary>
    public static void NoteWritten(ModelCopy copy, ulong inode)
    {
        lock (copy.Model.Gate)
        {
            copy.WrittenInodes.Add(inode);
        }
    }

    /// <summary>A file of the copy was opened; it is neither evicted nor replaced until <see cref="FileClosed"/>.</summary>
    public static void FileOpened(ModelCopy copy, string path = "") => CopyUses.Opened(copy, path);

    /// <summary>A name in the copy changed, or may have since its open files were opened: they keep their content by whatever name.</summary>
    public static void NameMoved(ModelCopy copy) => CopyUses.Moved(copy);

    /// <summary>The counterpart of <see cref="FileOpened"/>.</summary>
    public void FileClosed(ModelCopy copy, string path = "") => _uses.Closed(copy, path);

    /// <summary>The kernel holds one more inode of the copy.</summary>
    public static void AddReference(ModelCopy copy) => CopyUses.AddReference(copy);

    /// <summary>The kernel forgot an inode of the copy.</summary>
    public void RemoveReference(ModelCopy copy) => _uses.RemoveReference(copy);

    /// <summary>Makes a new, empty model; returns when its mark is on disk.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public Task<ModelCopy> CreateModelAsync(ModelName name, uint mode) => _creation.CreateAsync(name, mode, _stopping.Token);

    /// <summary>Removes a model whose folder is empty: here if it was never published, in the store too if that is allowed.</summary>
    /// <exception cref="ModelException">
    /// It is published and deleting is not allowed (<see cref="ModelErrorKind.NotPermitted"/>): the removals are discarded, and the store's
    /// version shows again. Or the store refused.
    /// </exception>
    public Task RemoveModelAsync(CachedModel model, CancellationToken cancellationToken) => _removals.RemoveAsync(model, cancellationToken);

    /// <summary>Gives a model another name: here at once, in the store in the background.</summary>
    /// <exception cref="ModelException">It is in use, or it is published and renaming is not allowed; nothing changed.</exception>
    public Task RenameModelAsync(CachedModel model, ModelName newName) => _moves.RenameAsync(model, newName);

    /// <summary>Decides about a version that is kept under <c>/.modelfs/conflicts</c>; returns when the store has what was asked for.</summary>
    /// <exception cref="ModelException">It can't be done now; the version is still kept, or its publish goes on being tried.</exception>
    public Task ResolveAsync(ModelCopy conflict, KeptVersion keep, CancellationToken cancellationToken) => _resolver.ResolveAsync(conflict, keep, cancellationToken);

    /// <summary>Decides about a model that needs review, or about its only kept version.</summary>
    /// <exception cref="ModelException">It can't be done now, nothing is to be decided, or it is not clear which version is meant.</exception>
    public Task ResolveAsync(CachedModel model, KeptVersion keep, CancellationToken cancellationToken)
    {
        var kept = Conflicts.Where(copy => copy.Model.Name == model.Name).ToList();
        return model.Copy is { NeedsReview: true } || kept.Count == 0 ? _resolver.ReviewAsync(model, keep, cancellationToken)
            : kept.Count == 1 ? _resolver.ResolveAsync(kept[0], keep, cancellationToken)
            : throw new ModelException(
                ModelErrorKind.NotPermitted,
                $"{model.Name} has {kept.Count} kept versions; name the one that is meant: {string.Join(", ", kept.Select(copy => copy.Manifest.ConflictName))}");
    }

    /// <summary>The name that a kept version gets as a model of its own.</summary>
    public static ModelName NameBeside(ModelCopy conflict) => ConflictResolver.NameBeside(conflict);

    /// <summary>Drops the local copy of a model, which is fetched again when it is used.</summary>
    /// <exception cref="ModelException">It has to stay: it has changes, is open, or is pinned.</exception>
    public void Evict(CachedModel model)
    {
        if (model.Copy is { } copy && !_shelf.TryEvict(copy))
        {
            throw Pins.IsPinned(model.Name)
                ? new ModelException(ModelErrorKind.NotPermitted, $"{model.Name} is pinned; `modelfs pin --off` releases it")
                : new ModelException(ModelErrorKind.Busy, $"{model.Name} {(copy.IsDirty ? "has changes that the store does not have yet" : "has open files")}; its local copy stays");
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

    /// <summary>Keeps a model here, or lets it go again when room is needed.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public void Pin(CachedModel model, bool isPinned)
    {
        Pins.Set(model.Name, isPinned);
        _warming.FetchPinned();
    }

    /// <summary>Publishes a model, or all of them but those that need a person's review, now; returns when the store has the changes.</summary>
    /// <exception cref="ModelException">A writer is open (<see cref="ModelErrorKind.Busy"/>), or the publish failed.</exception>
    public Task SyncAsync(CachedModel? model, CancellationToken cancellationToken) =>
        _endings.HasUndropped || _journal.HasLeftOver ? TidyUpAndSyncAsync(model, cancellationToken) : _waits.SyncAsync(model, cancellationToken);

    /// <summary>Publishes what is pending, retrying until the deadline; what needs a person's review is left.</summary>
    /// <param name="deadline">How long to go on trying.</param>
    /// <param name="cancellationToken">Ends it earlier; what is pending is returned all the same.</param>
    /// <returns>What is still pending.</returns>
    public Task<IReadOnlyList<CachedModel>> DrainAsync(TimeSpan deadline, CancellationToken cancellationToken) => _waits.DrainAsync(deadline, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _moves.DisposeAsync().ConfigureAwait(false);
        await _fetches.DisposeAsync().ConfigureAwait(false);
        await _hydrator.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);

        // Nothing is written any more when the folder's lock is given up.
        await _sealing.ConfigureAwait(false);
        await _shelf.DropsAsync().ConfigureAwait(false);
        TidyUp();
        _stopping.Dispose();
    }

    /// <summary>Brings clean copies to the disk, so that they outlive the loss of power.</summary>
    public void Seal() => _sealer.Seal();

    private async Task TidyUpAndSyncAsync(CachedModel? model, CancellationToken cancellationToken)
    {
        await Task.Run(TidyUp, CancellationToken.None).ConfigureAwait(false);
        await _waits.SyncAsync(model, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes from the disk what it kept although it was over: it may be well again.</summary>
    private void TidyUp()
    {
        _endings.DropUndropped();
        _journal.RemoveLeftOver();
    }

    private async Task SealFromTimeToTimeAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(CopySealer.Interval, _time, _stopping.Token).ConfigureAwait(false);
                await Task.Run(_sealer.Seal).ConfigureAwait(false);
                TidyUp();
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon ends; it seals once more by itself.
        }
    }

    private async ValueTask BeginWhenMadeAsync(ModelCopy copy, string path, ChangeKind kind, CancellationToken cancellationToken)
    {
        await copy.WhenMadeAsync(cancellationToken).ConfigureAwait(false);
        await _changes.BeginAsync(copy, path, kind, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A daemon that took over is asked for what is inside of a model before it knows what the store has.</summary>
    private Task WhenListedAsync(CachedModel model, CancellationToken cancellationToken) =>
        model.Copy is not null || Catalog.FirstListing.IsCompleted ? Task.CompletedTask : Catalog.FirstListing.WaitAsync(cancellationToken);

    private void OnListingChanged(IReadOnlyList<CachedModel> changed)
    {
        foreach (var model in changed)
        {
            lock (model.Gate)
            {
                // A new archive is worth a new try at once.
                model.NextTryAt = default;
            }

            _turnover.ReplaceIfOutdated(model);
        }

        Catalog.Prune();
        _warming.FetchPinned();
    }

    /// <summary>Brings all of a model here.</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    public Task WarmAsync(CachedModel model, CancellationToken cancellationToken) => _warming.WarmAsync(model, cancellationToken);

    /// <summary>Under the model's gate: the model has no copy from now on.</summary>
    internal static void Retire(CachedModel model, ModelCopy copy)
    {
        // First what can be refused: a copy that is being published is nobody's to retire.
        model.MoveTo(ModelState.Absent);
        copy.IsRetired = true;
        model.Copy = null;
        model.Incarnation++;
    }
}
