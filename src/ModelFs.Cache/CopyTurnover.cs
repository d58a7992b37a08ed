using Microsoft.Extensions.Logging;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>When a clean copy makes way for the store's version: it is outdated, can't be completed, or is damaged.</summary>
internal sealed partial class CopyTurnover(
    IModelStore store, ModelCatalog catalog, CopyShelf shelf, CacheOptions options, TimeProvider time, ILogger logger, Action fetchPinned, CancellationToken stopping)
{
    /// <summary>Retires a clean, unused copy whose model has another revision in the store, or none.</summary>
    public void ReplaceIfOutdated(CachedModel model)
    {
        ModelCopy copy;
        TimeSpan left;
        lock (model.Gate)
        {
            if (!catalog.Knows(model) || model.Copy is not { IsDirty: false } current || model.IsPublishing || current.OpenFiles > 0
                || model.Stored?.Revision.Value == current.Manifest.BaseRevision)
            {
                return;
            }

            copy = current;
            left = copy.LastUsed + options.SwitchAfter - time.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                ModelCache.Retire(model, copy);
            }
        }

        if (left > TimeSpan.Zero)
        {
            _ = ReplaceLaterAsync(model, left);
            return;
        }

        shelf.NoteRetired(copy);
        fetchPinned();
    }

    /// <summary>Gives up a clean copy that nobody uses, so that the next access fetches the model anew. Returns when its files are gone, or the kernel alone holds them.</summary>
    /// <returns>False when it is in use.</returns>
    public async Task<bool> TryGiveUpAsync(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            if (copy.Model.Copy != copy || copy.IsDirty || copy.Model.IsPublishing || copy.OpenFiles > 0 || copy.OpenWriters > 0)
            {
                return false;
            }

            ModelCache.Retire(copy.Model, copy);
        }

        shelf.NoteRetired(copy);
        await shelf.DropsAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>The store no longer has the revision of a copy that is not whole: nothing more of it can come, whoever has it open.</summary>
    public async Task GiveUpAsync(ModelCopy copy, StoreException gone)
    {
        var model = copy.Model;
        try
        {
            var current = await store.StatAsync(copy.Manifest.Key, stopping).ConfigureAwait(false);
            lock (model.Gate)
            {
                model.NoteStored(current, time.GetTimestamp());
            }
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            // The next listing tells.
        }

        lock (model.Gate)
        {
            if (model.Copy != copy || copy.IsDirty || copy.Hydration is null)
            {
                return;
            }

            ModelCache.Retire(model, copy);
        }

        LogGone(logger, copy.Manifest.Key, copy.OpenFiles, gone.Message);
        shelf.NoteRetired(copy);
        catalog.Prune();
    }

    private async Task ReplaceLaterAsync(CachedModel model, TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, time, stopping).ConfigureAwait(false);
            ReplaceIfOutdated(model);
        }
        catch (OperationCanceledException)
        {
            // The next start compares revisions again.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} was replaced or removed in the store before all of it was here; {OpenFiles} open files of it end where their content does: {Reason}")]
    private static partial void LogGone(ILogger logger, string key, int openFiles, string reason);
}
