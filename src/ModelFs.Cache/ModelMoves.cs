using Microsoft.Extensions.Logging;
using ModelFs.Cache.Hydration;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Renames of published models, from the rename that a program saw to the last step in the store. The intent is on the disk first; then the content is
/// published under the new key, if that is free; only then, and only the revision that was renamed, is the old key deleted. A daemon that dies
/// anywhere leaves the old model, the new one, or both, and the next one goes on.
/// </summary>
internal sealed partial class ModelMoves(
    IModelStore store, ModelCatalog catalog, CacheJournal journal, OwnRevisions own, CopyChanges changes, WritebackQueue queue, ModelFetches fetches, CopyReads reads, CacheOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly RunningTasks _running = new();

    /// <summary>Renames a model, here at once and in the store in the background.</summary>
    /// <exception cref="ModelException">It is in use or not allowed; nothing changed.</exception>
    public async Task RenameAsync(CachedModel model, ModelName newName)
    {
        ModelIntent? move = null;
        if (model.Copy is { Hydration: { } hydration } partial)
        {
            // What is published under the new name must not depend on the old one.
            await reads.WaitForAllAsync(partial, hydration, _stopping.Token).ConfigureAwait(false);
        }

        var isHolding = false;
        await model.DiskTurn.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            ModelCopy? copy;
            StoredObject? stored;
            lock (model.Gate)
            {
                if (model.IsPublishing || model.IsNameChanging || model.Fetch is not null || model.Move is not null || model.Copy is { OpenWriters: > 0 })
                {
                    throw new ModelException(ModelErrorKind.Busy, $"{model.Name} is being written, fetched, published or renamed; try again when it is done");
                }

                RequireWhole(model.Copy);
                model.IsNameChanging = isHolding = true;
                (copy, stored) = (model.Copy, model.Stored);
            }

            string? oldRevision = stored?.Revision.Value;
            if (copy is not null)
            {
                // Where somebody else replaced it, theirs keeps the old name.
                (stored, var isOwn) = await own.FindAsync(copy, stored, _stopping.Token).ConfigureAwait(false);
                oldRevision = stored is null ? null : isOwn ? stored.Revision.Value : copy.Manifest.BaseRevision;
                stored = oldRevision is null ? null : stored;
            }

            if (stored is not null && !options.AllowDelete)
            {
                throw new ModelException(ModelErrorKind.NotPermitted, $"{model.Name} is published and this mount does not rename (--allow-delete)");
            }

            var format = stored is not null && ModelKey.TryParse(stored.Key, out var oldKey) && oldKey.Format.CanWrite() ? oldKey.Format : ArchiveFormat.TarGz;
            var newKey = new ModelKey(newName, format).ToString();
            if (stored is not null)
            {
                move = journal.NoteIntent(new ModelIntent(1, 0, ModelIntent.KindMove, stored.Key, oldRevision, newKey, null, copy?.Id ?? 0, time.GetUtcNow()));
            }

            if (copy is not null)
            {
                changes.MakeNew(copy, newKey);
            }

            lock (model.Gate)
            {
                model.Move = move;
            }

            catalog.Rename(model, newName, move);
        }
        finally
        {
            if (isHolding)
            {
                lock (model.Gate)
                {
                    model.IsNameChanging = false;
                }
            }

            model.DiskTurn.Release();
        }

        queue.Touch(model);
        if (move is not null)
        {
            Run(model, move);
        }
    }

    /// <summary>Takes up the renames that an earlier daemon left; call after the copies were loaded and before the store is listed.</summary>
    public void TakeUp(IEnumerable<ModelIntent> intents)
    {
        foreach (var move in intents)
        {
            if (!ModelKey.TryParse(move.Key, out var oldKey) || move.NewKey is null || !ModelKey.TryParse(move.NewKey, out var newKey))
            {
                journal.EndIntent(move.Id);
                continue;
            }

            var model = catalog.GetOrAdd(newKey.Model);
            if (model.Copy is not { IsDirty: true })
            {
                var old = catalog.GetOrAdd(oldKey.Model);

                // One of which the machine's unclean end left only a part is fetched anew, under the new name.
                if (old.Copy is { Hydration: null } copy && copy.Id == move.CopyId)
                {
                    changes.MakeNew(copy, move.NewKey);
                    model = old;
                }
            }

            lock (model.Gate)
            {
                model.Move = move;
            }

            catalog.Rename(model, newKey.Model, move);
            queue.Touch(model);
            Run(model, move);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.WhenAllAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void Run(CachedModel model, ModelIntent move) => _running.Add(Task.Run(() => FinishAsync(model, move)));

    /// <summary>Some of it may have been dropped since it was waited for. Looked at before anything of the rename is on the disk.</summary>
    private static void RequireWhole(ModelCopy? copy)
    {
        if (copy?.Hydration is not null)
        {
            throw new ModelException(ModelErrorKind.Busy, $"not all of {copy.Model.Name} is here; try again");
        }
    }

    private async Task FinishAsync(CachedModel model, ModelIntent move)
    {
        for (var tries = 1; !_stopping.IsCancellationRequested; tries++)
        {
            try
            {
                await catalog.FirstListing.WaitAsync(_stopping.Token).ConfigureAwait(false);
                if (await TryFinishAsync(model, move).ConfigureAwait(false))
                {
                    return;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception error) when (error is ModelException or StoreException)
            {
                var reason = ModelErrors.From(error, $"cannot rename {move.Key} to {move.NewKey} in {store.DisplayName}");
                LogNotYet(logger, reason.Message);
                lock (model.Gate)
                {
                    model.LastError = reason;
                }
            }

            try
            {
                await Task.Delay(Backoff.After(tries, options.BackoffMin, options.BackoffMax), time, _stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>One attempt at the steps that are left.</summary>
    /// <returns>False when it is to be repeated after a pause.</returns>
    private async Task<bool> TryFinishAsync(CachedModel model, ModelIntent move)
    {
        if (model.Move?.Id != move.Id)
        {
            // The model was removed meanwhile.
            return true;
        }

        if (move.NewRevision is null)
        {
            if (await PublishedAsync(model, move).ConfigureAwait(false) is not { } published)
            {
                return model.Move is null;
            }

            move = model.Move! with { NewRevision = published };
            journal.Rewrite(move);
            lock (model.Gate)
            {
                model.Move = move;
            }
        }

        try
        {
            await store.DeleteAsync(move.Key, new StoreRevision(move.Revision!), _stopping.Token).ConfigureAwait(false);
            LogMoved(logger, move.Key, move.NewKey!);
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.PreconditionFailed)
        {
            LogOldStays(logger, move.Key, move.NewKey!);
        }

        End(model, move, null);
        return true;
    }

    /// <summary>The revision that the content has under the new key; null when it is not there yet, or never will be.</summary>
    private async Task<string?> PublishedAsync(CachedModel model, ModelIntent move)
    {
        var copy = model.Copy;
        if (copy is null)
        {
            if (model.Stored is not { } stored || stored.Key != move.Key || stored.Revision.Value != move.Revision)
            {
                if (catalog.Knows(model))
                {
                    End(model, move, $"{move.Key} was changed or removed in the store, or {move.NewKey} was made there by somebody else");
                }

                return null;
            }

            copy = await fetches.AcquireAsync(model, _stopping.Token).ConfigureAwait(false);
        }

        if (copy.Hydration is { } hydration)
        {
            await reads.WaitForAllAsync(copy, hydration, _stopping.Token).ConfigureAwait(false);
        }

        if (copy.Id != move.CopyId)
        {
            if (copy.Manifest.Key != move.Key || copy.Manifest.BaseRevision != move.Revision)
            {
                End(model, move, $"somebody else made {move.NewKey} meanwhile");
                return null;
            }

            await TakeCopyAsync(model, copy, move with { CopyId = copy.Id }).ConfigureAwait(false);
        }

        var outcome = copy.Manifest is { BaseRevision: not null } manifest && manifest.Key == move.NewKey
            ? null
            : await queue.PublishNowAsync(model, _stopping.Token).ConfigureAwait(false);
        if (outcome?.Result == PublishResult.Conflict)
        {
            End(model, move, $"somebody else made {move.NewKey} meanwhile; what was renamed is kept as a conflict");
            return null;
        }

        if (outcome is { Result: PublishResult.Failed, Error: { } error })
        {
            throw error;
        }

        return copy.Manifest.Key == move.NewKey ? copy.Manifest.BaseRevision : null;
    }

    /// <summary>Makes a copy that was fetched under the old key the one that is renamed.</summary>
    private async Task TakeCopyAsync(CachedModel model, ModelCopy copy, ModelIntent move)
    {
        await model.DiskTurn.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            journal.Rewrite(move);
            changes.MakeNew(copy, move.NewKey!);
            lock (model.Gate)
            {
                model.Move = move;
            }
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    private void End(CachedModel model, ModelIntent move, string? whyNot)
    {
        if (whyNot is not null)
        {
            LogGivenUp(logger, move.Key, whyNot);
        }

        journal.EndIntent(move.Id);
        lock (model.Gate)
        {
            model.Move = null;
            if (whyNot is null)
            {
                model.LastError = null;
            }
        }

        catalog.EndMove(move);
        queue.TouchAll();
        _ = catalog.RefreshIfOlder(TimeSpan.Zero);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "renamed {Key} to {NewKey}")]
    private static partial void LogMoved(ILogger logger, string key, string newKey);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} is published as {NewKey} now; the old one was changed by somebody else meanwhile and stays")]
    private static partial void LogOldStays(ILogger logger, string key, string newKey);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Key} keeps its name: {Reason}")]
    private static partial void LogGivenUp(ILogger logger, string key, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason}; it is tried again")]
    private static partial void LogNotYet(ILogger logger, string reason);
}
