using System.IO.Hashing;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Documents;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Bookkeeping;

/// <summary>
/// What a document can't say about its files: the exact bytes of <c>.json</c> files, modes and times. Written once per generation and never
/// changed; each entry holds for a file only while the document's file still reads as it did then.
/// </summary>
/// <param name="connection">Of the store.</param>
internal sealed class KeptFiles(MongoConnection connection)
{
    private const int PartBytesMax = 8 << 20;

    /// <summary>Writes the entries of a new generation.</summary>
    /// <param name="generation">Its id.</param>
    /// <param name="files">As they were published, folders among them.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number of parts.</returns>
    internal async Task<int> WriteAsync(ObjectId generation, IEnumerable<ModelFile> files, CancellationToken cancellationToken)
    {
        var parts = 0;
        var entries = new BsonArray();
        long bytes = 0;
        foreach (var file in files)
        {
            var entry = EntryOf(file);
            var size = 200 + (file.Path.Length * 3) + (entry.TryGetValue("bytes", out var kept) ? kept.AsByteArray.Length : 0);
            if (entries.Count > 0 && bytes + size > PartBytesMax)
            {
                await WritePartAsync(generation, parts++, entries, cancellationToken).ConfigureAwait(false);
                (entries, bytes) = ([], 0);
            }

            entries.Add(entry);
            bytes += size;
        }

        await WritePartAsync(generation, parts++, entries, cancellationToken).ConfigureAwait(false);
        return parts;
    }

    /// <summary>Gives each of the document's files what is kept of it, and adds the folders.</summary>
    /// <returns>The files, and whether nothing that was kept is gone.</returns>
    internal async Task<(List<ModelFile> Files, bool IsWhole)> ApplyAsync(Generation generation, List<ModelFile> files, CancellationToken cancellationToken)
    {
        var entries = new Dictionary<string, BsonDocument>(StringComparer.Ordinal);
        var isWhole = true;
        for (var part = 0; part < generation.Parts; part++)
        {
            var filter = new BsonDocument("_id", PartId(generation.Id, part));
            var found = await connection.CallAsync(
                deadline => connection.Kept.Find(filter).FirstOrDefaultAsync(deadline.Token), "reading kept files", cancellationToken).ConfigureAwait(false);
            isWhole &= found is not null;
            foreach (var entry in found?["files"].AsBsonArray ?? [])
            {
                entries[entry["path"].AsString] = entry.AsBsonDocument;
            }
        }

        var known = files.Select(file => entries.TryGetValue(file.Path, out var entry) ? Apply(entry, file) : file);
        return ([.. known, .. entries.Values.Where(IsFolder).Select(FolderOf)], isWhole);
    }

    /// <summary>Removes the entries of a generation; does nothing if they are gone.</summary>
    internal Task RemoveAsync(ObjectId generation, int parts, CancellationToken cancellationToken)
    {
        var ids = new BsonArray(Enumerable.Range(0, parts).Select(part => PartId(generation, part)));
        return connection.CallAsync(deadline => connection.Kept.DeleteManyAsync(new BsonDocument("_id", new BsonDocument("$in", ids)), deadline.Token), "removing kept files", cancellationToken);
    }

    private static string PartId(ObjectId generation, int part) => $"{generation}.{part}";

    private static string DigestOf(ReadOnlySpan<byte> bytes) => ContentDigest.From(XxHash128.HashToUInt128(bytes)).ToString();

    private static BsonDocument EntryOf(ModelFile file)
    {
        var entry = new BsonDocument { { "path", file.Path }, { "mode", file.Mode }, { "seconds", file.Modified.Seconds }, { "nanoseconds", (int)file.Modified.Nanoseconds } };
        if (file.IsFolder)
        {
            return entry;
        }

        var content = file.Content.Span;
        if (!ModelDocument.IsJson(file.Path))
        {
            entry["digest"] = DigestOf(content);
            return entry;
        }

        var rendered = ModelDocument.RenderJson(content);
        entry["digest"] = DigestOf(rendered);
        if (!content.SequenceEqual(rendered))
        {
            entry["bytes"] = new BsonBinaryData(content.ToArray());
        }

        return entry;
    }

    private static bool IsFolder(BsonDocument entry) => !entry.Contains("digest");

    private static ModelFile FolderOf(BsonDocument entry) => new(entry["path"].AsString, entry["mode"].AsInt32, TimeOf(entry), default);

    private static ModelFile Apply(BsonDocument entry, ModelFile file)
    {
        if (IsFolder(entry) || entry["digest"].AsString != DigestOf(file.Content.Span))
        {
            return file;
        }

        return new ModelFile(file.Path, entry["mode"].AsInt32, TimeOf(entry), entry.TryGetValue("bytes", out var kept) ? kept.AsByteArray : file.Content);
    }

    private static UnixTime TimeOf(BsonDocument entry) => new(entry["seconds"].AsInt64, (uint)entry["nanoseconds"].AsInt32);

    private Task WritePartAsync(ObjectId generation, int part, BsonArray entries, CancellationToken cancellationToken)
    {
        var document = new BsonDocument { { "_id", PartId(generation, part) }, { "files", entries } };
        return connection.CallAsync(deadline => connection.Kept.InsertOneAsync(document, null, deadline.Token), "keeping files", cancellationToken);
    }
}
