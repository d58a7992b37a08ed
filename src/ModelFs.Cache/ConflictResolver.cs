using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Ends what only a person can decide: versions that lost against the store, and changes of which it is not known whether all of them reached the
/// disk. At every step the local version is on the disk and known to the next daemon, until <see cref="KeptVersion.Theirs"/> gives it up.
/// </summary>
internal sealed partial class ConflictResolver(
    IModelStore store, ModelCatalog catalog, CopyShelf shelf, CopyFiles files, CacheJournal journal, CopyEndings endings, WritebackQueue queue, TimeProvider time, ILogger logger)
{
    /// <summary>Decides about a version that is kept under <c>/.modelfs/conflicts</c>; returns when the store has what was asked for.</summary>
    /// <exception cref="ModelException">It can't be done now; the version is still kept, or its publish goes on being tried.</exception>
    public async Task ResolveAsync(ModelCopy kept, KeptVersion keep, CancellationToken cancellationToken)
    {
        if (catalog.Find(kept.Model.Name) is { } model)
        {
            // Who decides about it knows.
            _ = queue.TakeUntoldConflict(model);
        }

        switch (keep)
        {
            case KeptVersion.Theirs:
                files.Drop(kept.Folder);
                shelf.RemoveConflict(kept);
                Forget(kept);
                LogGivenUp(logger, kept.Manifest.ConflictName!);
                return;
            case KeptVersion.Mine:
                await PublishAsAsync(kept, kept.Model.Name, cancellationToken).ConfigureAwait(false);
                return;
            case KeptVersion.Both:
                await PublishAsAsync(kept, NameBeside(kept), cancellationToken).ConfigureAwait(false);
                return;
        }
    }

    /// <summary>Decides about a model whose last changes were not synced when the machine went down.</summary>
    /// <exception cref="ModelException">It can't be done now, or there is nothing to decide.</exception>
    public async Task ReviewAsync(CachedModel model, KeptVersion keep, CancellationToken cancellationToken)
    {
        ModelCopy copy;
        lock (model.Gate)
        {
            copy = model.Copy is { NeedsReview: true } reviewed
                ? reviewed
                : throw new ModelException(ModelErrorKind.NotFound, $"nothing is to be decided about {model.Name}: it has no conflict and needs no review");
            if (keep != KeptVersion.Mine && (copy.OpenWriters > 0 || model.IsPublishing))
            {
                throw new ModelException(ModelErrorKind.Busy, $"{model.Name} is being written or published; try again when it is done");
            }

            if (keep == KeptVersion.Theirs && model.Stored is null)
            {
                throw new ModelException(ModelErrorKind.NotPermitted, $"the store has no version of {model.Name} that could be kept; remove its folder to give the local one up");
            }
        }

        switch (keep)
        {
            case KeptVersion.Mine:
                await PublishAsync(model, cancellationToken).ConfigureAwait(false);
                return;
            case KeptVersion.Theirs:
                endings.Discard(model, copy);
                Decided(model);
                return;
            case KeptVersion.Both:
                endings.SetAside(model, copy);
                Decided(model);
                await PublishAsAsync(copy, NameBeside(copy), cancellationToken).ConfigureAwait(false);
                return;
        }
    }

    /// <summary>The name that a kept version gets as a model of its own.</summary>
    public static ModelName NameBeside(ModelCopy kept)
    {
        var suffix = kept.Manifest.ConflictName![(kept.Manifest.ConflictName!.LastIndexOf('@') + 1)..].Replace("___", "_", StringComparison.Ordinal);
        for (var name = kept.Model.Name.Name; name.Length > 0; name = name[..^1])
        {
            if (ModelName.TryCreate(kept.Model.Name.Project, $"{name}-{suffix}", out var beside))
            {
                return beside;
            }
        }

        throw new ModelException(ModelErrorKind.NotPermitted, $"no name for a second model can be made of {kept.Manifest.ConflictName}; copy it out of /.modelfs/conflicts");
    }

    private static void Decided(CachedModel model)
    {
        lock (model.Gate)
        {
            model.LastError = null;
        }
    }

    private void Forget(ModelCopy kept)
    {
        if (catalog.Find(kept.Model.Name) is { } model)
        {
            lock (model.Gate)
            {
                if (model.LastError?.Kind == ModelErrorKind.Conflict)
                {
                    model.LastError = null;
                }
            }
        }
    }

    /// <summary>Makes a kept version the current copy of a model again, descending from what the store has now, and publishes it.</summary>
    private async Task PublishAsAsync(ModelCopy kept, ModelName name, CancellationToken cancellationToken)
    {
        var model = await catalog.TakeDiskTurnAsync(name, cancellationToken).ConfigureAwait(false);
        ModelCopy? replaced;
        try
        {
            var isOwn = name == kept.Model.Name;
            var key = isOwn ? model.Stored?.Key ?? kept.Manifest.Key : new ModelKey(name, ArchiveFormat.TarGz).ToString();
            var stored = await StatAsync(key, cancellationToken).ConfigureAwait(false);
            if (!isOwn && (stored is not null || model.Copy is not null))
            {
                throw new ModelException(ModelErrorKind.Busy, $"there is a model {name} already; rename it, or copy the kept version out of /.modelfs/conflicts");
            }

            var manifest = kept.Manifest with
            {
                ConflictName = null,
                Key = key,
                BaseRevision = stored?.Revision.Value,
                BaseLength = stored?.Length ?? 0,
                BaseModified = stored?.LastModified ?? default,
                BaseDigest = null,
            };
            lock (model.Gate)
            {
                if (model.Copy is { IsDirty: true } || model.IsPublishing || model.Fetch is not null)
                {
                    throw new ModelException(ModelErrorKind.Busy, $"{model.Name} has changes that are not published yet, or is being fetched; try again after `modelfs sync`");
                }
            }

            replaced = Install(model, kept, manifest, stored);
        }
        finally
        {
            model.DiskTurn.Release();
        }

        if (replaced is not null)
        {
            shelf.NoteRetired(replaced);
        }

        LogTakenUp(logger, kept.Manifest.ConflictName!, name.ToString());
        await PublishAsync(model, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The mark comes first: with it and the name of a conflict still in the manifest the next daemon finds a conflict as before.</summary>
    /// <returns>The copy that was the model's until now.</returns>
    private ModelCopy? Install(CachedModel model, ModelCopy kept, CopyManifest manifest, StoredObject? stored)
    {
        journal.Mark(kept.Id, manifest.Key, CacheJournal.StateDirty);
        CopyFiles.WriteManifest(kept.Folder, manifest, durable: true);
        var now = time.GetUtcNow();
        var copy = new ModelCopy(model, kept.Id, kept.Folder, manifest)
        {
            DirtySince = now,
            LastChange = now,
            LastUsed = now,
            OnlyRemovals = false,
            EveryFileSuspect = true,
        };
        ModelCopy? replaced;
        lock (model.Gate)
        {
            replaced = model.Copy;
            if (replaced is not null)
            {
                ModelCache.Retire(model, replaced);
            }

            model.NoteStored(stored, time.GetTimestamp());
            model.LastError = null;
            model.Tries = 0;
            model.NextTryAt = default;
            model.Copy = copy;
            model.MoveTo(ModelState.Dirty);
        }

        shelf.RemoveConflict(kept);
        shelf.Add(copy);
        queue.Touch(model);
        return replaced;
    }

    private async Task PublishAsync(CachedModel model, CancellationToken cancellationToken)
    {
        if (await queue.PublishNowAsync(model, cancellationToken).ConfigureAwait(false) is { Error: { } error })
        {
            throw error;
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
            throw ModelErrors.From(error, $"cannot look up {key} in {store.DisplayName}; nothing was decided");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "the kept version {Conflict} was given up, as asked for")]
    private static partial void LogGivenUp(ILogger logger, string conflict);

    [LoggerMessage(Level = LogLevel.Information, Message = "the kept version {Conflict} is {Model} again, and is published")]
    private static partial void LogTakenUp(ILogger logger, string conflict, string model);
}
