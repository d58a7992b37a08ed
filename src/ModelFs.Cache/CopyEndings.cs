using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>How a copy with changes stops being its model's: given up, or kept beside it.</summary>
internal sealed class CopyEndings(CopyFiles files, CacheJournal journal, CopyShelf shelf, ModelCatalog catalog, TimeProvider time)
{
    /// <summary>Gives up a copy with its changes. The folder goes before the mark: a mark without a folder is harmless, the reverse is not.</summary>
    public void Discard(CachedModel model, ModelCopy copy)
    {
        lock (model.Gate)
        {
            ModelCache.Retire(model, copy);
        }

        DropRetired(copy);
    }

    /// <summary>Drops a copy with changes that is its model's no more.</summary>
    public void DropRetired(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.DirtySince = null;
        }

        files.Drop(copy.Folder);
        journal.Clear(copy.Id);
        shelf.NoteRetired(copy);
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
