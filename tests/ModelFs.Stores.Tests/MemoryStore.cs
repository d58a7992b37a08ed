using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ModelFs.Models;

namespace ModelFs.Stores.Tests;

/// <summary>The contract in its shortest form: the reference for the other stores, and what the decorators are tested over.</summary>
internal sealed class MemoryStore : IModelStore, IObjectHistory
{
    private readonly ConcurrentDictionary<string, (StoredObject Object, byte[] Bytes)> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(PastRevision Revision, byte[] Bytes)>> _past = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _revisions;

    public string DisplayName => "memory";

    public StoreTraits Traits { get; init; } =
        new(ConditionSupport.Atomic, ConditionSupport.Atomic, ConditionSupport.Atomic, long.MaxValue, ReadStreamsMax: 4) { Keeping = RevisionKeeping.Copies };

    public IObjectHistory? History => this;

    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (var (_, entry) in _objects)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return entry.Object;
        }
    }

    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_objects.TryGetValue(key, out var entry) ? entry.Object : null);
    }

    public Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        return _objects.TryGetValue(source.Key, out var entry) && entry.Object.Revision == source.Revision
            ? Task.FromResult<Stream>(new MemoryStream(entry.Bytes, (int)offset, (int)length, writable: false))
            : throw new StoreException(StoreErrorKind.RevisionChanged, $"{source.Key} was replaced");
    }

    public async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        Require(key, condition);
        var bytes = new byte[content.Length];
        await using (var stream = content.OpenRead(0, content.Length))
        {
            await stream.ReadExactlyAsync(bytes, cancellationToken);
        }

        lock (_lock)
        {
            Require(key, condition);
            Keep(key, wasDeleted: false);
            var stored = new StoredObject(key, new StoreRevision($"r{++_revisions}"), bytes.Length, DateTimeOffset.UtcNow);
            _objects[key] = (stored, bytes);
            return stored;
        }
    }

    public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (ifRevision is { } wanted && _objects.TryGetValue(key, out var entry) && entry.Object.Revision != wanted)
            {
                throw new StoreException(StoreErrorKind.PreconditionFailed, $"{key} is not as expected");
            }

            Keep(key, wasDeleted: true);
            _objects.TryRemove(key, out _);
        }

        return Task.CompletedTask;
    }

    public Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var past = _past.GetValueOrDefault(key) ?? [];
            return Task.FromResult(new ObjectPast(_objects.TryGetValue(key, out var entry) ? entry.Object : null, [.. past.Select(each => each.Revision)], null));
        }
    }

    public Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var bytes = (_past.GetValueOrDefault(source.Key) ?? []).Find(each => each.Revision.Id == source.Id).Bytes
                ?? throw new StoreException(StoreErrorKind.RevisionChanged, $"{source.Key} {source.Id} is gone");
            return Task.FromResult<Stream>(new MemoryStream(bytes, (int)offset, (int)length, writable: false));
        }
    }

    public async Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
    {
        await using (await ReadAsync(source, 0, 0, cancellationToken))
        {
            return await PublishAsync(source.Key, new RevisionContent(this, source, cancellationToken), condition, cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Keep(string key, bool wasDeleted)
    {
        if (_objects.TryGetValue(key, out var entry))
        {
            if (!_past.TryGetValue(key, out var past))
            {
                _past[key] = past = [];
            }

            past.Insert(0, (new PastRevision(key, entry.Object.Revision.Value, entry.Bytes.Length, entry.Object.LastModified, DateTimeOffset.UtcNow, wasDeleted), entry.Bytes));
        }
    }

    private void Require(string key, PublishCondition condition)
    {
        var current = _objects.TryGetValue(key, out var entry) ? entry.Object : null;
        if ((condition.MustBeAbsent && current is not null) || (condition.Revision is { } wanted && current?.Revision != wanted))
        {
            throw new StoreException(StoreErrorKind.PreconditionFailed, $"{key} is not as expected");
        }
    }
}
