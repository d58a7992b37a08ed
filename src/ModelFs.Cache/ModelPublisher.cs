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
internal sealed partial class ModelPublisher
{
    private readonly IModelStore _store;
    private readonly CopyFiles _files;
    private readonly CacheJournal _journal;
    private readonly CopyShelf _shelf;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CacheOptions _options;
    private readonly SentArchives _sent;
    private readonly ConditionalUpload _upload;
    private readonly PackBases _bases;

    public ModelPublisher(IModelStore store, CopyFiles files, CacheJournal journal, CopyShelf shelf, CacheOptions options, TimeProvider time, ILogger logger)
    {
        (_store, _files, _journal, _shelf, _options, _time, _logger) = (store, files, journal, shelf, options, time, logger);
        _sent = new SentArchives(store, journal);
        _upload = new ConditionalUpload(store, _sent, time, logger);
        _bases = new PackBases(store, options);
    }

    /// <summary>Attempts it; every outcome but success leaves the copy dirty and whole.</summary>
    public async Task<PublishOutcome> PublishAsync(CachedModel model, ModelCopy copy, CancellationToken cancellationToken)
    {
        Moment moment;
        lock (model.Gate)
        {
            if (copy.Hydration is not null)
            {
                // A copy is whole before it is changed; should it not be, nothing of it may be published.
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
            }

            // Files whose close waits for this very attempt are still open; every other writer holds it up.
            var isClosing = model.IsPublishedAtClose && copy.OpenWriters > 0 && copy.OpenWriters == copy.ClosingHandles;
            if (copy.OpenWriters > 0 && !isClosing)
            {
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, copy.AnyWriter));
            }

