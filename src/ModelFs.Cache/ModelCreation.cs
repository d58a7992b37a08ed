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

            using var staged = files.Stage();
            var copy = Commit(model, staged, mode);
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

    private ModelCopy Commit(CachedModel model, StagedCopy staged, uint mode)
    {
        var key = new ModelKey(model.Name, ArchiveFormat.TarGz).ToString();
        var manifest = new CopyManifest(CopyManifest.CurrentVersion, key, null, 0, default, null, ModelCache.LayoutOf(model.Name), 0, 0, CacheFolder.BootId);
        DurableFile.Check(PosixFile.SetMode(staged.Content, mode), "set the mode of", staged.Content);
        CopyFiles.WriteManifest(staged.Path, manifest, durable: true);
        journal.Mark(staged.Id, key, CacheJournal.StateDirty);
        try
        {
            return new ModelCopy(model, staged.Id, staged.Commit(), manifest);
        }
        catch (ModelException)
        {
            journal.Clear(staged.Id);
            throw;
        }
    }
}
