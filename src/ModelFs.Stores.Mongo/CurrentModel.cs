using ModelFs.Models;
using ModelFs.Stores.Mongo.Bookkeeping;
using MongoDB.Bson;

namespace ModelFs.Stores.Mongo;

/// <summary>What a key stands for at one moment.</summary>
/// <param name="Record">What the bookkeeping says of it.</param>
/// <param name="DocumentId">Of the model's document; null when it is kept as an archive, or not at all.</param>
/// <param name="Rendered">The document's archive; null when there is no document, or it can't be rendered.</param>
/// <param name="Problem">Why the document can't be rendered.</param>
/// <param name="Object">What readers are shown; null when there is nothing under the key.</param>
internal sealed record CurrentModel(ModelRecord Record, BsonValue? DocumentId, byte[]? Rendered, string? Problem, StoredObject? Object)
{
    /// <summary>Whether a publish or delete may happen.</summary>
    internal bool Meets(PublishCondition condition) =>
        condition.MustBeAbsent ? Object is null : condition.Revision is null || Object?.Revision == condition.Revision;

    /// <summary>When the document was last changed, as far as anybody knows.</summary>
    internal UnixTime Modified => Object is { } found ? UnixTime.From(found.LastModified) : default;
}
