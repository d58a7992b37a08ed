using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// Symbolic links must stay inside of their model. A target is walked part by part through the tree's other links, because <c>..</c> behind a link
/// starts from where that link leads, not from where its name stands.
/// </summary>
internal static class LinkRule
{
    /// <summary>As many links as the kernel follows (ELOOP); longer chains and circles lead nowhere.</summary>
    private const int FollowedMax = 40;

    /// <summary>Checks every link of a complete tree.</summary>
    /// <exception cref="ArchiveException">A link leads out.</exception>
    public static void Check(IReadOnlyList<TreeEntry> entries)
    {
        var links = entries.Where(entry => entry.Type == TreeEntryType.SymbolicLink).ToDictionary(entry => entry.Path, StringComparer.Ordinal);
        foreach (var link in links.Values)
        {
            if (link.LinkTarget!.Length == 0)
            {
                throw ArchiveException.Damaged($"the link '{link.Path}' has no target");
            }

            if (link.LinkTarget.StartsWith('/') || LeadsOut(link, links))
            {
                throw ArchiveException.Unsafe($"the link '{link.Path}' leads out of the model folder, to '{link.LinkTarget}'");
            }
        }
    }

    private static bool LeadsOut(TreeEntry start, Dictionary<string, TreeEntry> links)
    {
        var place = start.Path.Split('/').ToList();
        var rest = new Stack<string>();
        var followed = 0;
        Follow(start.LinkTarget!);
        while (rest.TryPop(out var part))
        {
            if (part == "..")
            {
                if (place.Count == 0)
                {
                    return true;
                }

                place.RemoveAt(place.Count - 1);
            }
            else if (part is not ("" or "."))
            {
                place.Add(part);
                if (links.TryGetValue(string.Join('/', place), out var link))
                {
                    if (++followed > FollowedMax)
                    {
                        return false;
                    }

                    Follow(link.LinkTarget!);
                }
            }
        }

        return false;

        // The link's own name gives way to its target's parts.
        void Follow(string target)
        {
            place.RemoveAt(place.Count - 1);
            foreach (var next in target.Split('/').Reverse())
            {
                rest.Push(next);
            }
        }
    }
}
