using Microsoft.Extensions.Logging;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Removes models whose folders are empty.</summary>
internal sealed partial class ModelRemover(
    IModelStore store,
    CacheOptions options,
    ModelCatalog catalog,
    WritebackQueue queue,
    Action<CachedModel, ModelCopy> discard,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>See <see cref="ModelCache.RemoveModelAsync"/>. The store's archive goes before the copy: a death in between leaves an empty model here.</summary>
    public async Task RemoveAsync(CachedModel model, CancellationToken cancellationToken)
    {
        ModelCopy? copy;
        StoredObject? stored;
        lock (model.Gate)
        {
            if (model.IsPublishing || model.IsRemoving || model.Copy is { OpenWriters: > 0 })
            {
                throw new ModelException(ModelErrorKind.Busy, $"{model.Name} is being written or published; try again when it is done");
            }

            model.IsRemoving = true;
            (copy, stored) = (model.Copy, model.Stored);
        }

        try
        {
            if (stored is null && copy is not null)
            {
                // That no archive is known does not mean that there is none: the daemon may have just begun, or died behind an upload.
                stored = await StatAsync(copy.Manifest.Key, cancellationToken).ConfigureAwait(false);
            }

            if (stored is not null && options.AllowDelete)
            {
                await DeleteAsync(model, stored, cancellationToken).ConfigureAwait(false);
            }

            if (copy is not null)
            {
                discard(model, copy);
            }
        }
        finally
        {
            lock (model.Gate)
            {
                model.IsRemoving = false;
            }

            // Whoever waited for a publish meanwhile learns what came of it.
            queue.Touch(model);
        }

        catalog.Prune();
        if (stored is not null && !options.AllowDelete)
        {
            throw new ModelException(
                ModelErrorKind.NotPermitted,
                $"{model.Name} is published and this mount does not delete (--allow-delete); its removed files show again");
        }
    }

    private async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.StatAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            throw ModelErrors.From(error, $"cannot tell whether {store.DisplayName} has {key}");
        }
    }

    private async Task DeleteAsync(CachedModel model, StoredObject stored, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(stored.Key, stored.Revision, cancellationToken).ConfigureAwait(false);
            LogDeleted(logger, stored.Key, stored.Revision.Value);
        }
        catch (StoreException error)
        {
            throw ModelErrors.From(error, $"cannot delete {stored.Key} in {store.DisplayName}");
        }

        lock (model.Gate)
        {
            model.NoteStored(null, time.GetTimestamp());
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "deleted {Key}, revision {Revision}")]
    private static partial void LogDeleted(ILogger logger, string key, string revision);
}
