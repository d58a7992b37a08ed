using System.Buffers;
using ModelFs.Stores.Mongo.Bookkeeping;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.GridFs;

/// <summary>Archives as GridFS files. The entry of the file is written first and removed last, so that every chunk can be found by it.</summary>
/// <param name="connection">Of the store.</param>
internal sealed class ArchiveFiles(MongoConnection connection)
{
    private const int ChunkBytes = 1 << 20;

    private bool _isIndexed;

    /// <summary>Writes an archive under a new id; nothing refers to it yet.</summary>
    /// <exception cref="StoreException">What was written is removed as far as possible.</exception>
    internal async Task<StoredArchive> WriteAsync(string key, IPublishContent content, CancellationToken cancellationToken)
    {
        var doing = $"publishing {key}";
        await EnsureIndexAsync(doing, cancellationToken).ConfigureAwait(false);
        var archive = new StoredArchive(ObjectId.GenerateNewId(), content.Length, ChunkBytes, connection.Now);
        var entry = new BsonDocument { { "_id", archive.Id }, { "length", archive.Length }, { "chunkSize", ChunkBytes }, { "uploadDate", archive.Modified }, { "filename", key } };
        await connection.CallAsync(deadline => connection.Files.InsertOneAsync(entry, null, deadline.Token), doing, cancellationToken).ConfigureAwait(false);
        try
        {
            await WriteChunksAsync(archive, content, doing, cancellationToken).ConfigureAwait(false);
            return archive;
        }
        catch
        {
            await TryRemoveAsync(archive.Id).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Removes an archive; does nothing if it is gone.</summary>
    internal async Task RemoveAsync(ObjectId id, CancellationToken cancellationToken)
    {
        await connection.CallAsync(deadline => connection.Chunks.DeleteManyAsync(new BsonDocument("files_id", id), deadline.Token), "removing an archive", cancellationToken).ConfigureAwait(false);
        await connection.CallAsync(deadline => connection.Files.DeleteOneAsync(new BsonDocument("_id", id), deadline.Token), "removing an archive", cancellationToken).ConfigureAwait(false);
    }

    private async Task TryRemoveAsync(ObjectId id)
    {
        try
        {
            await RemoveAsync(id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // The sweep at a later opening finds it; the failure of the publish is what the caller must hear of.
        }
    }

    /// <summary>Without the index a read of a chunk would look through all of them.</summary>
    private async Task EnsureIndexAsync(string doing, CancellationToken cancellationToken)
    {
        if (_isIndexed)
        {
            return;
        }

        var index = new CreateIndexModel<RawBsonDocument>(new BsonDocument { { "files_id", 1 }, { "n", 1 } }, new CreateIndexOptions { Unique = true });
        await connection.CallAsync(deadline => connection.Chunks.Indexes.CreateOneAsync(index, null, deadline.Token), doing, cancellationToken).ConfigureAwait(false);
        _isIndexed = true;
    }

    private async Task WriteChunksAsync(StoredArchive archive, IPublishContent content, string doing, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            var source = content.OpenRead(0, content.Length);
            await using (source.ConfigureAwait(false))
            {
                long written = 0;
                int read;
                for (var number = 0; (read = await source.ReadAtLeastAsync(buffer.AsMemory(0, ChunkBytes), ChunkBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)) > 0; number++)
                {
                    var chunk = ArchiveChunk.Write(archive.Id, number, buffer.AsSpan(0, read));
                    await connection.CallAsync(deadline => connection.Chunks.InsertOneAsync(new RawBsonDocument(chunk), null, deadline.Token), doing, cancellationToken).ConfigureAwait(false);
                    written += read;
                }

                if (written != content.Length)
                {
                    throw connection.Errors.Error(StoreErrorKind.Rejected, doing, $"the archive delivered {written} bytes instead of {content.Length}; nothing was published");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
