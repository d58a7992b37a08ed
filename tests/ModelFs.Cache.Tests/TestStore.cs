using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Tests;

/// <summary>A store in memory whose every call can be counted, held up or made to fail by the test.</summary>
internal sealed class TestStore(TimeProvider time) : IModelStore
{
    private readonly ConcurrentDictionary<string, (StoredObject Object, byte[] Bytes)> _objects = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _revisions;
    private int _downloads;

    /// <summary>Awaited after a listing has read everything, before it ends.</summary>
    public Func<Task> AfterList { get; set; } = () => Task.CompletedTask;

    /// <summary>Awaited before each listing; what it throws is the answer.</summary>
    public Func<Task> BeforeList { get; set; } = () => Task.CompletedTask;

    /// <summary>Awaited before each read of a key; what it throws is the answer.</summary>
    public Func<string, Task> BeforeRead { get; set; } = _ => Task.CompletedTask;

    /// <summary>Awaited before each publish of a key takes effect; what it throws is the answer.</summary>
    public Func<string, Task> BeforePublish { get; set; } = _ => Task.CompletedTask;

    /// <summary>Awaited before each delete of a key takes effect; what it throws is the answer.</summary>
    public Func<string, Task> BeforeDelete { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called after a delete took effect; what it throws is the answer.</summary>
    public Action<string> AfterDelete { get; set; } = _ => { };

    /// <summary>Called after a publish took effect; what it throws is the answer, so that the caller never learns.</summary>
    public Action<string> AfterPublish { get; set; } = _ => { };

    /// <summary>Publishes that took effect, with the time of the test's clock.</summary>
    public ConcurrentQueue<(string Key, DateTimeOffset At)> Published { get; } = new();

    /// <summary>Conditions of all publishes that were tried.</summary>
    public ConcurrentQueue<PublishCondition> Conditions { get; } = new();

    /// <summary>What the last publish said of where its bytes are.</summary>
    public IReadOnlyList<ContentSegment> LastSegments { get; private set; } = [];

    /// <summary>Every read that was asked for.</summary>
    public ConcurrentQueue<(string Key, long Offset, long Length)> Reads { get; } = new();

    /// <summary>Bytes of all of them.</summary>
    public long BytesRead => Reads.Sum(read => read.Length);

    /// <summary>Awaited before each read, with its range; what it throws is the answer.</summary>
    public Func<string, long, long, Task> BeforeRange { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>Downloads that began at the first byte.</summary>
    public int Downloads => _downloads;

    public IEnumerable<string> Keys => _objects.Keys.Order(StringComparer.Ordinal);

    public string DisplayName => "memory";

    public StoreTraits Traits { get; set; } = new(ConditionSupport.Atomic, ConditionSupport.Atomic, ConditionSupport.Atomic, long.MaxValue, ReadStreamsMax: 2);

    public static StoreException Down() => new(StoreErrorKind.Unavailable, "the store is down");

    /// <summary>Somebody else stores an archive.</summary>
    public StoredObject Put(string key, byte[] bytes)
    {
        lock (_lock)
        {
            var stored = new StoredObject(key, new StoreRevision($"r{++_revisions}"), bytes.Length, time.GetUtcNow());
            _objects[key] = (stored, bytes);
            return stored;
        }
    }

    /// <summary>Somebody else deletes an archive.</summary>
    public void Remove(string key) => _objects.TryRemove(key, out _);

    public byte[] Bytes(string key) => _objects[key].Bytes;

    public string? Revision(string key) => _objects.TryGetValue(key, out var entry) ? entry.Object.Revision.Value : null;

    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await BeforeList();
        foreach (var (_, entry) in _objects)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return entry.Object;
        }

        await AfterList();
    }

    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) =>
        Task.FromResult(_objects.TryGetValue(key, out var entry) ? entry.Object : null);

    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        if (offset == 0)
        {
            Interlocked.Increment(ref _downloads);
        }

        Reads.Enqueue((source.Key, offset, length));
        await BeforeRead(source.Key).WaitAsync(cancellationToken);
        await BeforeRange(source.Key, offset, length).WaitAsync(cancellationToken);
        return _objects.TryGetValue(source.Key, out var entry) && entry.Object.Revision == source.Revision
            ? new MemoryStream(entry.Bytes, (int)offset, (int)length, writable: false)
            : throw new StoreException(StoreErrorKind.RevisionChanged, $"{source.Key} was replaced");
    }

    public async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        Conditions.Enqueue(condition);
        LastSegments = content.Segments;
        await BeforePublish(key).WaitAsync(cancellationToken);
        var bytes = new byte[content.Length];
        await using (var stream = content.OpenRead(0, content.Length))
        {
            await stream.ReadExactlyAsync(bytes, cancellationToken);
        }

        StoredObject stored;
        lock (_lock)
        {
            var current = _objects.TryGetValue(key, out var entry) ? entry.Object : null;
            if ((condition.MustBeAbsent && current is not null) || (condition.Revision is { } wanted && current?.Revision != wanted))
            {
                throw new StoreException(StoreErrorKind.PreconditionFailed, $"{key} is not as expected");
            }

            stored = Put(key, bytes);
        }

        Published.Enqueue((key, time.GetUtcNow()));
        AfterPublish(key);
        return stored;
    }

    public async Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        await BeforeDelete(key).WaitAsync(cancellationToken);
        lock (_lock)
        {
            if (ifRevision is { } wanted && _objects.TryGetValue(key, out var entry) && entry.Object.Revision != wanted)
            {
                throw new StoreException(StoreErrorKind.PreconditionFailed, $"{key} is not as expected");
            }

            _objects.TryRemove(key, out _);
        }

        AfterDelete(key);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
