using System.Runtime.CompilerServices;
using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>Counts what goes through a store.</summary>
/// <param name="inner">Disposed of with the wrapper.</param>
public sealed class MeasuringStore(IModelStore inner) : IModelStore
{
    private long _listings;
    private long _lookUps;
    private long _reads;
    private long _publishes;
    private long _deletes;
    private long _bytesRead;
    private long _bytesPublished;
    private long _errors;

    /// <summary>The counts so far; each is exact, together they are of nearly the same moment.</summary>
    public StoreMeasurements Measurements => new(
        Interlocked.Read(ref _listings),
        Interlocked.Read(ref _lookUps),
        Interlocked.Read(ref _reads),
        Interlocked.Read(ref _publishes),
        Interlocked.Read(ref _deletes),
        Interlocked.Read(ref _bytesRead),
        Interlocked.Read(ref _bytesPublished),
        Interlocked.Read(ref _errors));

    /// <inheritdoc/>
    public string DisplayName => inner.DisplayName;

    /// <inheritdoc/>
    public StoreTraits Traits => inner.Traits;

    /// <inheritdoc/>
    public IObjectHistory? History => inner.History is { } past ? new MeasuredHistory(this, past) : null;

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken) => CountAsync(() => CompleteAsync(inner.OpenAsync(cancellationToken)));

    /// <inheritdoc/>
    public Task ProveConditionsAsync(CancellationToken cancellationToken) => CountAsync(() => CompleteAsync(inner.ProveConditionsAsync(cancellationToken)));

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _listings);
        var objects = inner.ListAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (objects.ConfigureAwait(false))
        {
            while (await CountAsync(() => objects.MoveNextAsync().AsTask()).ConfigureAwait(false))
            {
                yield return objects.Current;
            }
        }
    }

    /// <inheritdoc/>
    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookUps);
        return CountAsync(() => inner.StatAsync(key, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return new MeasuredStream(this, await CountAsync(() => inner.ReadAsync(source, offset, length, cancellationToken)).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _publishes);
        return await CountAsync(() => inner.PublishAsync(key, new MeasuredContent(this, content), condition, cancellationToken)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _deletes);
        return CountAsync(() => CompleteAsync(inner.DeleteAsync(key, ifRevision, cancellationToken)));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static async Task<bool> CompleteAsync(Task call)
    {
        await call.ConfigureAwait(false);
        return true;
    }

    private async Task<T> CountAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (StoreException)
        {
            Interlocked.Increment(ref _errors);
            throw;
        }
    }

    /// <summary>Counts the list of a key's past as a look-up, and a restore as a publish.</summary>
    private sealed class MeasuredHistory(MeasuringStore store, IObjectHistory past) : IObjectHistory
    {
        public Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref store._lookUps);
            return store.CountAsync(() => past.ListAsync(key, cancellationToken));
        }

        public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref store._reads);
            return new MeasuredStream(store, await store.CountAsync(() => past.ReadAsync(source, offset, length, cancellationToken)).ConfigureAwait(false));
        }

        public Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref store._publishes);
            return store.CountAsync(() => past.RestoreAsync(source, condition, cancellationToken));
        }
    }

    private sealed class MeasuredStream(MeasuringStore store, Stream source) : ForwardOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                var read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                Interlocked.Add(ref store._bytesRead, read);
                return read;
            }
            catch (StoreException)
            {
                Interlocked.Increment(ref store._errors);
                throw;
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                source.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    /// <summary>Counts what is read to be sent; what is only looked at, and what the server copies by itself, does not count.</summary>
    private sealed class MeasuredContent(MeasuringStore store, IPublishContent content) : IPublishContent
    {
        public long Length => content.Length;

        public StoredObject? Source => content.Source;

        public IReadOnlyList<ContentSegment> Segments => content.Segments;

        public Stream OpenRead(long offset, long length) => new MeasuredContentStream(store, content.OpenRead(offset, length));

        public Stream OpenToCheck(long offset, long length) => content.OpenToCheck(offset, length);
    }

    private sealed class MeasuredContentStream(MeasuringStore store, Stream stream) : ForwardOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

        public override int Read(byte[] buffer, int offset, int count) => Count(stream.Read(buffer, offset, count));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                stream.Dispose();
            }

            base.Dispose(disposing);
        }

        private int Count(int read)
        {
            Interlocked.Add(ref store._bytesPublished, read);
            return read;
        }
    }
}
