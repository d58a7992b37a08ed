using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.Documents;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>
/// Lists all models without reading their documents: the length of the archive that a document stands for is only known when it was rendered
/// once, so it is noted together with what the server says of the document.
/// </summary>
/// <remarks>
/// Documents are listed before records: a model that changes from one shape to the other meanwhile is then seen in at least one of them.
/// Servers that can't hash a document (before 7.0 or so) let a listing miss a foreign change that keeps <c>_id</c> and length; look-ups never miss it.
/// </remarks>
/// <param name="connection">Of the store.</param>
/// <param name="records">Of the store.</param>
/// <param name="reader">Of the store.</param>
/// <param name="logger">Where to warn of duplicates.</param>
internal sealed class ModelLister(MongoConnection connection, RecordTable records, ModelReader reader, ILogger logger)
{
    /// <summary>What to ask the server about a document, best first; one that does not know an operator refuses the whole request.</summary>
    private static readonly BsonDocument[] s_questions =
    [
        new() { { ModelDocument.NameField, 1 }, { "bytes", new BsonDocument("$bsonSize", "$$ROOT") }, { "hash", new BsonDocument("$toHashedIndexKey", "$$ROOT") } },
        new() { { ModelDocument.NameField, 1 }, { "bytes", new BsonDocument("$bsonSize", "$$ROOT") } },
        new() { { ModelDocument.NameField, 1 } },
    ];

    private readonly HashSet<string> _reportedDuplicates = [];
    private Dictionary<string, (long Version, SeenDocument Seen)> _unwritten = [];
    private volatile int _question;
    private volatile bool _cannotNote;

    /// <summary>Lists all keys.</summary>
    internal async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var documents = await ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
        var all = await records.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var unwritten = new Dictionary<string, (long, SeenDocument)>(StringComparer.Ordinal);
        foreach (var (key, found) in documents)
        {
            var record = all.GetValueOrDefault(key) ?? new ModelRecord(key);
            var alive = found.Where(document => !record.Superseded.Contains(document.Id)).ToList();
            if (alive.Count == 0)
            {
                continue;
            }

            all.Remove(key);
            ReportDuplicates(key, alive);
            if (await LookAsync(record, alive[0].Token, unwritten, cancellationToken).ConfigureAwait(false) is { } shown)
            {
                yield return shown;
            }
        }

        foreach (var record in all.Values)
        {
            // A record of a document that is not listed: another program removed it, or ModelFs wrote it since.
            var shown = record.Archive is null && record.Generations.Count == 0 ? null
                : record.Archive is null ? (await reader.ReadAsync(record.Key, cancellationToken).ConfigureAwait(false)).Object
                : (await reader.MakeAsync(record, null, cancellationToken).ConfigureAwait(false)).Object;
            if (shown is not null)
            {
                yield return shown;
            }
        }

        _unwritten = unwritten;
    }

    private async Task<StoredObject?> LookAsync(ModelRecord record, string token, Dictionary<string, (long Version, SeenDocument Seen)> unwritten, CancellationToken cancellationToken)
    {
        var seen = record.Seen;
        if (seen?.Token != token && _unwritten.TryGetValue(record.Key, out var noted) && noted.Version == record.Version)
        {
            seen = noted.Seen;
        }

        if (seen?.Token != token)
        {
            var current = await reader.ReadAsync(record.Key, cancellationToken).ConfigureAwait(false);
            if (current.Object is not { } found || current.DocumentId is null || current.Record.Version != record.Version)
            {
                return current.Object;
            }

            seen = new SeenDocument(token, found.Revision.Value, found.Length, found.LastModified.UtcDateTime);
            if (record.Writer is null && await TryNoteAsync(record, seen, cancellationToken).ConfigureAwait(false))
            {
                return found;
            }
        }

        unwritten[record.Key] = (record.Version, seen);
        return new StoredObject(record.Key, new StoreRevision(seen.Revision), seen.Length, seen.Modified);
    }

    /// <summary>A user who may only read has the notes in memory.</summary>
    private async Task<bool> TryNoteAsync(ModelRecord record, SeenDocument seen, CancellationToken cancellationToken)
    {
        if (_cannotNote)
        {
            return false;
        }

        try
        {
            await records.NoteSeenAsync(record, seen, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (StoreException failure)
        {
            _cannotNote = failure.Kind == StoreErrorKind.AccessDenied;
            return false;
        }
    }

    private async Task<Dictionary<string, List<(BsonValue Id, string Token)>>> ReadDocumentsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var question = _question;
            try
            {
                return await ReadDocumentsAsync(s_questions[question], cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException failure) when (failure.InnerException is MongoCommandException && failure.Kind == StoreErrorKind.Rejected && question + 1 < s_questions.Length)
            {
                _question = question + 1;
            }
        }
    }

    private Task<Dictionary<string, List<(BsonValue Id, string Token)>>> ReadDocumentsAsync(BsonDocument question, CancellationToken cancellationToken) => connection.CallAsync(
        async deadline =>
        {
            var documents = new Dictionary<string, List<(BsonValue, string)>>(StringComparer.Ordinal);
            PipelineDefinition<RawBsonDocument, BsonDocument> pipeline = new[] { new BsonDocument("$project", question) };
            using var cursor = await connection.Models.AggregateAsync(pipeline, null, deadline.Token).ConfigureAwait(false);
            while (await cursor.MoveNextAsync(deadline.Token).ConfigureAwait(false))
            {
                deadline.Touch();
                foreach (var document in cursor.Current)
                {
                    if (document.TryGetValue(ModelDocument.NameField, out var name) && name.IsString && name.AsString.Length > 0)
                    {
                        var key = ModelReader.KeyOf(name.AsString);
                        var id = document[ModelDocument.IdField];
                        (documents.TryGetValue(key, out var same) ? same : documents[key] = []).Add((id, $"{id}|{document.GetValue("bytes", "")}|{document.GetValue("hash", "")}"));
                    }
                }
            }

            return documents;
        },
        "listing",
        cancellationToken);

    private void ReportDuplicates(string key, List<(BsonValue Id, string Token)> documents)
    {
        if (documents.Count < 2)
        {
            return;
        }

        lock (_reportedDuplicates)
        {
            if (!_reportedDuplicates.Add(key))
            {
                return;
            }
        }

        Log.Duplicates(logger, connection.Settings.DisplayName, documents.Count, ModelReader.NameOf(key)!, documents[0].Id.ToString()!);
    }
}
