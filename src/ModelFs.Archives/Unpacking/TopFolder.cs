using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// Takes the folder off that all members of an <see cref="ArchiveLayout.Named"/> archive share. Whether they do is only known behind the last member,
/// so the tree is written with it first.
/// </summary>
internal static class TopFolder
{
    /// <summary>Moves everything in <paramref name="topFolder"/> up into <paramref name="targetFolder"/>.</summary>
    public static void MoveUp(string targetFolder, string topFolder)
    {
        // A child may have the top folder's own name, so the top folder steps aside under a name that no child has.
        var aside = Path.Combine(targetFolder, ".top");
        while (Path.Exists(Path.Combine(targetFolder, topFolder, Path.GetFileName(aside))))
        {
            aside += "-";
        }

        Directory.Move(Path.Combine(targetFolder, topFolder), aside);
        foreach (var child in Directory.GetFileSystemEntries(aside))
        {
            Directory.Move(child, Path.Combine(targetFolder, Path.GetFileName(child)));
        }

        Directory.Delete(aside);
    }

    /// <summary>The entries with paths below the top folder.</summary>
    public static IEnumerable<TreeEntry> TakeOff(string topFolder, IEnumerable<TreeEntry> entries) =>
        entries.Select(entry => entry with { Path = entry.Path == topFolder ? "" : entry.Path[(topFolder.Length + 1)..] });
}
