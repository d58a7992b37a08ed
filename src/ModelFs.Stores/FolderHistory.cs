using System.Globalization;

namespace ModelFs.Stores;

/// <summary>The archives that a folder store has kept.</summary>
/// <param name="store">The store.</param>
/// <param name="keeper">Of the store.</param>
/// <param name="keepRevisions">How many the store keeps of each key.</param>
internal sealed class FolderHistory(FolderStore store, FolderKeeper keeper, int keepRevisions) : IObjectHistory
{
    /// <inheritdoc/>
    public async Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
    {
        var current = await store.StatAsync(key, cancellationToken).ConfigureAwait(false);
        var kept = FolderStore.IsFileName(key) ? await KeptAsync(key, cancellationToken).ConfigureAwait(false) : [];
        return new ObjectPast(
            current,
            [.. kept.Select(each => new PastRevision(key, each.Id, each.Identity.Length, each.Identity.LastModified, each.Ended, each.WasDeleted))],
            keeper.WhyNotKept);
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        var kept = await FindAsync(source, cancellationToken).ConfigureAwait(false);
        return await store.RunAsync(() => FolderStore.Open(kept.Path, kept.Identity.Revision, offset, length), "reading", kept.Path, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
    {
        await FindAsync(source, cancellationToken).ConfigureAwait(false);

        // As many as before stay, however few this program was told to keep: it takes one away and adds one.
        var count = (await KeptAsync(source.Key, cancellationToken).ConfigureAwait(false)).Count;
        var retention = new FolderKeeper.Retention(Math.Max(keepRevisions, count), source.Id);
        return await store.PublishAsync(source.Key, new RevisionContent(this, source, cancellationToken), condition, retention, cancellationToken).ConfigureAwait(false);
    }

    private Task<List<FolderKeeper.KeptArchive>> KeptAsync(string key, CancellationToken cancellationToken) =>
        store.RunAsync(() => keeper.List(key), "looking for past versions of", key, cancellationToken);

    private async Task<FolderKeeper.KeptArchive> FindAsync(PastRevision source, CancellationToken cancellationToken)
    {
        var found = (await KeptAsync(source.Key, cancellationToken).ConfigureAwait(false)).Find(kept => kept.Id == source.Id && kept.Identity.Length == source.Length);
        return found ?? throw new StoreException(
            StoreErrorKind.RevisionChanged, string.Create(CultureInfo.InvariantCulture, $"revision {source.Id} of {source.Key} is not kept any more in {store.DisplayName}"));
    }
}
