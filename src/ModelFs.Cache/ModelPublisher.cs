using Microsoft.Extensions.Logging;
using ModelFs.Archives;
using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// One attempt to publish a model: see that no writer is left, scan, sync, pack, and store it under the condition that the store still
/// holds the revision that the change descends from.
/// </summary>
/// <remarks>
/// What makes the pack consistent: every open for writing and every change of a name passes through <see cref="ModelCache"/>, which
/// counts it in <see cref="ModelCopy.OpenWriters"/> and <see cref="ModelCopy.ChangeVersion"/> before it takes effect. With the version read
/// while no writer is counted, and each file then found without a writable descriptor or mapping (<see cref="PosixFile.ProbeQuiet"/>),
/// nothing can change until the version does; so the pack is good if the version is still the same after it.
/// </remarks>
internal sealed partial class ModelPublisher(IModelStore store, CopyFiles files, CacheJournal journal, CacheOptions options, TimeProvider time, ILogger logger)
{
    private readonly SentArchives _sent = new(store, journal);
    private readonly PackBases _bases = new(store, options);

    /// <summary>Attempts it; every outcome but success leaves the copy dirty and whole.</summary>
    public async Task<PublishOutcome> PublishAsync(CachedModel model, ModelCopy copy, CancellationToken cancellationToken)
    {
        long version;
        bool everyFileSuspect;
        HashSet<ulong> written;
        lock (model.Gate)
        {
            if (copy.OpenWriters > 0)
            {
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, copy.AnyWriter));
            }

