using ModelFs.Archives.Indexed;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Hydration;

/// <summary>Makes and loads indexed copies: trees that stand on disk by their names while their content comes later, or went.</summary>
internal static class HollowCopies
{
    /// <summary>Makes a copy of which nothing is here yet, from an archive's index.</summary>
    /// <returns>Its id, folder and manifest, what is known of its content, and the making of its files, which goes on.</returns>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public static FetchedCopy Make(StagedCopy staged, StoredObject stored, ArchiveTail tail, ArchiveIndex index, CancellationToken stopping)
    {
        HollowTree.MakeFolders(staged.Content, index.Tree);
        TreeMaking.Mark(staged.Path);
        var making = TreeMaking.Start(staged.Path, index.Tree, stopping);
        try
        {
            IndexFile.Write(staged.Path, stored.Revision.Value, stored.Length, tail.Bytes, durable: false);
            var slices = new SliceTable(index).Count;
            var map = HydrationMap.Create(staged.Path, slices);
            var manifest = new CopyManifest(
                CopyManifest.IndexedVersion,
                stored.Key,
                stored.Revision.Value,
                stored.Length,
                stored.LastModified,
                index.TreeDigest.ToString(),
                index.Layout,
                index.ContentBytes,
                index.Tree.Count(entry => entry.Type == TreeEntryType.File),
                CacheFolder.BootId,
                Indexed: true);
            CopyFiles.WriteManifest(staged.Path, manifest, durable: false);
            var path = staged.Commit();
            making.NoteCommitted(path);
            map = map.MovedTo(path);
            return new FetchedCopy(staged.Id, path, manifest, map, new CopyHydration(index, stored, map, isWhole: false), making);
        }
        catch
        {
            making.Abandon();
            throw;
        }
    }

    /// <summary>Makes a map for a copy that was just published, all of which is here, if the index of its archive was kept beside it.</summary>
    /// <returns>Null when there is no such index, or the disk refused: then it is a copy like that of a foreign archive.</returns>
    public static HydrationMap? TryAdopt(ModelCopy copy, CopyManifest manifest)
    {
        if (IndexFile.Read(copy.Folder, manifest, copy.Model.Name) is not { } index)
        {
            return null;
        }

        try
        {
            return HydrationMap.CreateFull(copy.Folder, new SliceTable(index).Count, isSynced: manifest.BootId is null);
        }
        catch (ModelException)
        {
            return null;
        }
    }

    /// <summary>Takes up an indexed copy of an earlier daemon.</summary>
    /// <returns>False when what is here of it can't be told: it is to be dropped.</returns>
    public static bool TryLoad(ModelCopy copy)
    {
        var map = HydrationMap.Load(copy.Folder, slices: null);
        if (map is null)
        {
            return false;
        }

        copy.Map = map;
        if (TreeMaking.IsUnfinished(copy.Folder) && !(Open(copy, map) is { } begun && TreeMaking.TryFinish(copy.Folder, begun.Index.Tree)))
        {
            return false;
        }

        if (map.Count == map.Slices)
        {
            return true;
        }

        copy.Hydration = Open(copy, map);
        return copy.Hydration is not null;
    }

    /// <summary>What is known of the content of an indexed copy, read from its index; null when that is missing or damaged.</summary>
    public static CopyHydration? Open(ModelCopy copy, HydrationMap map)
    {
        var manifest = copy.Manifest;
        return IndexFile.Read(copy.Folder, manifest, copy.Model.Name) is { } index && new SliceTable(index).Count == map.Slices
            ? new CopyHydration(
                index,
                new StoredObject(manifest.Key, new StoreRevision(manifest.BaseRevision!), manifest.BaseLength, manifest.BaseModified),
                map,
                isWhole: map.Count == map.Slices)
            : null;
    }
}

/// <summary>A copy that was brought here.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Path">Its folder.</param>
/// <param name="Manifest">What is known of it.</param>
/// <param name="Map">Which files are here, for an indexed copy.</param>
/// <param name="Hydration">What of it is here, as long as some is not.</param>
/// <param name="Making">The making of its files, for an indexed copy.</param>
internal sealed record FetchedCopy(
    long Id, string Path, CopyManifest Manifest, HydrationMap? Map = null, CopyHydration? Hydration = null, TreeMaking? Making = null);
