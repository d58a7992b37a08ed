using System.IO.Hashing;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.Documents;
using ModelFs.Stores.Mongo.Rendering;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>Finds out what a key stands for: the rule of <see cref="ModelRecord"/>, whole.</summary>
/// <param name="connection">Of the store.</param>
/// <param name="records">Of the store.</param>
/// <param name="kept">Of the store.</param>
internal sealed class ModelReader(MongoConnection connection, RecordTable records, KeptFiles kept)
{
    /// <summary>Documents stand for keys with this ending; everything else can only be an archive.</summary>
    private const string Ending = ".tar.gz";

    /// <summary>The key of a model's document.</summary>
    internal static string KeyOf(string modelName) => modelName + Ending;

    /// <summary>The <c>model_name</c> that belongs to a key; null for a key that no document can have.</summary>
    internal static string? NameOf(string key) => key.Length > Ending.Length && key.EndsWith(Ending, StringComparison.Ordinal) ? key[..^Ending.Length] : null;

    /// <summary>Tells the bytes of documents apart.</summary>
    internal static string DigestOf(ReadOnlySpan<byte> bytes) => ContentDigest.From(XxHash128.HashToUInt128(bytes)).ToString();

    /// <summary>Looks a key up.</summary>
    internal async Task<CurrentModel> ReadAsync(string key, CancellationToken cancellationToken)
    {
        var record = await records.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var document = await FindDocumentAsync(key, record, cancellationToken).ConfigureAwait(false);
            if (IsOf(record, document) && await TryMakeAsync(record, document, isSettled: false, cancellationToken).ConfigureAwait(false) is { } current)
            {
                return current;
            }

            // Either somebody else than ModelFs wrote, or a ModelFs did between the look-ups; then its record has changed.
            var again = await records.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            if (again.Version == record.Version && again.Writer == record.Writer)
            {
                return await MakeAsync(record, document, cancellationToken).ConfigureAwait(false);
            }

            record = again;
        }
    }

    /// <summary>What a key stands for when its document is this one.</summary>
    internal async Task<CurrentModel> MakeAsync(ModelRecord record, byte[]? document, CancellationToken cancellationToken) =>
        (await TryMakeAsync(record, document, isSettled: true, cancellationToken).ConfigureAwait(false))!;

    /// <returns>Null when kept files are gone and <paramref name="isSettled"/> is false: a writer may just have replaced them.</returns>
    private async Task<CurrentModel?> TryMakeAsync(ModelRecord record, byte[]? document, bool isSettled, CancellationToken cancellationToken)
    {
        if (document is null)
        {
            var archive = record.Archive;
            var shown = archive is null ? null : new StoredObject(record.Key, new StoreRevision($"archive-{archive.Id}"), archive.Length, archive.Modified);
            return new CurrentModel(record, null, null, null, shown);
        }

        var id = new RawBsonDocument(document)[ModelDocument.IdField];
        var digest = DigestOf(document);
        var written = record.Generations.LastOrDefault(generation => generation.DocumentDigest == digest);
        var modified = new DateTimeOffset(written?.Modified ?? (id.IsObjectId ? id.AsObjectId.CreationTime : DateTime.UnixEpoch));
        try
        {
            var time = UnixTime.From(modified);
            var files = ModelDocument.Read(document, time);
            if ((written ?? (record.Generations.Count > 0 ? record.Generations[^1] : null)) is { } generation)
            {
                (files, var isWhole) = await kept.ApplyAsync(generation, files, cancellationToken).ConfigureAwait(false);
                if (!isWhole && !isSettled)
                {
                    return null;
                }
            }

            var rendered = ModelArchive.Render(files, time);
            return new CurrentModel(record, id, rendered, null, new StoredObject(record.Key, new StoreRevision($"document-{DigestOf(rendered)}"), rendered.Length, modified));
        }
        catch (DocumentException exception)
        {
            var broken = new StoredObject(record.Key, new StoreRevision($"unreadable-{digest}"), document.Length, modified);
            return new CurrentModel(record, id, null, $"the document {id} of the model {exception.Message}", broken);
        }
    }

    private static bool IsOf(ModelRecord record, byte[]? document) =>
        document is null ? record.Archive is not null || record.Version == 0 : record.Generations.Any(generation => generation.DocumentDigest == DigestOf(document));

    /// <summary>The first document of the model in the server's own order, which is the one that the original class fetches.</summary>
    private async Task<byte[]?> FindDocumentAsync(string key, ModelRecord record, CancellationToken cancellationToken)
    {
        if (NameOf(key) is not { } name)
        {
            return null;
        }

        var filter = new BsonDocument(ModelDocument.NameField, name);
        if (record.Superseded.Count > 0)
        {
            filter[ModelDocument.IdField] = new BsonDocument("$nin", new BsonArray(record.Superseded));
        }

        var found = await connection.CallAsync(
            deadline => connection.Models.Find(filter).Limit(1).FirstOrDefaultAsync(deadline.Token), $"looking up {key}", cancellationToken).ConfigureAwait(false);
        if (found is null)
        {
            return null;
        }

        using (found)
        {
            var bytes = new byte[found.Slice.Length];
            found.Slice.GetBytes(0, bytes, 0, bytes.Length);
            return bytes;
        }
    }
}
