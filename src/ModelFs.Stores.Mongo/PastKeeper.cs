using Microsoft.Extensions.Logging;
using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.GridFs;

namespace ModelFs.Stores.Mongo;

/// <summary>What stays of a key's past after a change.</summary>
/// <param name="Count">The newest so many.</param>
/// <param name="Dropped">The id of one that goes, because it is current again; or null.</param>
internal readonly record struct Retention(int Count, string? Dropped);

/// <summary>Turns what a change is about to replace or delete into an entry of its key's past. The record that makes the change live holds the entry, too.</summary>
/// <param name="connection">Of the store.</param>
/// <param name="archives">Of the store.</param>
/// <param name="logger">Where to say what could not be kept.</param>
internal sealed class PastKeeper(MongoConnection connection, ArchiveFiles archives, ILogger logger)
{
    /// <summary>How long the archives of a model that stays deleted are kept.</summary>
    internal static TimeSpan DeletedLifetime { get; } = TimeSpan.FromDays(7);

    /// <summary>Makes the past that a key has after a change.</summary>
    /// <param name="before">What the change ends.</param>
    /// <param name="wasDeleted">Whether it ends by a deletion.</param>
    /// <param name="asked">How much stays; null for as much as usual.</param>
    /// <returns>Newest first. A failure to keep is no failure of the change.</returns>
    internal async Task<IReadOnlyList<PastArchive>> AfterAsync(CurrentModel before, bool wasDeleted, Retention? asked)
    {
        var retention = asked ?? Usual(before.Record);
        var past = before.Record.Past.Where(each => each.Archive.Id.ToString() != retention.Dropped).ToList();
        if (retention.Count > 0 && before.Object is { } ended && await KeepAsync(before, ended).ConfigureAwait(false) is { } kept)
        {
            // A change that died half-way has kept this one already.
            past.RemoveAll(each => each.Revision == ended.Revision.Value);
            past.Insert(0, new PastArchive(kept, ended.Revision.Value, connection.Now, wasDeleted));
        }

        return [.. past.Take(retention.Count)];
    }

    /// <summary>Removes the archives of a past that are not in the one after it.</summary>
    internal async Task RemoveForgottenAsync(ModelRecord before, ModelRecord after)
    {
        foreach (var gone in before.Past.Where(each => !after.Keeps(each.Archive.Id)))
        {
            await archives.RemoveAsync(gone.Archive.Id, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>What stays after a change, unless the change says otherwise.</summary>
    private Retention Usual(ModelRecord record) => new(connection.Options.KeepRevisions ?? Math.Max(1, record.Past.Count), null);

    /// <summary>An archive in GridFS stays where it is; a document is rendered into one.</summary>
    private async Task<StoredArchive?> KeepAsync(CurrentModel before, StoredObject ended)
    {
        if (before.DocumentId is null)
        {
            return before.Record.Archive;
        }

        if (before.Rendered is not { } rendered)
        {
            Log.NotKept(logger, connection.Settings.DisplayName, before.Record.Key, before.Problem ?? "it can't be read");
            return null;
        }

        try
        {
            var written = await archives.WriteAsync(before.Record.Key, new RenderedContent(rendered), CancellationToken.None).ConfigureAwait(false);
            return written with { Modified = ended.LastModified.UtcDateTime };
        }
        catch (StoreException failure)
        {
            Log.NotKept(logger, connection.Settings.DisplayName, before.Record.Key, failure.Message);
            return null;
        }
    }

    private sealed class RenderedContent(byte[] bytes) : IPublishContent
    {
        public long Length => bytes.Length;

        public Stream OpenRead(long offset, long length) => new MemoryStream(bytes, (int)offset, (int)length, writable: false);
    }
}