            version = copy.ChangeVersion;
            everyFileSuspect = copy.EveryFileSuspect;
            written = [.. copy.WrittenInodes];
        }

        try
        {
            var known = CopyFiles.ReadBase(copy.Folder);
            var scan = TreeScan.Run(
                copy.Content,
                known,
                (path, status) =>
                {
                    if (everyFileSuspect || written.Contains(status.Inode))
                    {
                        RefuseIfWritable(model, copy, path);
                    }
                },
                cancellationToken);

            if (scan.Files.Count == 0)
            {
                return new PublishOutcome(PublishResult.NothingToPublish);
            }

            if (ModelTree.Digest(scan.Entries).ToString() == copy.Manifest.BaseDigest)
            {
                // The same bytes, but written anew: nothing says that they are on the disk.
                var unsealed = copy.Manifest with { BootId = CacheFolder.BootId };
                return await FinishAsync(model, copy, version, unsealed, scan, PublishResult.Unchanged, cancellationToken).ConfigureAwait(false);
            }

            SyncChanged(copy, scan);
            if (!await MarkSyncedAsync(model, copy, version, cancellationToken).ConfigureAwait(false))
            {
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
            }

            try
            {
                return await PackAndStoreAsync(model, copy, version, scan, uponBase: true, cancellationToken).ConfigureAwait(false);
            }
            catch (BaseReplacedException)
            {
                return await PackAndStoreAsync(model, copy, version, scan, uponBase: false, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (NotQuietException busy)
        {
            return new PublishOutcome(PublishResult.NotQuiet, busy.Reason);
        }
        catch (Exception error) when (error is StoreException or ArchiveException or PackException or ModelException or IOException or UnauthorizedAccessException)
        {
            return IsCurrent(model, copy, version)
                ? new PublishOutcome(PublishResult.Failed, ModelErrors.From(error, $"cannot publish {model.Name} to {store.DisplayName}"))
                : new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
        }
    }

    private static ModelException Busy(CachedModel model, string? path) => new(
        ModelErrorKind.Busy,
        path is null
            ? $"{model.Name} is changing; it is published once it is quiet"
            : $"{model.Name}/{path} is open for writing; it is published once the program has closed it");

    private static void RefuseIfWritable(CachedModel model, ModelCopy copy, string path)
    {
        var error = PosixFile.ProbeQuiet(copy.Content + "/" + path);
        if (error == Errno.EAGAIN)
        {
            throw new NotQuietException(Busy(model, path));
        }

        // Other errors mean that the cache's file system has no leases; the count of open files is all there is to go by then.
    }

    /// <summary>Brings changed files and all folders to the disk, so that the journal may say so.</summary>
    private static void SyncChanged(ModelCopy copy, TreeScan scan)
    {
        foreach (var path in scan.Changed)
        {
            DurableFile.Check(PosixFile.SyncPath(copy.Content + "/" + path), "sync", path);
        }

        foreach (var entry in scan.Entries)
        {
            if (entry.Type == TreeEntryType.Directory)
            {
                DurableFile.Check(PosixFile.SyncPath(copy.Content + "/" + entry.Path), "sync", entry.Path);
            }
        }
    }

    private static bool IsCurrent(CachedModel model, ModelCopy copy, long version)
    {
        lock (model.Gate)
        {
            return copy.ChangeVersion == version;
        }
    }

    /// <summary>Lets the journal say that everything is on the disk, unless a change began meanwhile.</summary>
    private async Task<bool> MarkSyncedAsync(CachedModel model, ModelCopy copy, long version, CancellationToken cancellationToken)
    {
        await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (model.Gate)
            {
                if (copy.ChangeVersion != version)
                {
                    return false;
                }

                copy.IsMarkedSynced = true;
            }

            journal.Mark(copy.Id, copy.Manifest.Key, CacheJournal.StateSynced, copy.DirtySince, copy.Sent);
            return true;
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    private async Task<PublishOutcome> PackAndStoreAsync(
        CachedModel model, ModelCopy copy, long version, TreeScan scan, bool uponBase, CancellationToken cancellationToken)
    {
        var format = ModelKey.TryParse(copy.Manifest.Key, out var key) && key.Format.CanWrite() ? key.Format : ArchiveFormat.TarGz;
        var publishKey = new ModelKey(model.Name, format).ToString();
        var packPath = files.NewPackPath();
        try
        {
            PackedModel packed;
            var (basis, source) = uponBase ? await _bases.FindAsync(copy, publishKey, cancellationToken).ConfigureAwait(false) : default;
            var output = new FileStream(packPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, 1 << 20, FileOptions.Asynchronous);
            await using (output.ConfigureAwait(false))
            {
                var how = new PackOptions(format, copy.Manifest.Layout, model.Name, options.Compression, options.ArchiveStructure)
                {
                    Order = LoadOrder.Read(copy.Folder),
                    Base = basis,
                };
                packed = await ModelPacker.PackAsync(copy.Content, scan.Entries, how, output, cancellationToken).ConfigureAwait(false);
            }

            var content = new PackFile(packPath, packed, model, store, source);
            var note = new SentArchive(
                publishKey, copy.Manifest.BaseRevision, packed.ArchiveBytes, await content.IdentityAsync(cancellationToken).ConfigureAwait(false), packed.TreeDigest.ToString());
            if (!await _sent.NoteAsync(model, copy, version, note, cancellationToken).ConfigureAwait(false))
            {
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
            }

            var stored = await StoreAsync(model, copy, publishKey, content, cancellationToken).ConfigureAwait(false);
            if (stored is null)
            {
                return new PublishOutcome(
                    PublishResult.Conflict,
                    new ModelException(ModelErrorKind.Conflict, $"{publishKey} in {store.DisplayName} was changed by somebody else since this version was fetched"));
            }

            LogPublished(logger, publishKey, stored.Length, scan.Files.Count, stored.Revision.Value, packed.Compression, packed.BytesFromBase);
            PackBases.Keep(copy, stored, content);
            var manifest = copy.Manifest with
            {
                Key = publishKey,
                BaseRevision = stored.Revision.Value,
                BaseLength = stored.Length,
                BaseModified = stored.LastModified,
                BaseDigest = packed.TreeDigest.ToString(),
            };
            lock (model.Gate)
            {
                model.NoteStored(stored, time.GetTimestamp());
            }

            return await FinishAsync(model, copy, version, manifest, scan, PublishResult.Published, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _ = PosixFile.Unlink(packPath);
        }
    }

    /// <summary>Uploads under the condition that belongs to the copy's base.</summary>
    /// <returns>Null when the condition does not hold and what is there is not this very archive.</returns>
    private async Task<StoredObject?> StoreAsync(CachedModel model, ModelCopy copy, string key, PackFile content, CancellationToken cancellationToken)
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
            if (await _sent.FindAsync(copy, current, cancellationToken).ConfigureAwait(false) is not { } earlier)
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
    private async Task AdoptAsync(CachedModel model, ModelCopy copy, StoredObject stored, SentArchive sent, CancellationToken cancellationToken)
    {
        LogAdopted(logger, sent.Key, stored.Revision.Value);
        await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var manifest = copy.Manifest with
            {
                Key = sent.Key,
                BaseRevision = stored.Revision.Value,
                BaseLength = stored.Length,
                BaseModified = stored.LastModified,
                BaseDigest = sent.TreeDigest,
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

    private async Task<PublishOutcome> FinishAsync(
        CachedModel model, ModelCopy copy, long version, CopyManifest manifest, TreeScan scan, PublishResult result, CancellationToken cancellationToken)
    {
        await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            manifest = manifest with { ContentBytes = scan.ContentBytes, Files = scan.Files.Count };
            CopyFiles.WriteBase(copy.Folder, scan.Files, durable: result == PublishResult.Published);
            CopyFiles.WriteManifest(copy.Folder, manifest, durable: result == PublishResult.Published);
            lock (model.Gate)
            {
                copy.Manifest = manifest;
                copy.ContentBytes = scan.ContentBytes;
                copy.Sent = [];
                if (copy.ChangeVersion != version)
                {
                    return new PublishOutcome(result);
                }

                copy.DirtySince = null;
                copy.IsMarkedSynced = false;
                copy.OnlyRemovals = true;
                copy.EveryFileSuspect = false;
                copy.NeedsReview = false;
                copy.WrittenInodes.Clear();

                // Inside of the gate: a change that begins now finds the copy clean and writes its own mark after this.
                journal.Clear(copy.Id);
            }

            return new PublishOutcome(result);
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "published {Key}: {Bytes} bytes, {Files} files, revision {Revision}; {Compression}, {Kept} bytes of the archive as they were")]
    private static partial void LogPublished(ILogger logger, string key, long bytes, int files, string revision, CompressionReport compression, long kept);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Key}: revision {Revision} is an earlier version of this mount's own, whose upload got no answer")]
    private static partial void LogAdopted(ILogger logger, string key, string revision);

    /// <summary>What was packed refers to a revision that turned out to be replaced, by an upload of this copy's own.</summary>
    private sealed class BaseReplacedException : Exception;

    private sealed class NotQuietException(ModelException reason) : Exception
    {
        public ModelException Reason { get; } = reason;
    }
}
