using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Bookkeeping;

/// <summary>Reads and changes records, one at a time, each change under the condition that nobody changed the record since it was read.</summary>
/// <param name="connection">Of the store.</param>
internal sealed class RecordTable(MongoConnection connection)
{
    private const int DuplicateKey = 11000;

    /// <summary>Reads a record; an empty one of version 0 when there is none.</summary>
    internal async Task<ModelRecord> ReadAsync(string key, CancellationToken cancellationToken)
    {
        var found = await connection.CallAsync(
            deadline => connection.Records.Find(new BsonDocument("_id", key)).FirstOrDefaultAsync(deadline.Token), $"looking up {key}", cancellationToken).ConfigureAwait(false);
        return found is null ? new ModelRecord(key) : ModelRecord.Parse(found);
    }

    /// <summary>Reads all records.</summary>
    internal Task<Dictionary<string, ModelRecord>> ReadAllAsync(CancellationToken cancellationToken) => connection.CallAsync(
        async deadline =>
        {
            var records = new Dictionary<string, ModelRecord>(StringComparer.Ordinal);
            using var cursor = await connection.Records.Find(FilterDefinition<BsonDocument>.Empty).ToCursorAsync(deadline.Token).ConfigureAwait(false);
            while (await cursor.MoveNextAsync(deadline.Token).ConfigureAwait(false))
            {
                deadline.Touch();
                foreach (var record in cursor.Current.Select(ModelRecord.Parse))
                {
                    records[record.Key] = record;
                }
            }

            return records;
        },
        "listing",
        cancellationToken);

    /// <summary>Replaces a record.</summary>
    /// <param name="before">As it was read or written last.</param>
    /// <param name="after">The new one; its version is the next.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The record as it is now; null when somebody else changed it first.</returns>
    internal async Task<ModelRecord?> TryChangeAsync(ModelRecord before, ModelRecord after, CancellationToken cancellationToken)
    {
        var changed = after with { Version = before.Version + 1 };
        try
        {
            var found = await connection.CallAsync(
                deadline => connection.Records.FindOneAndReplaceAsync<BsonDocument>(
                    Is(before),
                    changed.ToDocument(),
                    new FindOneAndReplaceOptions<BsonDocument> { IsUpsert = before.Version == 0, ReturnDocument = ReturnDocument.After },
                    deadline.Token),
                $"recording {before.Key}",
                cancellationToken).ConfigureAwait(false);
            return found is null ? null : changed;
        }
        catch (StoreException failure) when (failure.InnerException is MongoCommandException { Code: DuplicateKey })
        {
            return null;
        }
    }

    /// <summary>Removes a record unless somebody changed it.</summary>
    internal Task RemoveAsync(ModelRecord record, CancellationToken cancellationToken) =>
        connection.CallAsync(deadline => connection.Records.DeleteOneAsync(Is(record), deadline.Token), $"recording {record.Key}", cancellationToken);

    /// <summary>Notes what a document looked like when its record was this one.</summary>
    internal Task NoteSeenAsync(ModelRecord record, SeenDocument seen, CancellationToken cancellationToken) => connection.CallAsync(
        deadline => connection.Records.UpdateOneAsync(
            Is(record), new BsonDocument("$set", new BsonDocument("seen", ModelRecord.ToDocument(seen))), new UpdateOptions { IsUpsert = record.Version == 0 }, deadline.Token),
        $"recording {record.Key}",
        cancellationToken);

    /// <summary>
    /// Null matches a record without the field, too. The writer is part of it because versions start anew when a record was removed.
    /// </summary>
    private static BsonDocument Is(ModelRecord record) => new()
    {
        { "_id", record.Key },
        { "version", record.Version == 0 ? BsonNull.Value : record.Version },
        { "writer", record.Writer is null ? BsonNull.Value : record.Writer },
    };
}
