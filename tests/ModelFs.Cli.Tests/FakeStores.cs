using ModelFs.Cli.Listing;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Tests;

/// <summary>One store with a given listing; addresses with a password in them are told by an <c>@</c>.</summary>
internal sealed class FakeStores(params StoredObject[] objects) : IStoreOpener
{
    private readonly TaskCompletionSource _proven = new();

    public StoreException? OpenError { get; set; }

    public bool? CreateBucket { get; private set; }

    public string? CaFile { get; private set; }

    /// <summary>Completes when a store was asked which conditions it keeps.</summary>
    public Task Proven => _proven.Task;

    public StoreAddress Parse(string text, string workingDirectory)
    {
        if (text.StartsWith("ftp:", StringComparison.Ordinal))
        {
            throw new StoreException(StoreErrorKind.Misconfigured, "ftp:// is no store; write s3://bucket/prefix");
        }

        var isUrl = text.Contains("://", StringComparison.Ordinal);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var full = isUrl ? text : Path.GetFullPath(text, workingDirectory);
        return new StoreAddress(full, at < 0 ? (isUrl ? text : "file://" + full) : "mongodb://***" + text[at..], at >= 0);
    }

    public IModelStore Create(StoreAddress address, bool createBucket, string? caFile, TimeSpan? noProgress = null, int? keepRevisions = null)
    {
        CreateBucket = createBucket;
        CaFile = caFile;
        return new Store(address.Display, objects, OpenError, _proven);
    }

    private sealed class Store(string displayName, StoredObject[] objects, StoreException? openError, TaskCompletionSource proven) : IModelStore
    {
        public string DisplayName => displayName;

        public StoreTraits Traits => throw new NotSupportedException();

        public Task OpenAsync(CancellationToken cancellationToken) => openError is null ? Task.CompletedTask : Task.FromException(openError);

        public Task ProveConditionsAsync(CancellationToken cancellationToken)
        {
            proven.TrySetResult();
            return Task.CompletedTask;
        }

        public IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken) => objects.ToAsyncEnumerable();

        public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
