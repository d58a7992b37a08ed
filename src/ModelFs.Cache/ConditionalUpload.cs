using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Stores a packed archive if the store still has what the copy descends from, and knows its own archives again where an answer was lost.</summary>
internal sealed partial class ConditionalUpload(IModelStore store, SentArchives sent, TimeProvider time, ILogger logger)
{
    /// <summary>Uploads under the condition that belongs to the copy's base.</summary>
    /// <returns>Null when the condition does not hold and what is there is not this very archive.</returns>
    public async Task<StoredObject?> RunAsync(CachedModel model, ModelCopy copy, string key, PackFile content, CancellationToken cancellationToken)
    {
        var condition = copy.Manifest.BaseRevision is { } revision && copy.Manifest.Key == key
            ? PublishCondition.Matches(new StoreRevision(revision))
            : PublishCondition.Absent;
        try
        {
            return await store.PublishAsync(key, content, condition, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.PreconditionFailed || (content.Source is not null && IsGone(error)))
        {
            // The answer to an upload that succeeded may have been lost, here or before a restart: the same tree packs to the same bytes.
            var current = await store.StatAsync(key, cancellationToken).ConfigureAwait(false);
            if (IsGone(error) && current?.Revision == content.Source?.Revision)
            {
                throw;
            }

            if (current is null || await content.EqualsAsync(store, current, cancellationToken).ConfigureAwait(false))
            {
                return current;
            }

            // Or an earlier one's was, of a tree that was changed since. Then this version descends from what is there after all.
            if (await sent.FindAsync(copy, current, cancellationToken).ConfigureAwait(false) is not { } earlier)
            {
                return null;
            }

            await AdoptAsync(model, copy, current, earlier, cancellationToken).ConfigureAwait(false);
            if (content.Source is not null)
            {
                // What was packed refers to the revision that our own upload replaced.
                throw new BaseReplacedException();
            }

            return await PublishOverAsync(key, content, current, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether parts of the base could not be read because it was replaced or deleted, which is noticed before the condition is.</summary>
    private static bool IsGone(StoreException error) => error.Kind is StoreErrorKind.RevisionChanged or StoreErrorKind.NotFound;

    /// <summary>Publishes over an earlier archive of our own; null when somebody replaced it meanwhile.</summary>
    private async Task<StoredObject?> PublishOverAsync(string key, PackFile content, StoredObject ours, CancellationToken cancellationToken)
    {
        try
        {
            return await store.PublishAsync(key, content, PublishCondition.Matches(ours.Revision), cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.PreconditionFailed)
        {
            var current = await store.StatAsync(key, cancellationToken).ConfigureAwait(false);
            return current is not null && await content.EqualsAsync(store, current, cancellationToken).ConfigureAwait(false) ? current : null;
        }
    }

    /// <summary>Takes an archive in the store that turned out to be this copy's own for its base.</summary>
    private async Task AdoptAsync(CachedModel model, ModelCopy copy, StoredObject stored, SentArchive own, CancellationToken cancellationToken)
    {
        LogAdopted(logger, own.Key, stored.Revision.Value);
        await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            sent.NoteOver(copy, own, stored);
            var manifest = copy.Manifest with
            {
                Key = own.Key,
                BaseRevision = stored.Revision.Value,
                BaseLength = stored.Length,
                BaseModified = stored.LastModified,
                BaseDigest = own.TreeDigest,
            };
            CopyFiles.WriteManifest(copy.Folder, manifest, durable: true);
            lock (model.Gate)
            {
                copy.Manifest = manifest;
                model.NoteStored(stored, time.GetTimestamp());
            }
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Key}: revision {Revision} is an earlier version of this mount's own, whose upload got no answer")]
    private static partial void LogAdopted(ILogger logger, string key, string revision);

    /// <summary>What was packed refers to a revision that turned out to be replaced, by an upload of this copy's own.</summary>
    public sealed class BaseReplacedException : Exception;
}
