using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Tells which object of the store a local copy stands for, so that removing or renaming the copy takes away that one and nobody else's: the
/// revision that the copy descends from, or an upload of its own whose answer was lost.
/// </summary>
internal sealed class OwnRevisions(IModelStore store, ModelCatalog catalog, SentArchives sent)
{
    /// <summary>Asks the store where what is known does not tell: the daemon may have just begun, or an earlier one died behind an upload.</summary>
    /// <param name="copy">The local copy.</param>
    /// <param name="known">What was last heard of the store.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What the store has under the copy's key, null when it has nothing there, and whether that is what the copy stands for.</returns>
    /// <exception cref="ModelException">The store can't be asked.</exception>
    public async Task<(StoredObject? Stored, bool IsOwn)> FindAsync(ModelCopy copy, StoredObject? known, CancellationToken cancellationToken)
    {
        if (known is not null && (known.Key != copy.Manifest.Key || known.Revision.Value == copy.Manifest.BaseRevision))
        {
            return (known, true);
        }

        try
        {
            var current = await store.StatAsync(copy.Manifest.Key, cancellationToken).ConfigureAwait(false);
            if (current is not null && catalog.IsMoving(current))
            {
                // Of the model that had this name before; it has another one by now.
                return (null, false);
            }

            var isOwn = current is not null
                && (current.Revision.Value == copy.Manifest.BaseRevision || await sent.FindAsync(copy, current, cancellationToken).ConfigureAwait(false) is not null);
            return (current, isOwn);
        }
        catch (StoreException error)
        {
            throw ModelErrors.From(error, $"cannot tell whether {store.DisplayName} has {copy.Manifest.Key}");
        }
    }
}
