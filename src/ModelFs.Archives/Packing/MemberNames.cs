using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>Names members as a layout wants them.</summary>
internal static class MemberNames
{
    /// <summary>The member's name, folders with a trailing slash; null for what the layout has no member for (the root of <see cref="ArchiveLayout.Bare"/>).</summary>
    public static string? For(TreeEntry entry, PackOptions options) => For(entry, options.Layout, options.Model.Name);

    /// <summary>The member's name below <paramref name="topFolder"/>, which only <see cref="ArchiveLayout.Named"/> has.</summary>
    public static string? For(TreeEntry entry, ArchiveLayout layout, string topFolder)
    {
        var path = entry.Type == TreeEntryType.Directory && entry.Path.Length > 0 ? entry.Path + "/" : entry.Path;
        return layout switch
        {
            ArchiveLayout.Named => topFolder + "/" + path,
            ArchiveLayout.Dot => "./" + path,
            ArchiveLayout.Bare => path.Length == 0 ? null : path,
            // Python writes a folder with an empty name as a slash, and reads it back as an empty name.
            ArchiveLayout.EmptyRoot => path.Length == 0 ? "/" : path,
        };
    }
}
