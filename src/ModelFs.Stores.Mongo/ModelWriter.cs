using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.Documents;
using ModelFs.Stores.Mongo.GridFs;
using ModelFs.Stores.Mongo.Rendering;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>Publishes and deletes. What is new is written whole before what it replaces is removed, in an order that <see cref="ModelRecord"/> explains.</summary>
/// <param name="connection">Of the store.</param>
/// <param name="records">Of the store.</param>
/// <param name="kept">Of the store.</param>
/// <param name="archives">Of the store.</param>
/// <param name="reader">Of the store.</param>
/// <param name="keeper">Of the store.</param>
/// <param name="logger">Where to say how a model is kept.</param>
internal sealed class ModelWriter(MongoConnection connection, RecordTable records, KeptFiles kept, ArchiveFiles archives, ModelReader reader, PastKeeper keeper, ILogger logger)
{
    /// <summary>Stores an archive, as a document if a document can hold all of it.</summary>
    internal async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, Retention? retention, CancellationToken cancellationToken)
    {
        var files = await TryReadAsync(key, content, cancellationToken).ConfigureAwait(false);
        var before = await reader.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        if (!before.Meets(condition))
        {
            return Same(before, files) ?? throw Unmet(key, condition);
        }

        if (files is not null)
        {
            return await InTurnAsync(key, turn => PublishDocumentAsync(turn, files, condition, retention), cancellationToken).ConfigureAwait(false);
        }

        var archive = await archives.WriteAsync(key, content, cancellationToken).ConfigureAwait(false);
        var isLive = false;
        try
        {
            return await InTurnAsync(
                key,
                async turn =>
                {
                    var published = await PublishArchiveAsync(turn, archive, condition, retention).ConfigureAwait(false);
                    isLive = true;
                    return published;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed && !isLive)
        {
            await CleanAsync(key, () => archives.RemoveAsync(archive.Id, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Deletes whatever stands under a key, duplicates included.</summary>
    internal async Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        if ((await reader.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Object is null)
        {
            return;
        }

        await InTurnAsync(
            key,
            async turn =>
            {
                var current = await reader.ReadAsync(key, CancellationToken.None).ConfigureAwait(false);
                var condition = ifRevision is { } wanted ? PublishCondition.Matches(wanted) : PublishCondition.None;
                if (current.Object is not null && !current.Meets(condition))
                {
                    throw Unmet(key, condition);
                }

                var past = await keeper.AfterAsync(current, wasDeleted: true, null).ConfigureAwait(false);
                await SupersedeDocumentsAsync(turn, null, past).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The files of an archive that a document can hold; null for any other.</summary>
    private async Task<List<ModelFile>?> TryReadAsync(string key, IPublishContent content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (ModelReader.NameOf(key) is not { } name)
        {
            return null;
        }

        try
        {
            var folder = ModelName.TryParseStem(name, out var model) ? model.Name : name;
            var source = content.OpenRead(0, content.Length);
            await using (source.ConfigureAwait(false))
            {
                var files = await ArchiveContent.ReadAsync(source, folder, cancellationToken).ConfigureAwait(false);
                ModelDocument.Write(ObjectId.Empty, name, Sorted(files));
                return files;
            }
        }
        catch (DocumentException exception)
        {
            Log.KeptAsArchive(logger, connection.Settings.DisplayName, key, exception.Message);
            return null;
        }
    }

    private static IEnumerable<ModelFile> Sorted(List<ModelFile> files) =>
        files.Where(file => !file.IsFolder).OrderBy(file => file.Path, StringComparer.Ordinal);

    private async Task<StoredObject> PublishDocumentAsync(WriteTurn turn, List<ModelFile> files, PublishCondition condition, Retention? retention)
    {
        var key = turn.Record.Key;
        var before = await reader.ReadAsync(key, CancellationToken.None).ConfigureAwait(false);
        if (!before.Meets(condition))
        {
            return Same(before, files) ?? throw Unmet(key, condition);
        }

        var id = before.DocumentId ?? ObjectId.GenerateNewId();
        var document = ModelDocument.Write(id, ModelReader.NameOf(key)!, Sorted(files));
        var old = turn.Record;
        var generation = new Generation(ObjectId.GenerateNewId(), ModelReader.DigestOf(document), 0, connection.Now);
        generation = generation with { Parts = await kept.WriteAsync(generation.Id, files, CancellationToken.None).ConfigureAwait(false) };
        var past = await keeper.AfterAsync(before, wasDeleted: false, retention).ConfigureAwait(false);
        await RemoveSupersededAsync(old).ConfigureAwait(false);
        await turn.ChangeAsync(old with { Generations = [.. old.Generations, generation], Superseded = [], Past = past, Seen = null }, CancellationToken.None).ConfigureAwait(false);
        await ReplaceAsync(key, id, document).ConfigureAwait(false);

        await CleanAsync(
            key,
            async () =>
            {
                await turn.ChangeAsync(turn.Record with { Generations = [generation], Archive = null }, CancellationToken.None).ConfigureAwait(false);
                await RemoveReplacedAsync(old, turn.Record).ConfigureAwait(false);
            }).ConfigureAwait(false);
        return (await reader.MakeAsync(turn.Record, document, CancellationToken.None).ConfigureAwait(false)).Object!;
    }

    private async Task<StoredObject> PublishArchiveAsync(WriteTurn turn, StoredArchive archive, PublishCondition condition, Retention? retention)
    {
        var before = await reader.ReadAsync(turn.Record.Key, CancellationToken.None).ConfigureAwait(false);
        if (!before.Meets(condition))
        {
            throw Unmet(turn.Record.Key, condition);
        }

        var past = await keeper.AfterAsync(before, wasDeleted: false, retention).ConfigureAwait(false);
        await SupersedeDocumentsAsync(turn, archive, past).ConfigureAwait(false);
        return (await reader.MakeAsync(turn.Record, null, CancellationToken.None).ConfigureAwait(false)).Object!;
    }

    /// <summary>Puts an archive, or nothing, in the place of all documents of a model.</summary>
    private async Task SupersedeDocumentsAsync(WriteTurn turn, StoredArchive? archive, IReadOnlyList<PastArchive> past)
    {
        var old = turn.Record;
        var documents = await FindIdsAsync(old.Key).ConfigureAwait(false);
        await turn.ChangeAsync(old with { Archive = archive, Superseded = documents, Generations = [], Past = past, Seen = null }, CancellationToken.None).ConfigureAwait(false);
        await CleanAsync(
            old.Key,
            async () =>
            {
                await RemoveSupersededAsync(turn.Record).ConfigureAwait(false);
                await turn.ChangeAsync(turn.Record with { Superseded = [] }, CancellationToken.None).ConfigureAwait(false);
                await RemoveReplacedAsync(old, turn.Record).ConfigureAwait(false);
            }).ConfigureAwait(false);
    }

    private async Task<List<BsonValue>> FindIdsAsync(string key)
    {
        if (ModelReader.NameOf(key) is not { } name)
        {
            return [];
        }

        var found = await connection.CallAsync(
            deadline => connection.Models.Find(new BsonDocument(ModelDocument.NameField, name)).Project<BsonDocument>(new BsonDocument(ModelDocument.IdField, 1)).ToListAsync(deadline.Token),
            $"looking up {key}",
            CancellationToken.None).ConfigureAwait(false);
        return [.. found.Select(document => document[ModelDocument.IdField])];
    }

    /// <summary>Replaces the whole document, or inserts it where there is none: an update of single fields would take their dots for paths.</summary>
    private Task ReplaceAsync(string key, BsonValue id, byte[] document) => connection.CallAsync(
        deadline => connection.Models.ReplaceOneAsync(new BsonDocument(ModelDocument.IdField, id), new RawBsonDocument(document), new ReplaceOptions { IsUpsert = true }, deadline.Token),
        $"publishing {key}",
        CancellationToken.None);

    private Task RemoveSupersededAsync(ModelRecord record)
    {
        var filter = new BsonDocument(ModelDocument.IdField, new BsonDocument("$in", new BsonArray(record.Superseded)));
        return record.Superseded.Count == 0
            ? Task.CompletedTask
            : connection.CallAsync(deadline => connection.Models.DeleteManyAsync(filter, deadline.Token), $"removing what {record.Key} was", CancellationToken.None);
    }

    private async Task RemoveReplacedAsync(ModelRecord old, ModelRecord now)
    {
        foreach (var generation in old.Generations)
        {
            await kept.RemoveAsync(generation.Id, generation.Parts, CancellationToken.None).ConfigureAwait(false);
        }

        if (old.Archive is { } archive && !now.Keeps(archive.Id))
        {
            await archives.RemoveAsync(archive.Id, CancellationToken.None).ConfigureAwait(false);
        }

        await keeper.RemoveForgottenAsync(old, now).ConfigureAwait(false);
    }

    /// <summary>What is there, if it is just what was to be published: the answer to an earlier attempt may have been lost.</summary>
    private static StoredObject? Same(CurrentModel current, List<ModelFile>? files) =>
        files is not null && current.Rendered is { } rendered && ModelArchive.Render(files, current.Modified).AsSpan().SequenceEqual(rendered) ? current.Object : null;

    private StoreException Unmet(string key, PublishCondition condition) => connection.Errors.Error(
        StoreErrorKind.PreconditionFailed,
        $"changing {key}",
        condition.MustBeAbsent ? "it exists already" : $"it is not at revision {condition.Revision} any more");

    /// <summary>Runs a change in its turn. Once begun it is not cancelled, so that no turn stays taken; each of its calls has a deadline.</summary>
    private async Task<T> InTurnAsync<T>(string key, Func<WriteTurn, Task<T>> change, CancellationToken cancellationToken)
    {
        var turn = await WriteTurn.TakeAsync(records, key, connection, cancellationToken).ConfigureAwait(false);
        try
        {
            return await change(turn).ConfigureAwait(false);
        }
        catch (DocumentException exception)
        {
            throw connection.Errors.Error(StoreErrorKind.Rejected, $"publishing {key}", $"the model {exception.Message}", exception);
        }
        finally
        {
            await CleanAsync(key, turn.EndAsync).ConfigureAwait(false);
        }
    }

    /// <summary>Does what comes after a change is live. A failure of it undoes nothing: the next writer, or the sweep, does it again.</summary>
    private async Task CleanAsync(string key, Func<Task> clean)
    {
        try
        {
            await clean().ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            Log.CleanUpFailed(logger, connection.Settings.DisplayName, key, exception.Message);
        }
    }
}
