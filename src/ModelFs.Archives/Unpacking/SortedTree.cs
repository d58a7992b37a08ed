using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>Puts an archive's entries in order and completes them: the model folder itself is there, and a folder that the archive does not name is as old as the newest thing in it.</summary>
internal static class SortedTree
{
    /// <summary>The mode of folders that an archive implies but does not name.</summary>
    public const int ImpliedFolderMode = 0x1ed; // 0755

    /// <summary>Stands for the time of an implied folder until the tree is complete.</summary>
    public static readonly UnixTime UnknownTime = new(long.MinValue, 0);

    /// <summary>The entries sorted ordinally by path, so that a folder stands before what is in it.</summary>
    public static List<TreeEntry> From(IEnumerable<TreeEntry> entries)
    {
        var sorted = entries.ToList();
        sorted.Sort(static (left, right) => string.CompareOrdinal(left.Path, right.Path));
        if (sorted.Count == 0 || sorted[0].Path.Length > 0)
        {
            sorted.Insert(0, new TreeEntry("", TreeEntryType.Directory, ImpliedFolderMode, UnknownTime));
        }

        FillUnknownTimes(sorted);
        return sorted;
    }

    private static void FillUnknownTimes(List<TreeEntry> entries)
    {
        var newest = new Dictionary<string, UnixTime>(StringComparer.Ordinal);
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            if (entries[i].ModifiedTime == UnknownTime)
            {
                entries[i] = entries[i] with { ModifiedTime = newest.GetValueOrDefault(entries[i].Path) };
            }

            if (i > 0)
            {
                var parent = ParentOf(entries[i].Path);
                var time = entries[i].ModifiedTime;
                newest[parent] = newest.TryGetValue(parent, out var other) && IsNewer(other, time) ? other : time;
            }
        }
    }

    private static string ParentOf(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash < 0 ? "" : path[..slash];
    }

    private static bool IsNewer(UnixTime left, UnixTime right) => (left.Seconds, left.Nanoseconds).CompareTo((right.Seconds, right.Nanoseconds)) > 0;
}
