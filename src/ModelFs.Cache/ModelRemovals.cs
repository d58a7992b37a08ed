using Microsoft.Extensions.Logging;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Removing models. What is deleted in the store is noted first, so that a daemon that dies in between leaves no half: the next one goes on.</summary>
internal sealed partial class ModelRemovals(
    IModelStore store, ModelCatalog catalog, CacheJournal journal, OwnRevisions own, CopyChanges changes, CopyEndings endings, WritebackQueue queue, CacheOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// How long a removal waits for a publish attempt to end. The kernel holds the folder of the model meanwhile, so that listing it waits, too: an
    /// upload that takes longer is told.
    /// </summary>
    private static readonly TimeSpan s_publishWaitMax = TimeSpan.FromSeconds(5);

    /// <summary>Removes a model whose folder is empty.</summary>
    /// <exception cref="ModelException">It is in use or not allowed, or the store refused.</exception>
    public async Task RemoveAsync(CachedModel model, CancellationToken cancellationToken)
    {
        ModelCopy? copy;
        StoredObject? stored;
        ModelIntent? move;

        var waitsUntil = time.GetUtcNow() + s_publishWaitMax;
        while (true)
        {
            Task publishOver;

            // Asked again by a program that the death of an earlier daemon must not trouble.
            await model.RemovalTakenUp.WaitAsync(cancellationToken).ConfigureAwait(false);
            lock (model.Gate)
            {
                var isMoved = model.Move is not null && model.Copy is not { Manifest.BaseRevision: null };
                if (model.IsNameChanging || isMoved || model.Copy is { OpenWriters: > 0 } || (model.IsPublishing && time.GetUtcNow() >= waitsUntil))
                {
                    throw new ModelException(ModelErrorKind.Busy, $"{model.Name} is being written, published or renamed; try again when it is done");
                }

                if (!model.IsPublishing)
                {
                    model.IsNameChanging = true;
                    (copy, stored, move) = (model.Copy, model.Stored, model.Move);
                    break;
                }

                publishOver = model.PublishOver;
            }

            // An attempt that the removal of the files makes void, or one that has just sent them: its outcome says what is to be deleted. A daemon that
            // takes over makes one of what it finds half removed, and the program that removes must not hear of that.
            await Task.WhenAny(publishOver, Task.Delay(s_publishWaitMax, time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        try
        {
            if (move is not null)
            {
                await RemoveMovingAsync(model, copy, move, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (copy is not null)
            {
                (stored, var isOwn) = await own.FindAsync(copy, stored, cancellationToken).ConfigureAwait(false);
                if (stored is not null && !isOwn)
                {
                    DiscardIfThere(model, copy);
                    throw new ModelException(ModelErrorKind.Conflict, $"{stored.Key} was changed by somebody else meanwhile and stays; what they stored shows now");
                }
            }

            await RemoveAsync(model, copy, stored, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (model.Gate)
            {
                model.IsNameChanging = false;
            }

            // Whoever waited for a publish meanwhile learns what came of it.
            queue.Touch(model);
        }
    }

    /// <summary>
    /// Removes a model of which the store is not known to have anything under its new name: what goes there is what was renamed, as it stands under its
    /// old name, and what an earlier daemon may have stored under the new one before it died.
    /// </summary>
    private async Task RemoveMovingAsync(CachedModel model, ModelCopy? copy, ModelIntent move, CancellationToken cancellationToken)
    {
        var (stored, isOwn) = copy is null ? (null, false) : await own.FindAsync(copy, null, cancellationToken).ConfigureAwait(false);
        var intents = new List<ModelIntent> { NoteDelete(move.Key, move.Revision!, copy) };
        if (stored is not null && isOwn)
        {
            intents.Add(NoteDelete(stored.Key, stored.Revision.Value, copy));
        }

        try
        {
            foreach (var intent in intents)
            {
                await DeleteIfUnchangedAsync(intent, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            intents.ForEach(intent => journal.EndIntent(intent.Id));
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
        intents.ForEach(intent => journal.EndIntent(intent.Id));
        catalog.Prune();
    }

    private ModelIntent NoteDelete(string key, string revision, ModelCopy? copy) =>
        journal.NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, key, revision, null, null, copy?.Id ?? 0, time.GetUtcNow()));

    private async Task DeleteIfUnchangedAsync(ModelIntent intent, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(intent.Key, new StoreRevision(intent.Revision!), cancellationToken).ConfigureAwait(false);
            LogDeleted(logger, intent.Key, intent.Revision!);
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.PreconditionFailed)
        {
            LogStays(logger, intent.Key);
        }
    }

    private async Task RemoveAsync(CachedModel model, ModelCopy? copy, StoredObject? stored, CancellationToken cancellationToken)
    {
        if (stored is not null && options.AllowDelete)
        {
            var intent = NoteDelete(stored.Key, stored.Revision.Value, copy);
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
        CachedModel? model = null;
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await catalog.FirstListing.WaitAsync(cancellationToken).ConfigureAwait(false);
            model = ModelKey.TryParse(intent.Key, out var key) ? catalog.Find(key.Model) : null;
            if (model is not null && !TryHold(model, over.Task))
            {
                return false;
            }

            var copy = model?.Copy;
            if (copy is null || (copy.Id == intent.CopyId && IsEmptied(copy)))
            {
                await DeleteIfUnchangedAsync(intent, cancellationToken).ConfigureAwait(false);
                if (model is not null)
                {
                    await EndEmptiedAsync(model, copy, intent, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception error)
        {
            // Whatever it is: what was asked for is tried again and shown, and no other removal waits for ever.
            LogNotYet(logger, intent.Key, error.Message);
            return false;
        }
        finally
        {
            if (model?.RemovalTakenUp == over.Task)
            {
                lock (model.Gate)
                {
                    model.IsNameChanging = false;
                    model.RemovalTakenUp = Task.CompletedTask;
                }

                queue.Touch(model);
            }

            over.SetResult();
        }

        journal.EndIntent(intent.Id);
        catalog.Prune();
        return true;
    }

    /// <summary>Keeps a model from being published or renamed until its removal is over.</summary>
    private static bool TryHold(CachedModel model, Task over)
    {
        lock (model.Gate)
        {
            if (model.IsPublishing || model.IsNameChanging)
            {
                return false;
            }

            model.IsNameChanging = true;
            model.RemovalTakenUp = over;
            return true;
        }
    }

    private static bool IsEmptied(ModelCopy copy) =>
        copy.OpenWriters == 0 && PosixFile.List(copy.Content, out var entries) == Errno.None && entries.Count == 0;

    /// <summary>After the store's object is gone: so is the emptied copy, unless something was put into it meanwhile; then it is a new model.</summary>
    private async Task EndEmptiedAsync(CachedModel model, ModelCopy? copy, ModelIntent intent, CancellationToken cancellationToken)
    {
        await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            bool isOver;
            lock (model.Gate)
            {
                model.NoteStored(null, time.GetTimestamp());
                isOver = copy is null || model.Copy != copy || IsEmptied(copy);
                if (isOver && copy is not null && model.Copy == copy)
                {
                    // In the same moment: who begins a change from now on learns that the model is gone.
                    ModelCache.Retire(model, copy);
                }
            }

            if (!isOver)
            {
                changes.MakeNew(copy!, intent.Key);
            }
            else if (copy is { IsRetired: true })
            {
                endings.DropRetired(copy);
            }
        }
        finally
        {
            model.DiskTurn.Release();
        }
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
