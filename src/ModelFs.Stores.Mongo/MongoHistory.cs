using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.GridFs;

namespace ModelFs.Stores.Mongo;

/// <summary>The archives that the bookkeeping keeps of what was replaced or deleted. A past revision's id is that of its GridFS file.</summary>
/// <param name="connection">Of the store.</param>
/// <param name="reader">Of the store.</param>
/// <param name="writer">Of the store.</param>
internal sealed class MongoHistory(MongoConnection connection, ModelReader reader, ModelWriter writer) : IObjectHistory
{
    /// <inheritdoc/>
    public async Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
    {
        var now = await reader.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        return new ObjectPast(
            now.Object,
            [.. Past(now).Select(each => new PastRevision(key, each.Archive.Id.ToString(), each.Archive.Length, each.Archive.Modified, each.Ended, each.WasDeleted))],
            connection.Options.KeepRevisions == 0 ? "keeping past versions is switched off (--keep-revisions 0)" : null);
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        var (_, kept) = await FindAsync(source, cancellationToken).ConfigureAwait(false);
        return length == 0 ? Stream.Null : new ArchiveReadStream(connection, kept.Archive, source.Key, offset, length, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
    {
        // As many as before stay, however few this program was told to keep: it takes one away and adds one.
        var (now, _) = await FindAsync(source, cancellationToken).ConfigureAwait(false);
        var retention = new Retention(Math.Max(connection.Options.KeepRevisions ?? 1, now.Record.Past.Count), source.Id);
        return await writer.PublishAsync(source.Key, new RevisionContent(this, source, cancellationToken), condition, retention, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Before a document is replaced it is kept; until it is, it is no past.</summary>
    private static IEnumerable<PastArchive> Past(CurrentModel now) => now.Record.Past.Where(each => each.Revision != now.Object?.Revision.Value);

    private async Task<(CurrentModel Now, PastArchive Kept)> FindAsync(PastRevision source, CancellationToken cancellationToken)
    {
        var now = await reader.ReadAsync(source.Key, cancellationToken).ConfigureAwait(false);
        return Past(now).FirstOrDefault(each => each.Archive.Id.ToString() == source.Id && each.Archive.Length == source.Length) is { } kept
            ? (now, kept)
            : throw connection.Errors.Error(StoreErrorKind.RevisionChanged, $"looking up {source.Key}", $"revision {source.Id} of it is not kept any more");
    }
}
