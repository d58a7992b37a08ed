using Microsoft.Extensions.Logging.Abstractions;
using ModelFs.Cache;
using ModelFs.Cache.Hydration;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Verifying;

/// <summary>A cache folder while nothing is mounted with it, without its store.</summary>
internal sealed class OfflineCache : IAsyncDisposable
{
    private readonly CacheFolder _folder;
    private readonly ModelCache _cache;

    private OfflineCache(CacheFolder folder)
    {
        _folder = folder;
        _cache = new ModelCache(folder, new NoStore(), new CacheOptions { Folder = folder.Root, ReadOnly = true }, TimeProvider.System, NullLogger<ModelCache>.Instance);
        _cache.Start(resumed: false);
    }

    /// <summary>Opens it.</summary>
    /// <exception cref="CommandException">A daemon uses it, or it can't be read.</exception>
    public static OfflineCache Open(string path)
    {
        try
        {
            var folder = CacheFolder.Open(path);
            try
            {
                return new OfflineCache(folder);
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch (ModelException error)
        {
            throw CommandException.Failure(error.Message);
        }
    }

    /// <summary>The models of these names, or all that are in the cache.</summary>
    /// <exception cref="CommandException">One of them is not.</exception>
    public IReadOnlyList<CachedModel> Find(IReadOnlyList<string> names) =>
        names.Count == 0
            ? [.. _cache.Catalog.Snapshot().Where(model => model.Copy is not null)]
            : [.. names.Select(name => ModelName.TryParsePath(name, out var parsed) && _cache.Catalog.Find(parsed) is { } model
                ? model
                : throw CommandException.Failure($"nothing of {name} is in {_folder.Root}"))];

    /// <summary>Checks one model.</summary>
    /// <exception cref="CommandException">The disk failed.</exception>
    public async Task<VerifyReport> VerifyAsync(CachedModel model, bool repair, CancellationToken cancellationToken)
    {
        try
        {
            return await _cache.VerifyAsync(model, repair, withStore: false, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelException error)
        {
            throw CommandException.Failure(error.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync().ConfigureAwait(false);
        _folder.Dispose();
    }

    /// <summary>Stands where the store would: everything is out of reach.</summary>
    private sealed class NoStore : IModelStore
    {
        public string DisplayName => "no store";

        public StoreTraits Traits { get; } = new(ConditionSupport.CheckedBefore, ConditionSupport.CheckedBefore, ConditionSupport.CheckedBefore, 0, 1);

        public Task OpenAsync(CancellationToken cancellationToken) => throw Refusal();

        public IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken) => throw Refusal();

        public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) => throw Refusal();

        public Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken) => throw Refusal();

        public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) => throw Refusal();

        public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken) => throw Refusal();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static StoreException Refusal() => new(StoreErrorKind.Unavailable, "no store is used here");
    }
}
