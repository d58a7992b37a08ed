using Microsoft.Extensions.Logging;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Removing models. What is deleted in the store is noted first, so that a daemon that dies in between leaves no half: the next one goes on.</summary>
internal sealed partial class ModelRemovals(
    IModelStore store, ModelCatalog catalog, CacheJournal journal, CopyEndings endings, WritebackQueue queue, CacheOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Removes a model whose folder is empty.</summary>
    /// <exception cref="ModelException">It is in use or not allowed, or the store refused.</exception>
    public async Task RemoveAsync(CachedModel model, CancellationToken cancellationToken)
    {
        ModelCopy? copy;
        StoredObject? stored;
        ModelIntent? move;
        lock (model.Gate)
        {
            var isMoved = model.Move is not null && model.Copy is not { Manifest.BaseRevision: null };
            if (model.IsPublishing || model.IsRemoving || isMoved || model.Copy is { OpenWriters: > 0 })
            {
                throw new ModelException(ModelErrorKind.Busy, $"{model.Name} is being written, published or renamed; try again when it is done");
            }

            model.IsRemoving = true;
            (copy, stored, move) = (model.Copy, model.Stored, model.Move);
        }

        try
        {
            if (move is not null)
            {
                await RemoveMovingAsync(model, copy, move, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (stored is null && copy is not null)
            {
                // That no archive is known does not mean that there is none: the daemon may have just begun, or died behind an upload.
                stored = await StatAsync(copy.Manifest.Key, cancellationToken).ConfigureAwait(false);
            }

            await RemoveAsync(model, copy, stored, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Removes a model of whose new name the store has nothing yet: what goes there is what was renamed, as it stands under its old name.</summary>
    private async Task RemoveMovingAsync(CachedModel model, ModelCopy? copy, ModelIntent move, CancellationToken cancellationToken)
    {
        var intent = journal.NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, move.Key, move.Revision, null, null, copy?.Id ?? 0, time.GetUtcNow()));
        try
        {
            await store.DeleteAsync(move.Key, new StoreRevision(move.Revision!), cancellationToken).ConfigureAwait(false);
            LogDeleted(logger, move.Key, move.Revision!);
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.PreconditionFailed)
        {
            LogStays(logger, move.Key);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            journal.EndIntent(intent.Id);
            throw error is StoreException ? ModelErrors.From(error, $"cannot delete {move.Key} in {store.DisplayName}") : error;
        }

        journal.EndIntent(move.Id);
        lock (model.Gate)
        {
            model.Move = null;
            model.NoteStored(null, time.GetTimestamp());
        }

        catalog.EndMove(move);
        DiscardIfThere(model, copy);
        journal.EndIntent(intent.Id);
        catalog.Prune();
    }

    private async Task RemoveAsync(CachedModel model, ModelCopy? copy, StoredObject? stored, CancellationToken cancellationToken)
    {
        if (stored is not null && options.AllowDelete)
        {
            var intent = journal.NoteIntent(
                new ModelIntent(1, 0, ModelIntent.KindDelete, stored.Key, stored.Revision.Value, null, null, copy?.Id ?? 0, time.GetUtcNow()));
            try
            {
                await store.DeleteAsync(stored.Key, stored.Revision, cancellationToken).ConfigureAwait(false);
                LogDeleted(logger, stored.Key, stored.Revision.Value);
            }
            catch (Exception error) when (error is StoreException or OperationCanceledException)
            {
                // The program hears that it failed.
                journal.EndIntent(intent.Id);
                throw error is StoreException ? ModelErrors.From(error, $"cannot delete {stored.Key} in {store.DisplayName}") : error;
            }

            lock (model.Gate)
            {
                model.NoteStored(null, time.GetTimestamp());
            }

            DiscardIfThere(model, copy);
            journal.EndIntent(intent.Id);
            catalog.Prune();
            return;
        }

        DiscardIfThere(model, copy);
        catalog.Prune();
        if (stored is not null)
        {
            throw new ModelException(
                ModelErrorKind.NotPermitted,
                $"{model.Name} is published and this mount does not delete (--allow-delete); its removed files show again");
        }
    }

    /// <summary>Finishes what an earlier daemon began: deletes the very revision that was meant, and the emptied copy, unless something was put into it since.</summary>
    public async Task TakeUpAsync(IReadOnlyList<ModelIntent> intents, CancellationToken cancellationToken)
    {
        foreach (var intent in intents)
        {
            for (var tries = 1; !await TryFinishAsync(intent, cancellationToken).ConfigureAwait(false); tries++)
            {
                try
                {
                    await Task.Delay(Backoff.After(tries, options.BackoffMin, options.BackoffMax), time, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    private async Task<bool> TryFinishAsync(ModelIntent intent, CancellationToken cancellationToken)
    {
        try
        {
            await catalog.FirstListing.WaitAsync(cancellationToken).ConfigureAwait(false);
            var model = ModelKey.TryParse(intent.Key, out var key) ? catalog.Find(key.Model) : null;
            var copy = model?.Copy;
            var isEmptied = copy is not null && copy.Id == intent.CopyId && copy.OpenWriters == 0
                && PosixFile.List(copy.Content, out var entries) == Errno.None && entries.Count == 0;
            if (copy is null || isEmptied)
            {
                await store.DeleteAsync(intent.Key, new StoreRevision(intent.Revision!), cancellationToken).ConfigureAwait(false);
                LogDeleted(logger, intent.Key, intent.Revision!);
                if (model is not null)
                {
                    lock (model.Gate)
                    {
                        model.NoteStored(null, time.GetTimestamp());
                    }

                    DiscardIfThere(model, copy);
                }
            }
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.PreconditionFailed)
        {
            LogStays(logger, intent.Key);
        }
        catch (StoreException error)
        {
            LogNotYet(logger, intent.Key, error.Message);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        journal.EndIntent(intent.Id);
        catalog.Prune();
        return true;
    }

    private void DiscardIfThere(CachedModel model, ModelCopy? copy)
    {
        if (copy is not null && model.Copy == copy)
        {
            endings.Discard(model, copy);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "deleted {Key}, revision {Revision}")]
    private static partial void LogDeleted(ILogger logger, string key, string revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} was to be deleted, but somebody else changed it meanwhile; it stays")]
    private static partial void LogStays(ILogger logger, string key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot delete {Key} yet: {Reason}; it is tried again")]
    private static partial void LogNotYet(ILogger logger, string key, string reason);
}
