using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>How a copy with changes stops being its model's: given up, or kept beside it.</summary>
internal sealed class CopyEndings(CopyFiles files, CacheJournal journal, CopyShelf shelf, ModelCatalog catalog, TimeProvider time)
{
    // Copies that the disk did not let go. Its lock is held while they are tried again; gates are taken inside of it.
    private readonly List<ModelCopy> _undropped = [];

    /// <summary>Whether the disk kept a copy that is over.</summary>
    public bool HasUndropped => _undropped.Count > 0;

    /// <summary>Gives up a copy with its changes. The folder goes before the mark: a mark without a folder is harmless, the reverse is not.</summary>
    public void Discard(CachedModel model, ModelCopy copy)
    {
        lock (model.Gate)
        {
            ModelCache.Retire(model, copy);
        }

        DropRetired(copy);
    }

    /// <summary>
    /// Drops a copy with changes that is its model's no more. One that a failing disk keeps stays marked until <see cref="DropUndropped"/>: without its
    /// mark the next daemon would take it for what the store has.
    /// </summary>
    public void DropRetired(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.DirtySince = null;
        }

        if (files.TryDrop(copy.Folder))
        {
            journal.Clear(copy.Id);
        }
        else
        {
            lock (_undropped)
            {
                _undropped.Add(copy);
            }
        }

        shelf.NoteRetired(copy);
    }

    /// <summary>Drops what a failing disk kept.</summary>
    public void DropUndropped()
    {
        lock (_undropped)
        {
            _undropped.RemoveAll(copy =>
            {
                if (!files.TryDrop(copy.Folder))
                {
                    return false;
                }

                journal.Clear(copy.Id);
                shelf.DropIfUnused(copy);
                return true;
            });
        }
    }

    /// <summary>Keeps a version that lost against the store, or that its person wants beside it, under a name of its own; the model's folder leads to the store's version again.</summary>
    public void SetAside(CachedModel model, ModelCopy copy)
    {
        var manifest = copy.Manifest with { ConflictName = ConflictNames.For(model.Name, time.GetUtcNow()) };
        CopyFiles.WriteManifest(copy.Folder, manifest, durable: true);
        journal.Clear(copy.Id);
        lock (model.Gate)
        {
            copy.Manifest = manifest;
            copy.DirtySince = null;
            copy.NeedsReview = false;
            if (model.State == ModelState.Publishing)
            {
                model.MoveTo(ModelState.Conflicted);
            }

            ModelCache.Retire(model, copy);
        }

        shelf.AddConflicts([copy]);
        shelf.NoteRetired(copy);
        _ = catalog.RefreshIfOlder(TimeSpan.Zero);
    }
}
