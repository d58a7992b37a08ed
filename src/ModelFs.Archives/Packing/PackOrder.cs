using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>Puts a tree in the order in which its files are wanted first.</summary>
internal static class PackOrder
{
    /// <summary>Wanted files first, each after the folders that it is in; then the rest as it is sorted. A folder always stands before what is in it.</summary>
    /// <param name="entries">Sorted.</param>
    /// <param name="wanted">Paths; unknown ones and those of folders are passed over.</param>
    public static IReadOnlyList<TreeEntry> Arrange(IReadOnlyList<TreeEntry> entries, IReadOnlyList<string> wanted)
    {
        if (wanted.Count == 0)
        {
            return entries;
        }

        var byPath = entries.ToDictionary(entry => entry.Path, StringComparer.Ordinal);
        var arranged = new List<TreeEntry>(entries.Count);
        Take("");
        foreach (var path in wanted)
        {
            if (byPath.TryGetValue(path, out var entry) && entry.Type != TreeEntryType.Directory)
            {
                for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
                {
                    Take(path[..slash]);
                }

                Take(path);
            }
        }

        arranged.AddRange(entries.Where(entry => byPath.ContainsKey(entry.Path)));
        return arranged;

        void Take(string path)
        {
            if (byPath.Remove(path, out var entry))
            {
                arranged.Add(entry);
            }
        }
    }
}
