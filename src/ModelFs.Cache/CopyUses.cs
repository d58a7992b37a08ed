using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Who uses a copy: open files, which keep it from being evicted and replaced, and inodes of the kernel, which keep it on the disk.</summary>
internal sealed class CopyUses(CopyShelf shelf, CopyTurnover turnover, TimeProvider time)
{
    /// <summary>A file was opened.</summary>
    public static void Opened(ModelCopy copy, string path)
    {
        lock (copy.Model.Gate)
        {
            copy.AddOpen(path);
        }
    }

    /// <summary>A name in the copy changed.</summary>
    public static void Moved(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.NoteMoved();
        }
    }

    /// <summary>A file was closed: the copy may be dropped now, or a newer one take its place.</summary>
    public void Closed(ModelCopy copy, string path)
    {
        bool stamp;
        lock (copy.Model.Gate)
        {
            copy.RemoveOpen(path);
            copy.LastUsed = time.GetUtcNow();
            stamp = copy.LastUsed - copy.LastUsedOnDisk > TimeSpan.FromMinutes(1);
            if (stamp)
            {
                copy.LastUsedOnDisk = copy.LastUsed;
            }
        }

        if (stamp)
        {
            _ = PosixFile.SetTimes(copy.Folder, PosixFile.TimeUnchanged, UnixTime.From(copy.LastUsed));
        }

        shelf.DropIfUnused(copy);
        turnover.ReplaceIfOutdated(copy.Model);
    }

    /// <summary>The kernel holds one more inode of the copy.</summary>
    public static void AddReference(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.References++;
        }
    }

    /// <summary>The kernel forgot an inode of the copy.</summary>
    public void RemoveReference(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.References--;
        }

        shelf.DropIfUnused(copy);
    }
}
