using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>
/// What an indexed archive holds and where, read from its end alone. Everything in it was checked against itself; that it is true is checked member by member,
/// when one is inflated (<see cref="MemberInflater"/>).
/// </summary>
public sealed class ArchiveIndex
{
    /// <summary>The most bytes that one member holds uncompressed; writers cut at 4 MiB of content.</summary>
    public const int MemberTarBytesMax = 8 << 20;

    /// <summary>The most bytes that one member has in the archive: stored blocks cost 5 bytes per 65,535.</summary>
    public const int MemberArchiveBytesMax = MemberTarBytesMax + (64 << 10);

    private readonly Lazy<Dictionary<string, int>> _byPath;

    internal ArchiveIndex(
        IndexLocation location, ArchiveLayout layout, string topFolder, IReadOnlyList<ArchiveMember> members, IReadOnlyList<IndexedEntry> entries)
    {
        Location = location;
        Layout = layout;
        TopFolder = topFolder;
        Members = members;
        Entries = entries;
        Tree = SortedTree.From(entries.Select(entry => entry.Entry));
        TreeDigest = ModelTree.Digest(Tree);
        ContentBytes = entries.Sum(entry => entry.Entry.Size);
        _byPath = new(() => Entries.Select((entry, i) => (entry.Entry.Path, i)).ToDictionary(pair => pair.Path, pair => pair.i, StringComparer.Ordinal));
    }

    /// <summary>Where the index stands, and the archive's length.</summary>
    public IndexLocation Location { get; }

    /// <summary>How the members are named.</summary>
    public ArchiveLayout Layout { get; }

    /// <summary>The folder above all members of an <see cref="ArchiveLayout.Named"/> archive, otherwise empty.</summary>
    public string TopFolder { get; }

    /// <summary>The gzip members in their order, without gap. The last one holds the tar's end mark and no entry.</summary>
    public IReadOnlyList<ArchiveMember> Members { get; }

    /// <summary>The entries in the order of the tar, without gap; a folder stands before what is in it.</summary>
    public IReadOnlyList<IndexedEntry> Entries { get; }

    /// <summary>The tree as a whole fetch would give it: sorted by path, the model folder itself first, also where the layout has no member for it.</summary>
    public IReadOnlyList<TreeEntry> Tree { get; }

    /// <summary>The tree's identity (<see cref="ModelTree.Digest"/> of <see cref="Tree"/>).</summary>
    public ContentDigest TreeDigest { get; }

    /// <summary>Bytes of all files.</summary>
    public long ContentBytes { get; }

    /// <summary>Finds an entry of the archive by its path below the model folder.</summary>
    /// <returns>Its place in <see cref="Entries"/>, or -1: there is none, or it is the root of a <see cref="ArchiveLayout.Bare"/> archive.</returns>
    public int Find(string path) => _byPath.Value.GetValueOrDefault(path, -1);

    /// <summary>The first entry with bytes (headers, content or the zeros behind it) in a member; the number of entries for the one with the end mark.</summary>
    public int FirstEntryIn(int member)
    {
        var offset = Members[member].TarOffset;
        var (low, high) = (0, Entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (PaddedEnd(middle) > offset)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    /// <summary>Where an entry ends in the tar, with the zeros behind its content.</summary>
    internal long PaddedEnd(int entry) =>
        entry + 1 < Entries.Count ? Entries[entry + 1].TarOffset : Members[^1].TarOffset;

    /// <summary>The name that an entry has in the tar.</summary>
    internal string? MemberName(TreeEntry entry) => Packing.MemberNames.For(entry, Layout, TopFolder);
}
