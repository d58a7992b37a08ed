using ModelFs.Stores.Mongo.Bookkeeping;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.GridFs;

/// <summary>Reads a range of an archive chunk by chunk, each checked to be the expected one and of its full length.</summary>
/// <param name="connection">Of the store.</param>
/// <param name="archive">What to read; its bytes never change.</param>
/// <param name="key">For messages.</param>
/// <param name="offset">In bytes from its start.</param>
/// <param name="length">In bytes.</param>
/// <param name="call">Ends reads.</param>
internal sealed class ArchiveReadStream(MongoConnection connection, StoredArchive archive, string key, long offset, long length, CancellationToken call) : ForwardOnlyStream
{
    private readonly long _end = offset + length;
    private IAsyncCursor<RawBsonDocument>? _cursor;
    private IEnumerator<RawBsonDocument>? _batch;
    private ReadOnlyMemory<byte> _rest;
    private long _at = offset;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at == _end || buffer.IsEmpty)
        {
            return 0;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(call, cancellationToken);
        if (_rest.IsEmpty)
        {
            _rest = await NextAsync(either.Token).ConfigureAwait(false);
        }

        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        _at += count;
        return count;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _batch?.Dispose();
            _cursor?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The wanted bytes of the chunk that the position lies in.</summary>
    private async Task<ReadOnlyMemory<byte>> NextAsync(CancellationToken cancellationToken)
    {
        var wanted = _at / archive.ChunkBytes;
        while (_batch is null || !_batch.MoveNext())
        {
            _batch?.Dispose();
            _batch = await NextBatchAsync(wanted, cancellationToken).ConfigureAwait(false);
        }

        var (number, data) = ArchiveChunk.Read(_batch.Current);
        var start = wanted * archive.ChunkBytes;
        if (number != wanted || data.Length != Math.Min(archive.ChunkBytes, archive.Length - start))
        {
            throw connection.Errors.Error(StoreErrorKind.Rejected, $"reading {key}", $"chunk {wanted} of GridFS file {archive.Id} is not whole");
        }

        return data.AsMemory((int)(_at - start)..(int)Math.Min(data.Length, _end - start));
    }

    private Task<IEnumerator<RawBsonDocument>> NextBatchAsync(long wanted, CancellationToken cancellationToken) => connection.CallAsync(
        async deadline =>
        {
            _cursor ??= await connection.Chunks.Find(Range(wanted)).Sort(new BsonDocument("n", 1)).ToCursorAsync(deadline.Token).ConfigureAwait(false);
            return await _cursor.MoveNextAsync(deadline.Token).ConfigureAwait(false)
                ? _cursor.Current.GetEnumerator()
                : throw connection.Errors.Error(StoreErrorKind.RevisionChanged, $"reading {key}", "it was replaced or deleted meanwhile");
        },
        $"reading {key}",
        cancellationToken);

    private BsonDocument Range(long first) => new()
    {
        { "files_id", archive.Id },
        { "n", new BsonDocument { { "$gte", (int)first }, { "$lte", (int)((_end - 1) / archive.ChunkBytes) } } },
    };
}
