using Microsoft.Extensions.Logging;
using ModelFs.Archives;
using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Brings one model here. Of an indexed archive only the end is read, which is enough for a copy that shows everything; its content follows (<see cref="Hydrator"/>). A foreign
/// archive is downloaded, inflated, unpacked and verified as one overlapped pipeline into a staged copy, then one rename.
/// </summary>
internal sealed partial class ModelFetcher(
    IModelStore store, CopyFiles files, CopyShelf shelf, CacheFolder folder, SemaphoreSlim slots, CacheOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Of all fetches together, about; a fetch keeps the share that it began with.</summary>
    private const long InFlightBytesMax = 48 << 20;

    private int _running;

    /// <summary>Fetches the revision that the last listing named, or the current one if that is gone.</summary>
    /// <returns>A copy that can be shown; of one whose files are still being made, the names.</returns>
    /// <exception cref="ModelException">Nothing is left behind.</exception>
    public async Task<FetchedCopy> FetchAsync(CachedModel model, StoredObject stored, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await FetchRevisionAsync(model, stored, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException error) when (error.Kind is StoreErrorKind.RevisionChanged or StoreErrorKind.NotFound)
            {
                var current = await store.StatAsync(stored.Key, cancellationToken).ConfigureAwait(false)
                    ?? throw new ModelException(ModelErrorKind.NotFound, $"{stored.Key} is no longer in {store.DisplayName}", error);
                lock (model.Gate)
                {
                    model.NoteStored(current, time.GetTimestamp());
                }

                return await FetchRevisionAsync(model, current, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is StoreException or ArchiveException)
        {
            throw ModelErrors.From(error, $"cannot fetch {stored.Key} from {store.DisplayName}");
        }
    }

    private async Task<FetchedCopy> FetchRevisionAsync(CachedModel model, StoredObject stored, CancellationToken cancellationToken)
    {
        if (!ModelKey.TryParse(stored.Key, out var key))
        {
            throw new ModelException(ModelErrorKind.NotFound, $"{stored.Key} is not the key of a model");
        }

        StagedCopy? staged = null;
        try
        {
            byte[]? whole = null;
            if (key.Format is ArchiveFormat.TarGz or ArchiveFormat.Tgz)
            {
                // No slot is taken for it: a listing never waits for a download. The copy's folders are made while the store answers.
                var started = time.GetTimestamp();
                var reading = ArchiveTail.ReadAsync(store, stored, key.Model, cancellationToken);
                staged = TryStage();
                var tail = await reading.ConfigureAwait(false);
                if (tail.Index is { } index)
                {
                    staged ??= files.Stage();
                    var copy = HollowCopies.Make(staged, stored, tail, index, cancellationToken);
                    LogListed(logger, stored.Key, index.Tree.Count, time.GetElapsedTime(started).TotalMilliseconds);
                    return copy;
                }

                whole = tail.Bytes.Length == stored.Length ? tail.Bytes : null;
            }

            await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                shelf.MakeRoom(stored.Length);
                staged ??= files.Stage();
                return await FetchWholeAsync(model, stored, key, staged, whole, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                slots.Release();
            }
        }
        finally
        {
            staged?.Dispose();
        }
    }

    /// <summary>Begins the copy; null when the disk has no room even for that, and some is yet to be made.</summary>
    private StagedCopy? TryStage()
    {
        try
        {
            return files.Stage();
        }
        catch (ModelException)
        {
            return null;
        }
    }

    private async Task<FetchedCopy> FetchWholeAsync(
        CachedModel model, StoredObject stored, ModelKey key, StagedCopy staged, byte[]? whole, CancellationToken cancellationToken)
    {
        var bytesMax = RoomFor(stored);
        var running = Interlocked.Increment(ref _running);
        try
        {
            Interlocked.Exchange(ref model.ProgressField, 0);
            var started = time.GetTimestamp();
            UnpackedModel unpacked;

            // The end of a small archive was all of it.
            Stream archive = whole is null
                ? new RangeArchive(new ParallelRangeReader(store, stored, new ParallelReadOptions { InFlightBytesMax = InFlightBytesMax / running }, null, cancellationToken))
                : new MemoryStream(whole, writable: false);
            await using (archive.ConfigureAwait(false))
            {
                unpacked = await ModelUnpacker.UnpackAsync(
                    archive,
                    stored.Length,
                    key.Format,
                    key.Model,
                    staged.Content,
                    new UnpackLimits(BytesMax: bytesMax),
                    new FetchProgress(model),
                    cancellationToken).ConfigureAwait(false);
            }

            foreach (var warning in unpacked.Warnings)
            {
                LogWarning(logger, stored.Key, warning);
            }

            var fileCount = unpacked.Entries.Count(entry => entry.Type == TreeEntryType.File);
            var manifest = new CopyManifest(
                CopyManifest.CurrentVersion,
                stored.Key,
                stored.Revision.Value,
                stored.Length,
                stored.LastModified,
                unpacked.TreeDigest.ToString(),
                unpacked.Layout,
                unpacked.ContentBytes,
                fileCount,
                CacheFolder.BootId);
            CopyFiles.WriteBase(staged.Path, CopyFiles.DescribeBase(staged.Content, unpacked.Entries), durable: false);
            CopyFiles.WriteManifest(staged.Path, manifest, durable: false);
            var path = staged.Commit();
            LogFetched(logger, stored.Key, stored.Length, fileCount, time.GetElapsedTime(started).TotalMilliseconds);
            return new FetchedCopy(staged.Id, path, manifest);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>How many unpacked bytes a fetch may write.</summary>
    private long RoomFor(StoredObject stored)
    {
        DurableFile.Check(PosixFile.StatFileSystem(folder.Root, out var disk), "stat", folder.Root);
        var free = Math.Max(0, disk.BytesAvailable - options.FreeBytesMin);
        var room = Math.Min(free, options.BytesMax ?? long.MaxValue);
        if (stored.Length > room)
        {
            throw new ModelException(
                ModelErrorKind.NoSpace,
                $"{stored.Key} has {stored.Length:N0} bytes packed, and the cache {folder.Root} has room for {room:N0}; raise --cache-size or free space on its disk");
        }

        return room;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "fetched {Key}: {Bytes} bytes, {Files} files in {Milliseconds:F0} ms")]
    private static partial void LogFetched(ILogger logger, string key, long bytes, int files, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "read the index of {Key}: {Entries} entries in {Milliseconds:F0} ms")]
    private static partial void LogListed(ILogger logger, string key, int entries, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key}: {Warning}")]
    private static partial void LogWarning(ILogger logger, string key, string warning);

    private sealed class FetchProgress(CachedModel model) : IProgress<long>
    {
        public void Report(long value) => Interlocked.Exchange(ref model.ProgressField, value);
    }
}
