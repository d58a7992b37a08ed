using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>Limits how many bytes of archives go through a store in a second; all transfers of one direction share the limit. Look-ups and listings are free.</summary>
public sealed class ThrottlingStore : IModelStore
{
    private readonly IModelStore _inner;
    private readonly ByteRate? _up;
    private readonly ByteRate? _down;

    /// <summary>Wraps a store.</summary>
    /// <param name="inner">Disposed of with the wrapper.</param>
    /// <param name="options">The limits.</param>
    /// <param name="time">The clock.</param>
    public ThrottlingStore(IModelStore inner, ThrottleOptions options, TimeProvider time)
    {
        _inner = inner;
        _up = options.UploadBytesPerSecond is { } up ? new ByteRate(Math.Max(1, up), time) : null;
        _down = options.DownloadBytesPerSecond is { } down ? new ByteRate(Math.Max(1, down), time) : null;
        History = inner.History is { } past ? new ThrottledHistory(this, past) : null;
    }

    /// <inheritdoc/>
    public string DisplayName => _inner.DisplayName;

    /// <inheritdoc/>
    public StoreTraits Traits => _inner.Traits;

    /// <inheritdoc/>
    public IObjectHistory? History { get; }

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken) => _inner.OpenAsync(cancellationToken);

    /// <inheritdoc/>
    public Task ProveConditionsAsync(CancellationToken cancellationToken) => _inner.ProveConditionsAsync(cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken) => _inner.ListAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) => _inner.StatAsync(key, cancellationToken);

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken) =>
        Limited(await _inner.ReadAsync(source, offset, length, cancellationToken).ConfigureAwait(false), _down);

    /// <inheritdoc/>
    public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
        _inner.PublishAsync(key, _up is null ? content : new ThrottledContent(content, _up), condition, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken) => _inner.DeleteAsync(key, ifRevision, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    private static Stream Limited(Stream stream, ByteRate? rate) => rate is null ? stream : new ThrottledStream(stream, rate);

    /// <summary>What is only looked at, and what the server copies by itself, does not count.</summary>
    private sealed class ThrottledContent(IPublishContent content, ByteRate rate) : IPublishContent
    {
        public long Length => content.Length;

        public StoredObject? Source => content.Source;

        public IReadOnlyList<ContentSegment> Segments => content.Segments;

        public Stream OpenRead(long offset, long length) => Limited(content.OpenRead(offset, length), rate);

        public Stream OpenToCheck(long offset, long length) => content.OpenToCheck(offset, length);
    }

    private sealed class ThrottledHistory(ThrottlingStore store, IObjectHistory past) : IObjectHistory
    {
        public Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken) => past.ListAsync(key, cancellationToken);

        public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken) =>
            Limited(await past.ReadAsync(source, offset, length, cancellationToken).ConfigureAwait(false), store._down);

        public Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken) => past.RestoreAsync(source, condition, cancellationToken);
    }

    private sealed class ThrottledStream(Stream stream, ByteRate rate) : ForwardOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await stream.ReadAsync(buffer[..Math.Min(buffer.Length, rate.BlockBytes)], cancellationToken).ConfigureAwait(false);
            await rate.CountAsync(read, cancellationToken).ConfigureAwait(false);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                stream.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
