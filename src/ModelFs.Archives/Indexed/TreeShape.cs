using ModelFs.Archives.Packing;
using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>What the entries of an indexed archive must be, as a tree: what unpacking accepts, and nothing that unpacking would change.</summary>
internal static class TreeShape
{
    /// <summary>
    /// Checks a list in the order of the tar: safe and normal names, none twice, every folder named before what is in it, links that stay inside, and a layout that
    /// a reader of the names alone would find, too.
    /// </summary>
    /// <exception cref="ArchiveException">It is not such a tree.</exception>
    public static void Check(IReadOnlyList<IndexedEntry> entries, ArchiveLayout layout, string topFolder, ModelName model)
    {
        if (topFolder != (layout == ArchiveLayout.Named ? model.Name : ""))
        {
            throw ArchiveException.Damaged($"the index is of a model named '{topFolder}'");
        }

        var detector = new LayoutDetector(model.Name);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        var others = new HashSet<string>(StringComparer.Ordinal);
        if (layout == ArchiveLayout.Bare)
        {
            folders.Add("");
        }

        foreach (var entry in entries.Select(indexed => indexed.Entry))
        {
            var isFolder = entry.Type == TreeEntryType.Directory;
            CheckPlace(entry, isFolder, folders, others);
            var name = MemberNames.For(entry, layout, topFolder)!;
            detector.Observe(name, MemberName.Parse(name, isFolder).Path, isFolder);
        }

        if (entries.Count == 0 || detector.Layout() != layout)
        {
            throw ArchiveException.Damaged("the names in the index are of another layout than it says");
        }

        LinkRule.Check([.. entries.Select(indexed => indexed.Entry)]);
    }

    private static void CheckPlace(TreeEntry entry, bool isFolder, HashSet<string> folders, HashSet<string> others)
    {
        var path = entry.Path;
        if (path.Length > 0 || !isFolder)
        {
            var isNormal = MemberName.Parse(path, isFolder).Path == path;
            var slash = path.LastIndexOf('/');
            if (!isNormal || !folders.Contains(slash < 0 ? "" : path[..slash]))
            {
                throw ArchiveException.Damaged($"'{path}' stands in the index without its folder");
            }
        }

        if ((isFolder ? others : folders).Contains(path) || !(isFolder ? folders : others).Add(path))
        {
            throw ArchiveException.Damaged($"'{path}' stands in the index twice");
        }
    }
}
