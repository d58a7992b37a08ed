using MongoDB.Bson;

namespace ModelFs.Stores.Mongo.Bookkeeping;

/// <summary>A version of a model's document that ModelFs wrote.</summary>
/// <param name="Id">Names its <see cref="KeptFiles"/>.</param>
/// <param name="DocumentDigest">Of the whole document, which tells it from what others wrote since.</param>
/// <param name="Parts">How many bookkeeping documents its kept files are spread over.</param>
/// <param name="Modified">When it was published.</param>
internal sealed record Generation(ObjectId Id, string DocumentDigest, int Parts, DateTime Modified);

/// <summary>An archive in GridFS.</summary>
/// <param name="Id">Of the GridFS file.</param>
/// <param name="Length">In bytes.</param>
/// <param name="ChunkBytes">Of every chunk but the last.</param>
/// <param name="Modified">When it was published.</param>
internal sealed record StoredArchive(ObjectId Id, long Length, int ChunkBytes, DateTime Modified);

/// <summary>An archive that was once current.</summary>
/// <param name="Archive">Where its bytes are.</param>
/// <param name="Revision">What it was called while it was current.</param>
/// <param name="Ended">When it was replaced or deleted.</param>
/// <param name="WasDeleted">Whether it was deleted.</param>
internal sealed record PastArchive(StoredArchive Archive, string Revision, DateTime Ended, bool WasDeleted);

/// <summary>What a listing may say of a document without reading it.</summary>
/// <param name="Token">What the server says of the document; another one means that it must be read again.</param>
/// <param name="Revision">Of its archive.</param>
/// <param name="Length">Of its archive, in bytes.</param>
/// <param name="Modified">Shown.</param>
internal sealed record SeenDocument(string Token, string Revision, long Length, DateTime Modified);

/// <summary>What the bookkeeping collection says about one key. A key that only others wrote has none, or one with nothing but <see cref="Seen"/>.</summary>
/// <remarks>
/// Which archive a key stands for is decided by one rule: the first document of that model that is not in <see cref="Superseded"/>, else
/// <see cref="Archive"/>. So a document goes live when it is written and an archive when its record is; what it replaced is removed
/// afterwards, and after a crash in between by the next writer.
/// </remarks>
internal sealed record ModelRecord(string Key)
{
    /// <summary>Grows with every change by a writer; 0 when there is no record.</summary>
    internal long Version { get; init; }

    /// <summary>Who is in the middle of a change; null for nobody.</summary>
    internal string? Writer { get; init; }

    /// <summary>Oldest first: the one before a change and, during it, the one after it.</summary>
    internal IReadOnlyList<Generation> Generations { get; init; } = [];

    /// <summary>The archive, if the model is or was just kept as one.</summary>
    internal StoredArchive? Archive { get; init; }

    /// <summary>Ids of documents that are replaced or deleted but perhaps not removed yet.</summary>
    internal IReadOnlyList<BsonValue> Superseded { get; init; } = [];

    /// <summary>What was replaced or deleted, newest first.</summary>
    internal IReadOnlyList<PastArchive> Past { get; init; } = [];

    /// <summary>Whether there is nothing that the record is needed for.</summary>
    internal bool IsEmpty => Generations.Count == 0 && Archive is null && Superseded.Count == 0 && Past.Count == 0;

    /// <summary>The last look at the document.</summary>
    internal SeenDocument? Seen { get; init; }

    /// <summary>Whether the record refers to a GridFS file.</summary>
    internal bool Keeps(ObjectId archive) => Archive?.Id == archive || Past.Any(each => each.Archive.Id == archive);

    /// <summary>Reads a record.</summary>
    internal static ModelRecord Parse(BsonDocument record) => new(record["_id"].AsString)
    {
        Version = record.TryGetValue("version", out var version) && version.IsInt64 ? version.AsInt64 : 0,
        Writer = record.TryGetValue("writer", out var writer) && writer.IsString ? writer.AsString : null,
        Generations = record.TryGetValue("generations", out var generations)
            ? [.. generations.AsBsonArray.Select(g => new Generation(g["id"].AsObjectId, g["document"].AsString, g["parts"].ToInt32(), g["modified"].ToUniversalTime()))]
            : [],
        Archive = record.TryGetValue("archive", out var archive) ? ToArchive(archive) : null,
        Past = record.TryGetValue("past", out var past)
            ? [.. past.AsBsonArray.Select(p => new PastArchive(ToArchive(p["archive"]), p["revision"].AsString, p["ended"].ToUniversalTime(), p["deleted"].ToBoolean()))]
            : [],
        Superseded = record.TryGetValue("superseded", out var superseded) ? [.. superseded.AsBsonArray] : [],
        Seen = record.TryGetValue("seen", out var seen)
            ? new SeenDocument(seen["token"].AsString, seen["revision"].AsString, seen["length"].ToInt64(), seen["modified"].ToUniversalTime())
            : null,
    };

    /// <summary>Writes the record.</summary>
    internal BsonDocument ToDocument()
    {
        var record = new BsonDocument { { "_id", Key }, { "version", Version } };
        if (Writer is not null)
        {
            record["writer"] = Writer;
        }

        if (Generations.Count > 0)
        {
            record["generations"] = new BsonArray(Generations.Select(g => new BsonDocument { { "id", g.Id }, { "document", g.DocumentDigest }, { "parts", g.Parts }, { "modified", g.Modified } }));
        }

        if (Archive is { } archive)
        {
            record["archive"] = ToDocument(archive);
        }

        if (Past.Count > 0)
        {
            record["past"] = new BsonArray(Past.Select(
                p => new BsonDocument { { "archive", ToDocument(p.Archive) }, { "revision", p.Revision }, { "ended", p.Ended }, { "deleted", p.WasDeleted } }));
        }

        if (Superseded.Count > 0)
        {
            record["superseded"] = new BsonArray(Superseded);
        }

        if (Seen is not null)
        {
            record["seen"] = ToDocument(Seen);
        }

        return record;
    }

    /// <summary>Writes a look at a document.</summary>
    internal static BsonDocument ToDocument(SeenDocument seen) =>
        new() { { "token", seen.Token }, { "revision", seen.Revision }, { "length", seen.Length }, { "modified", seen.Modified } };

    private static BsonDocument ToDocument(StoredArchive archive) =>
        new() { { "id", archive.Id }, { "length", archive.Length }, { "chunkBytes", archive.ChunkBytes }, { "modified", archive.Modified } };

    private static StoredArchive ToArchive(BsonValue archive) =>
        new(archive["id"].AsObjectId, archive["length"].ToInt64(), archive["chunkBytes"].ToInt32(), archive["modified"].ToUniversalTime());
}
