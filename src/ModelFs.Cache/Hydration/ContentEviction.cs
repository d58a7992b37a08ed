using Microsoft.Extensions.Logging;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// Drops the content of single files of a clean, indexed copy, whole or in part here, and keeps its tree, so that it lists as before and only what is used again is fetched again.
/// </summary>
/// <remarks>
/// The map says so on the disk before a file is emptied, and a file is emptied by putting another in its place: who has the old one mapped keeps it. Open files stay.
/// </remarks>
internal sealed partial class ContentEviction(ILogger logger)
{
    /// <summary>A file's content went; the kernel is to look its name up again. Raised outside of every lock.</summary>
    public event Action<ModelCopy, string>? FileDropped;

    /// <summary>Drops files, the longest unused first, until so many bytes are free or nothing more can go.</summary>
    /// <returns>The bytes that were given back.</returns>
    public long Drop(ModelCopy copy, long bytesWanted) => Drop(copy, (hydration, isOpen) => LongestUnused(hydration, isOpen, bytesWanted));

    /// <summary>Drops these files, as far as they are not open.</summary>
    /// <returns>The bytes that were given back.</returns>
    public long Drop(ModelCopy copy, IReadOnlySet<string> paths) =>
        Drop(copy, (hydration, isOpen) => [.. Enumerable.Range(0, hydration.Index.Entries.Count).Where(entry => paths.Contains(PathOf(hydration, entry)) && !isOpen(PathOf(hydration, entry)))]);

    private static string PathOf(CopyHydration hydration, int entry) => hydration.Index.Entries[entry].Entry.Path;

    private static List<int> LongestUnused(CopyHydration hydration, Func<string, bool> isOpen, long bytesWanted)
    {
        var chosen = new List<int>();
        var candidates = Enumerable.Range(0, hydration.Index.Entries.Count)
            .Select(entry => (Entry: entry, Bytes: hydration.BytesHereOf(entry)))
            .Where(each => each.Bytes > 0)
            .OrderBy(each => hydration.LastUse(each.Entry));
        foreach (var (entry, bytes) in candidates)
        {
            if (bytesWanted <= 0)
            {
                break;
            }

            if (!isOpen(PathOf(hydration, entry)))
            {
                chosen.Add(entry);
                bytesWanted -= bytes;
            }
        }

        return chosen;
    }

    private long Drop(ModelCopy copy, Func<CopyHydration, Func<string, bool>, IReadOnlyList<int>> choose)
    {
        if (copy.Map is not { } map || (copy.Hydration ?? HollowCopies.Open(copy, map)) is not { } opened)
        {
            return 0;
        }

        CopyHydration hydration;
        ContentDrop drop;
        lock (copy.Model.Gate)
        {
            if (copy.IsRetired || !copy.IsIndexed || copy.Model.IsPublishing || copy.OpenWriters > 0)
            {
                return 0;
            }

            // From here on nobody opens these files as they are, and the first change waits until they are here again.
            hydration = copy.Hydration ?? opened;
            drop = hydration.BeginDrop(choose(hydration, copy.IsOpen));
            if (drop.Entries.Count > 0)
            {
                copy.Hydration = hydration;
            }
        }

        if (drop.Entries.Count == 0)
        {
            return 0;
        }

        try
        {
            hydration.Map.ClearDurably(drop.Entries.Select(hydration.Slices.Of));
        }
        catch (ModelException error)
        {
            // The disk refused, so nothing is dropped. Whether the map's file says so is of no matter: the content is fetched once too often at worst.
            hydration.CancelDrop(drop);
            LogRefused(logger, copy.Model.Name.ToString(), error.Message);
            return 0;
        }

        Empty(copy, hydration, drop.Entries);
        var bytes = hydration.EndDrop(drop);
        LogDropped(logger, copy.Model.Name.ToString(), drop.Entries.Count, bytes);
        foreach (var entry in drop.Entries)
        {
            FileDropped?.Invoke(copy, PathOf(hydration, entry));
        }

        return bytes;
    }

    private static void Empty(ModelCopy copy, CopyHydration hydration, IReadOnlyList<int> entries)
    {
        HollowTree.Unfinish(copy.Content, hydration.Index.Tree);
        foreach (var entry in entries)
        {
            // One that can't be replaced only takes room for longer: the map does not count it as here.
            _ = HollowTree.Empty(copy.Content + "/" + PathOf(hydration, entry), copy.Folder + "/emptied");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "evicted {Files} files of {Model}: {Bytes} bytes")]
    private static partial void LogDropped(ILogger logger, string model, int files, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "cannot evict files of {Model}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string model, string reason);
}
