using Microsoft.Extensions.Logging;
using ModelFs.Archives;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Brings one model here: download, inflate, unpack and verify as one overlapped pipeline into a staged copy, then one rename.</summary>
internal sealed partial class ModelFetcher(IModelStore store, CopyFiles files, CacheFolder folder, CacheOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Of all fetches together, about; a fetch keeps the share that it began with.</summary>
    private const long InFlightBytesMax = 64 << 20;

    private int _running;

    /// <summary>Fetches the revision that the last listing named, or the current one if that is gone.</summary>
    /// <returns>The folder of a complete copy, its id and manifest.</returns>
    /// <exception cref="ModelException">Nothing is left behind.</exception>
    public async Task<(long Id, string Path, CopyManifest Manifest)> FetchAsync(CachedModel model, StoredObject stored, CancellationToken cancellationToken)
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

    private async Task<(long Id, string Path, CopyManifest Manifest)> FetchRevisionAsync(CachedModel model, StoredObject stored, CancellationToken cancellationToken)
    {
        if (!ModelKey.TryParse(stored.Key, out var key))
        {
            throw new ModelException(ModelErrorKind.NotFound, $"{stored.Key} is not the key of a model");
        }

        var bytesMax = RoomFor(stored);
        var (id, staged) = files.Stage();
        var running = Interlocked.Increment(ref _running);
        try
        {
            Interlocked.Exchange(ref model.ProgressField, 0);
            var started = time.GetTimestamp();
            UnpackedModel unpacked;
            var archive = new ParallelRangeReader(store, stored, new ParallelReadOptions { InFlightBytesMax = InFlightBytesMax / running }, null, cancellationToken);
            await using (archive.ConfigureAwait(false))
            {
                unpacked = await ModelUnpacker.UnpackAsync(
                    archive,
                    stored.Length,
                    key.Format,
                    key.Model,
                    staged + "/content",
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
            CopyFiles.WriteBase(staged, CopyFiles.DescribeBase(staged + "/content", unpacked.Entries), durable: false);
            CopyFiles.WriteManifest(staged, manifest, durable: false);
            var path = files.Commit(id, staged);
            LogFetched(logger, stored.Key, stored.Length, fileCount, time.GetElapsedTime(started).TotalMilliseconds);
            return (id, path, manifest);
        }
        catch
        {
            files.Drop(staged);
            throw;
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key}: {Warning}")]
    private static partial void LogWarning(ILogger logger, string key, string warning);

    private sealed class FetchProgress(CachedModel model) : IProgress<long>
    {
        public void Report(long value) => Interlocked.Exchange(ref model.ProgressField, value);
    }
}
