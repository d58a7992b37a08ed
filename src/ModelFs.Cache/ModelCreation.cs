using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Makes models that the store has never seen.</summary>
internal sealed class ModelCreation(ModelCatalog catalog, CopyFiles files, CacheJournal journal, CopyShelf shelf, WritebackQueue queue, TimeProvider time)
{
    /// <summary>Makes a new, empty model; returns when its mark is on disk.</summary>
    /// <exception cref="ModelException">There is a model of that name, or the cache's disk refused.</exception>
    public async Task<ModelCopy> CreateAsync(ModelName name, uint mode, CancellationToken cancellationToken)
    {
        var model = await catalog.TakeDiskTurnAsync(name, cancellationToken).ConfigureAwait(false);
        try
        {
            lock (model.Gate)
            {
                if (model.Copy is not null || model.Stored is not null || model.Fetch is not null)
                {
                    throw new ModelException(ModelErrorKind.Busy, $"there is a model {name} already");
                }
            }

            var (id, staged) = files.Stage();
            var manifest = new CopyManifest(
                CopyManifest.CurrentVersion, new ModelKey(name, ArchiveFormat.TarGz).ToString(), null, 0, default, null, ModelCache.LayoutOf(name), 0, 0, CacheFolder.BootId);
            DurableFile.Check(PosixFile.SetMode(staged + "/content", mode), "set the mode of", staged);
            CopyFiles.WriteManifest(staged, manifest, durable: true);
            journal.Mark(id, manifest.Key, CacheJournal.StateDirty);
            var copy = new ModelCopy(model, id, files.Commit(id, staged), manifest);
            lock (model.Gate)
            {
                copy.DirtySince = copy.LastChange = copy.LastUsed = time.GetUtcNow();
                copy.OnlyRemovals = false;
                model.Copy = copy;
                model.MoveTo(ModelState.Dirty);
            }

            shelf.Add(copy);
            queue.Touch(model);
            return copy;
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }
}