            moment = new Moment(copy.ChangeVersion, isClosing, copy.EveryFileSuspect, [.. copy.WrittenInodes]);
        }

        try
        {
            var known = CopyFiles.ReadBase(copy.Folder);
            var scan = TreeScan.Run(
                copy.Content,
                known,
                (path, status) =>
                {
                    if (!moment.IsClosing && moment.IsSuspect(status.Inode))
                    {
                        RefuseIfWritable(model, copy, path);
                    }
                },
                cancellationToken);
            if (moment.IsClosing)
            {
                // A file that can still be written is read again by whoever looks next, whatever lstat says of it.
                scan = scan with { Files = [.. scan.Files.Select(file => moment.IsSuspect(file.Inode) ? file with { ChangeNanoseconds = TreeScan.NeverSame } : file)] };
            }

            if (scan.Files.Count == 0)
            {
                return new PublishOutcome(PublishResult.NothingToPublish);
            }

            if (ModelTree.Digest(scan.Entries).ToString() == copy.Manifest.BaseDigest && !await _sent.HasArrivedAsync(copy, cancellationToken).ConfigureAwait(false))
            {
                // The same bytes, but written anew: nothing says that they are on the disk.
                var unsealed = copy.Manifest with { BootId = CacheFolder.BootId };
                return await FinishAsync(model, copy, moment.Version, unsealed, scan, PublishResult.Unchanged, cancellationToken).ConfigureAwait(false);
            }

            SyncChanged(copy, scan);
            if (!moment.IsClosing && !await MarkSyncedAsync(model, copy, moment.Version, cancellationToken).ConfigureAwait(false))
            {
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
            }

            try
            {
                return await PackAndStoreAsync(model, copy, moment, scan, uponBase: true, cancellationToken).ConfigureAwait(false);
            }
            catch (ConditionalUpload.BaseReplacedException)
            {
                return await PackAndStoreAsync(model, copy, moment, scan, uponBase: false, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException full) when (ModelErrors.IsDiskFull(full))
            {
                // The archive did not fit beside its tree. What can be fetched again goes before what can't.
                _shelf.MakeRoom(Math.Min(scan.ContentBytes, _options.BytesMax ?? long.MaxValue), keep: copy);
                return await PackAndStoreAsync(model, copy, moment, scan, uponBase: true, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (NotQuietException busy)
        {
            return new PublishOutcome(PublishResult.NotQuiet, busy.Reason);
        }
        catch (PackException) when (moment.IsClosing)
        {
            return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
        }
        catch (StoreException error) when (PackFile.IsChanged(error) && !IsCurrent(model, copy, moment.Version))
        {
            copy.ChangedWhileSent = true;
            return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
        }
        catch (Exception error) when (error is StoreException or ArchiveException or PackException or ModelException or IOException or UnauthorizedAccessException)
        {
            return IsCurrent(model, copy, moment.Version)
                ? new PublishOutcome(PublishResult.Failed, ModelErrors.From(error, $"cannot publish {model.Name} to {_store.DisplayName}"))
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

    /// <summary>After packing files that could still be written: every byte of them is still what was packed.</summary>
    private static void RefuseIfWritten(CachedModel model, ModelCopy copy, Moment moment, TreeScan packed, CancellationToken cancellationToken)
    {
        var known = packed.Files.Where(file => !moment.IsSuspect(file.Inode)).ToDictionary(file => file.Path, StringComparer.Ordinal);
        var now = TreeScan.Run(copy.Content, known, null, cancellationToken);
        if (ModelTree.Digest(now.Entries) != ModelTree.Digest(packed.Entries))
        {
            throw new NotQuietException(Busy(model, null));
        }
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

            _journal.Mark(copy.Id, copy.Manifest.Key, CacheJournal.StateSynced, copy.DirtySince, copy.Sent);
            return true;
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    private async Task<PublishOutcome> PackAndStoreAsync(
        CachedModel model, ModelCopy copy, Moment moment, TreeScan scan, bool uponBase, CancellationToken cancellationToken)
    {
        var format = ModelKey.TryParse(copy.Manifest.Key, out var key) && key.Format.CanWrite() ? key.Format : ArchiveFormat.TarGz;
        var publishKey = new ModelKey(model.Name, format).ToString();
        var packPath = _files.NewPackPath();
        try
        {
            var basis = uponBase ? await _bases.FindAsync(copy, publishKey, cancellationToken).ConfigureAwait(false) : default;
            var how = new PackOptions(format, copy.Manifest.Layout, model.Name, _options.Compression, _options.ArchiveStructure)
            {
                Order = LoadOrder.Read(copy.Folder),

                // Files that can still be written are packed as they are now; so is a model that did not stay as it was long enough to be sent.
                LeavesPieces = !moment.IsClosing && !copy.ChangedWhileSent,
            };
            var packed = await PackAsync(copy, scan, how, basis, packPath, cancellationToken).ConfigureAwait(false);
            var content = new PackFile(packPath, packed, model, copy.Content, _store, basis.IsComposed ? basis.Source : null);
            var note = new SentArchive(
                publishKey, copy.Manifest.BaseRevision, packed.ArchiveBytes, await content.IdentityAsync(cancellationToken).ConfigureAwait(false), packed.TreeDigest.ToString());
            if (moment.IsClosing)
            {
                RefuseIfWritten(model, copy, moment, scan, cancellationToken);
            }

            if (!await _sent.NoteAsync(model, copy, moment.Version, note, cancellationToken).ConfigureAwait(false))
            {
                return new PublishOutcome(PublishResult.NotQuiet, Busy(model, null));
            }

            var stored = await _upload.RunAsync(model, copy, publishKey, content, cancellationToken).ConfigureAwait(false);
            if (stored is null)
            {
                return new PublishOutcome(
                    PublishResult.Conflict,
                    new ModelException(ModelErrorKind.Conflict, $"{publishKey} in {_store.DisplayName} was changed by somebody else since this version was fetched"));
            }

            LogPublished(_logger, publishKey, stored.Length, scan.Files.Count, stored.Revision.Value, packed.Compression, packed.BytesFromBase);
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
                model.NoteStored(stored, _time.GetTimestamp());
            }

            return await FinishAsync(model, copy, moment.Version, manifest, scan, PublishResult.Published, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _ = PosixFile.Unlink(packPath);
        }
    }

    private async Task<PackedModel> PackAsync(ModelCopy copy, TreeScan scan, PackOptions how, PackBase basis, string path, CancellationToken cancellationToken)
    {
        var output = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, 1 << 20, FileOptions.Asynchronous);
        await using (output.ConfigureAwait(false))
        {
            try
            {
                var upon = how with
                {
                    Base = basis.Index,
                    ReadBase = basis is { Source: { } source, IsComposed: false } ? (offset, length, token) => _store.ReadAsync(source, offset, length, token) : null,
                };
                return await ModelPacker.PackAsync(copy.Content, scan.Entries, upon, output, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (basis.Index is not null && !basis.IsComposed && error is (StoreException or ArchiveException))
            {
                // Everything is here: the base, which is gone or damaged or can't be reached, only spares work.
                LogPackedAnew(_logger, basis.Source!.Key, error.Message);
                output.SetLength(0);
                return await ModelPacker.PackAsync(copy.Content, scan.Entries, how, output, cancellationToken).ConfigureAwait(false);
            }
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
            var map = result == PublishResult.Published ? HollowCopies.TryAdopt(copy, manifest) : null;
            if (map is not null)
            {
                // It can be dropped and fetched file by file from now on.
                manifest = manifest with { Version = CopyManifest.IndexedVersion, Indexed = true };
            }

            CopyFiles.WriteManifest(copy.Folder, manifest, durable: result == PublishResult.Published);
            lock (model.Gate)
            {
                copy.Manifest = manifest;
                copy.ContentBytes = scan.ContentBytes;
                copy.Sent = [];
                copy.ChangedWhileSent = false;
                if (copy.ChangeVersion != version || copy.OpenWriters > 0)
                {
                    // Also when a file is only being closed: the mark stays until nobody can write any more.
                    // As a start would take it: marked, it is not what its index says.
                    copy.Manifest = manifest with { Version = CopyManifest.CurrentVersion, Indexed = false };
                    return new PublishOutcome(result);
                }

                copy.Map = map;

                copy.DirtySince = null;
                copy.IsUnsettledTold = false;
                copy.IsMarkedSynced = false;
                copy.OnlyRemovals = true;
                copy.EveryFileSuspect = false;
                copy.NeedsReview = false;
                copy.WrittenInodes.Clear();

                // Inside of the gate: a change that begins now finds the copy clean and writes its own mark after this.
                _journal.Clear(copy.Id);
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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Key} is packed anew, because what it shares with the store's revision can't be read from there: {Reason}")]
    private static partial void LogPackedAnew(ILogger logger, string key, string reason);

    /// <summary>How the copy stood when the attempt began.</summary>
    /// <param name="Version">Its change version.</param>
    /// <param name="IsClosing">Whether files of it are still open, of which all are being closed.</param>
    /// <param name="EveryFileSuspect">Whether any file may have a writer that this process does not know of.</param>
    /// <param name="Written">Files, by their inode, that were opened for writing.</param>
    private sealed record Moment(long Version, bool IsClosing, bool EveryFileSuspect, HashSet<ulong> Written)
    {
        public bool IsSuspect(ulong inode) => EveryFileSuspect || Written.Contains(inode);
    }

    private sealed class NotQuietException(ModelException reason) : Exception
    {
        public ModelException Reason { get; } = reason;
    }
}
