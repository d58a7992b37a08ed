using Microsoft.Extensions.Logging;
using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.GridFs;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>
/// Removes what publishers left behind that died before a record referred to what they wrote, once it is a day old, and the past of models
/// that were deleted long ago.
/// </summary>
/// <param name="connection">Of the store.</param>
/// <param name="records">Of the store.</param>
/// <param name="archives">Of the store.</param>
/// <param name="reader">Of the store.</param>
/// <param name="logger">Where to say what was found.</param>
internal sealed class LeftoverSweep(MongoConnection connection, RecordTable records, ArchiveFiles archives, ModelReader reader, ILogger logger)
{
    private const int GenerationDigits = 24;
    private static readonly TimeSpan Age = TimeSpan.FromDays(1);

    /// <summary>Sweeps; a user without the rights for it leaves everything as it is.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ForgetDeletedAsync(cancellationToken).ConfigureAwait(false);
            var limit = connection.Now - Age;
            var oldFiles = await OldIdsAsync(connection.Files, id => id.IsObjectId && id.AsObjectId.CreationTime < limit, cancellationToken).ConfigureAwait(false);
            var oldParts = await OldIdsAsync(connection.Kept, id => GenerationOf(id) is { } generation && generation.CreationTime < limit, cancellationToken).ConfigureAwait(false);
            if (oldFiles.Count + oldParts.Count == 0)
            {
                return;
            }

            // Read last: what a record refers to by now is no leftover.
            var all = await records.ReadAllAsync(cancellationToken).ConfigureAwait(false);
            var inUse = all.Values.SelectMany(record => record.Generations.Select(generation => generation.Id)
                .Concat(record.Archive is { } archive ? [archive.Id] : [])
                .Concat(record.Past.Select(past => past.Archive.Id))).ToHashSet();
            var count = 0;
            foreach (var file in oldFiles.Where(id => !inUse.Contains(id.AsObjectId)))
            {
                await archives.RemoveAsync(file.AsObjectId, cancellationToken).ConfigureAwait(false);
                count++;
            }

            foreach (var part in oldParts.Where(id => !inUse.Contains(GenerationOf(id)!.Value)))
            {
                await connection.CallAsync(deadline => connection.Kept.DeleteOneAsync(new BsonDocument("_id", part), deadline.Token), "removing leftovers", cancellationToken).ConfigureAwait(false);
                count++;
            }

            if (count > 0)
            {
                Log.Swept(logger, connection.Settings.DisplayName, count);
            }
        }
        catch (StoreException exception)
        {
            Log.SweepFailed(logger, connection.Settings.DisplayName, exception.Message);
        }
    }

    private async Task ForgetDeletedAsync(CancellationToken cancellationToken)
    {
        var limit = connection.Now - PastKeeper.DeletedLifetime;
        var all = await records.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        foreach (var record in all.Values.Where(each => each.Writer is null && each.Past is [var last, ..] && last.Ended < limit))
        {
            if ((await reader.ReadAsync(record.Key, cancellationToken).ConfigureAwait(false)).Object is null
                && await records.TryChangeAsync(record, record with { Past = [] }, cancellationToken).ConfigureAwait(false) is { } changed)
            {
                foreach (var past in record.Past)
                {
                    await archives.RemoveAsync(past.Archive.Id, cancellationToken).ConfigureAwait(false);
                }

                if (changed.IsEmpty)
                {
                    await records.RemoveAsync(changed, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private static ObjectId? GenerationOf(BsonValue partId) =>
        partId.IsString && partId.AsString.Length > GenerationDigits && ObjectId.TryParse(partId.AsString[..GenerationDigits], out var generation) ? generation : null;

    private async Task<List<BsonValue>> OldIdsAsync(IMongoCollection<BsonDocument> collection, Func<BsonValue, bool> isOld, CancellationToken cancellationToken)
    {
        var ids = await connection.CallAsync(
            deadline => collection.Find(FilterDefinition<BsonDocument>.Empty).Project<BsonDocument>(new BsonDocument("_id", 1)).ToListAsync(deadline.Token),
            "looking for leftovers",
            cancellationToken).ConfigureAwait(false);
        return [.. ids.Select(document => document["_id"]).Where(isOld)];
    }
}
