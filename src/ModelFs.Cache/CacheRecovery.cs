using System.Globalization;
using Microsoft.Extensions.Logging;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Takes up what an earlier daemon left in the cache folder: clean copies, dirty ones, versions that lost a conflict.</summary>
internal sealed partial class CacheRecovery(CacheFolder folder, CopyFiles files, CacheJournal journal, TimeProvider time, ILogger logger)
{
    /// <summary>Loads every copy into the catalog.</summary>
    /// <param name="catalog">Gets the models.</param>
    /// <param name="keepReplaced">Whether older copies of a model stay, retired, for inodes that the kernel still holds.</param>
    /// <returns>All copies that stay, and those that are kept as conflicts.</returns>
    public (IReadOnlyList<ModelCopy> Copies, IReadOnlyList<ModelCopy> Conflicts) Load(ModelCatalog catalog, bool keepReplaced)
    {
        var marks = journal.ReadAll();
        var copies = new List<ModelCopy>();
        var conflicts = new List<ModelCopy>();
        foreach (var (id, path) in NewestFirst())
        {
            marks.TryGetValue(id, out var mark);
            var manifest = CopyFiles.ReadManifest(path) ?? Reconstruct(mark);
            if (manifest is null || !ModelKey.TryParse(manifest.Key, out var key))
            {
                if (mark is null)
                {
                    files.Drop(path);
                }
                else
                {
                    LogUnreadable(logger, path);
                    conflicts.Add(KeepNameless(id, path));
                }
            }
            else if (manifest.ConflictName is not null)
            {
                // A mark that is left of the moment when it was set aside.
                journal.Clear(id);
                conflicts.Add(new ModelCopy(new CachedModel(key.Model), id, path, manifest) { IsRetired = true });
            }
            else if (Take(catalog.GetOrAdd(key.Model), new ModelCopy(catalog.GetOrAdd(key.Model), id, path, manifest), mark, keepReplaced) is { } copy)
            {
                copies.Add(copy);
                if (!keepReplaced)
                {
                    DropUnlinked(copy);
                }
            }
            else if (mark is not null)
            {
                LogTwice(logger, key.Model.ToString(), path);
                conflicts.Add(KeepAside(key.Model, id, path, manifest));
            }
        }

        foreach (var orphan in marks.Keys.Where(id => !Directory.Exists(Path.Combine(folder.Trees, id.ToString(CultureInfo.InvariantCulture)))))
        {
            journal.Clear(orphan);
        }

        return (copies, conflicts);
    }

    /// <summary>A new model whose manifest did not reach the disk still has its mark.</summary>
    private static CopyManifest? Reconstruct(JournalMark? mark) =>
        mark is not null && ModelKey.TryParse(mark.Key, out var key)
            ? new CopyManifest(CopyManifest.CurrentVersion, mark.Key, null, 0, default, null, ModelCache.LayoutOf(key.Model), 0, 0, mark.BootId)
            : null;

    /// <summary>Keeps a copy with changes that can't be shown as its model, where a person finds it: among the conflicts.</summary>
    private ModelCopy KeepAside(ModelName name, long id, string path, CopyManifest manifest)
    {
        var kept = manifest with { ConflictName = ConflictNames.For(name, time.GetUtcNow()) };
        CopyFiles.WriteManifest(path, kept, durable: true);
        journal.Clear(id);
        return new ModelCopy(new CachedModel(name), id, path, kept) { IsRetired = true };
    }

    /// <summary>Neither the mark nor the manifest tells whose copy it is.</summary>
    private ModelCopy KeepNameless(long id, string path)
    {
        if (!ModelName.TryCreate(null, string.Create(CultureInfo.InvariantCulture, $"recovered-{id}"), out var name))
        {
            throw new InvalidOperationException("a name of letters and digits is valid");
        }

        var key = new ModelKey(name, ArchiveFormat.TarGz).ToString();
        var manifest = new CopyManifest(CopyManifest.CurrentVersion, key, null, 0, default, null, ModelCache.LayoutOf(name), 0, 0, CacheFolder.BootId);
        return KeepAside(name, id, path, manifest);
    }

    /// <summary>Files without a name live as long as a handle, and no handle outlives its mount.</summary>
    private static void DropUnlinked(ModelCopy copy)
    {
        _ = PosixFile.List(copy.Unlinked, out var left);
        foreach (var file in left)
        {
            TreeRemoval.Remove(copy.Unlinked + "/" + file.Name);
        }
    }

    private IEnumerable<(long Id, string Path)> NewestFirst()
    {
        var found = new List<(long Id, string Path)>();
        foreach (var path in Directory.EnumerateDirectories(folder.Trees))
        {
            if (long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                found.Add((id, path));
            }
        }

        return found.OrderByDescending(copy => copy.Id);
    }

    private ModelCopy? Take(CachedModel model, ModelCopy copy, JournalMark? mark, bool keepReplaced)
    {
        if (copy.Manifest.Version > CopyManifest.CurrentVersion)
        {
            throw new ModelException(ModelErrorKind.CacheFailed, $"{copy.Folder} was written by a newer modelfs; use that, or name another folder with --cache-dir");
        }

        copy.LastUsed = copy.LastUsedOnDisk = Directory.GetLastWriteTimeUtc(copy.Folder);
        return mark is null ? TakeClean(model, copy, keepReplaced) : TakeDirty(model, copy, mark);
    }

    private ModelCopy? TakeClean(CachedModel model, ModelCopy copy, bool keepReplaced)
    {
        lock (model.Gate)
        {
            if ((copy.Manifest.BootId is null || copy.Manifest.BootId == CacheFolder.BootId) && model.Copy is null)
            {
                model.Copy = copy;
                model.MoveTo(ModelState.Ready);
                return copy;
            }
        }

        if (keepReplaced)
        {
            copy.IsRetired = true;
            return copy;
        }

        // Replaced by a newer one; or never synced, and the machine went down since: what the store has is whole, this may not be.
        files.Drop(copy.Folder);
        return null;
    }

    private ModelCopy? TakeDirty(CachedModel model, ModelCopy copy, JournalMark mark)
    {
        lock (model.Gate)
        {
            if (model.Copy is { IsDirty: true })
            {
                return null;
            }

            if (model.Copy is { } clean)
            {
                // Only a dirty copy holds what is nowhere else.
                clean.IsRetired = true;
                model.Copy = null;
                model.MoveTo(ModelState.Absent);
            }

            copy.DirtySince = mark.Since;
            copy.LastChange = time.GetUtcNow();
            copy.OnlyRemovals = false;
            copy.EveryFileSuspect = true;
            copy.IsMarkedSynced = mark.State == CacheJournal.StateSynced;
            copy.Sent = mark.Sent ?? [];
            copy.NeedsReview = mark.BootId != CacheFolder.BootId && !copy.IsMarkedSynced;
            model.Copy = copy;
            model.MoveTo(ModelState.Dirty);
            if (copy.NeedsReview)
            {
                model.LastError = new ModelException(
                    ModelErrorKind.CacheFailed,
                    $"needs review: the machine went down before the last changes of {model.Name} were synced; look at it, then publish it with `modelfs sync {model.Name}`");
            }
        }

        return copy;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} holds unpublished changes but neither its manifest nor its mark can be read; it is kept under /.modelfs/conflicts")]
    private static partial void LogUnreadable(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Model} has more than one unpublished copy; {Path} is kept under /.modelfs/conflicts")]
    private static partial void LogTwice(ILogger logger, string model, string path);
}
