using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>
/// Fetched copies are committed without a sync, so that nobody waits for the disk; after the loss of power such a copy would have to be
/// dropped. From time to time this syncs the cache's file system and notes in the manifests of clean copies that they may be kept.
/// </summary>
internal sealed class CopySealer(CacheFolder folder, CopyShelf shelf)
{
    /// <summary>How often.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Seals what is clean and not sealed yet; a failing disk only leaves it as it is.</summary>
    public void Seal()
    {
        var open = shelf.Copies.Where(copy => copy.Manifest.BootId is not null && IsSealable(copy)).Select(copy => (Copy: copy, Version: VersionOf(copy))).ToList();
        var maps = shelf.Copies.Where(IsSealable).Select(copy => copy.Map).OfType<HydrationMap>().Where(map => map.IsUnsynced)
            .Select(map => (Map: map, Snapshot: map.Snapshot())).ToList();
        if (open.Count + maps.Count == 0 || PosixFile.SyncFileSystem(folder.Root) != Errno.None)
        {
            return;
        }

        foreach (var (map, snapshot) in maps)
        {
            try
            {
                map.NoteSynced(snapshot);
            }
            catch (ModelException)
            {
                // The next round tries again, or the copy is gone.
            }
        }

        foreach (var (copy, version) in open)
        {
            SealOne(copy, version);
        }
    }

    private static long VersionOf(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            return copy.ChangeVersion;
        }
    }

    private static bool IsSealable(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            return copy is { IsDirty: false, IsRetired: false } && !copy.Model.IsPublishing;
        }
    }

    /// <summary>Seals a copy, unless it changed since before the sync: it may be clean again, and not be on the disk.</summary>
    private static void SealOne(ModelCopy copy, long version)
    {
        if (!copy.Model.DiskTurn.Wait(0))
        {
            return;
        }

        try
        {
            if (!IsSealable(copy) || VersionOf(copy) != version)
            {
                return;
            }

            var manifest = copy.Manifest with { BootId = null };
            CopyFiles.WriteManifest(copy.Folder, manifest, durable: true);
            lock (copy.Model.Gate)
            {
                copy.Manifest = manifest;
            }
        }
        catch (ModelException)
        {
            // It stays unsealed, and the next round tries again.
        }
        finally
        {
            copy.Model.DiskTurn.Release();
        }
    }
}
