using System.Runtime.CompilerServices;
using ModelFs.Models;

namespace ModelFs.Stores.Tests;

/// <summary>A store whose n-th operation fails, by a rule that the test gives. Bodies can break after a number of bytes.</summary>
internal sealed class FaultyStore(IModelStore inner) : IModelStore
{
    private int _operations;

    /// <summary>Given the operation's number from 1: the failure to throw before it, or null.</summary>
    public Func<int, StoreException?> Before { get; set; } = _ => null;

    /// <summary>The failure to throw after a publish has happened, or null.</summary>
    public Func<int, StoreException?> AfterPublish { get; set; } = _ => null;

    /// <summary>Every body breaks after this many bytes.</summary>
    public long? BodyBytesMax { get; set; }

    public int Operations => _operations;

    public string DisplayName => inner.DisplayName;

    public StoreTraits Traits => inner.Traits;

    public IObjectHistory? History => inner.History is { } past ? new FaultyHistory(this, past) : null;

    public static StoreException Down() => new(StoreErrorKind.Unavailable, "the store is down");

    public Task OpenAsync(CancellationToken cancellationToken)
    {
        Count();
        return inner.OpenAsync(cancellationToken);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in inner.ListAsync(cancellationToken))
        {
            Count();
            yield return found;
        }
    }

    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        Count();
        return inner.StatAsync(key, cancellationToken);
    }

    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        Count();
        var body = await inner.ReadAsync(source, offset, length, cancellationToken);
        return BodyBytesMax is { } max && max < length ? new BreakingStream(body, max) : body;
    }

    public async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        var number = Count();
        var published = await inner.PublishAsync(key, content, condition, cancellationToken);
        return AfterPublish(number) is { } failure ? throw failure : published;
    }

    public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        Count();
        return inner.DeleteAsync(key, ifRevision, cancellationToken);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private int Count()
    {
        var number = Interlocked.Increment(ref _operations);
        return Before(number) is { } failure ? throw failure : number;
    }

    private sealed class FaultyHistory(FaultyStore store, IObjectHistory past) : IObjectHistory
    {
        public Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
        {
            store.Count();
            return past.ListAsync(key, cancellationToken);
        }

        public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
        {
            store.Count();
            var body = await past.ReadAsync(source, offset, length, cancellationToken);
            return store.BodyBytesMax is { } max && max < length ? new BreakingStream(body, max) : body;
        }

        public async Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
        {
            var number = store.Count();
            var restored = await past.RestoreAsync(source, condition, cancellationToken);
            return store.AfterPublish(number) is { } failure ? throw failure : restored;
        }
    }

    private sealed class BreakingStream(Stream body, long bytesMax) : ForwardOnlyStream
    {
        private long _left = bytesMax;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
            {
                throw Down();
            }

            var read = await body.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= read;
            return read;
        }
    }
}
