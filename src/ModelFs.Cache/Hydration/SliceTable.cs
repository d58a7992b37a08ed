using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// How the files of an indexed archive are cut into slices, the unit of what is here: a file has one slice for each gzip member that holds some of its
/// content, numbered through in the order of the archive. Empty files have none.
/// </summary>
internal sealed class SliceTable
{
    private readonly int[] _first;

    public SliceTable(ArchiveIndex index)
    {
        Index = index;
        _first = new int[index.Entries.Count + 1];
        var next = 0;
        for (var entry = 0; entry < index.Entries.Count; entry++)
        {
            _first[entry] = next;
            next += HasContent(index.Entries[entry].Entry) ? index.Entries[entry].MemberCount : 0;
        }

        _first[^1] = next;
    }

    /// <summary>The archive's index.</summary>
    public ArchiveIndex Index { get; }

    /// <summary>All slices.</summary>
    public int Count => _first[^1];

    /// <summary>The slices of an entry of the index.</summary>
    public (int First, int Count) Of(int entry) => (_first[entry], _first[entry + 1] - _first[entry]);

    /// <summary>The slice of a file in a member.</summary>
    public int At(int entry, int member) => _first[entry] + member - Index.Entries[entry].FirstMember;

    /// <summary>The members that hold content of an entry.</summary>
    public IEnumerable<int> MembersOf(int entry) => Enumerable.Range(Index.Entries[entry].FirstMember, Of(entry).Count);

    /// <summary>Whether there is anything to fetch for an entry.</summary>
    public static bool HasContent(TreeEntry entry) => entry is { Type: TreeEntryType.File, Size: > 0 };

    /// <summary>The files with content in a member, as places in <see cref="ArchiveIndex.Entries"/>.</summary>
    public IEnumerable<int> FilesIn(int member)
    {
        var end = Index.Members[member].TarEnd;
        for (var entry = Index.FirstEntryIn(member); entry < Index.Entries.Count && Index.Entries[entry].TarOffset < end; entry++)
        {
            var candidate = Index.Entries[entry];
            if (HasContent(candidate.Entry) && candidate.FirstMember <= member && member < candidate.FirstMember + candidate.MemberCount)
            {
                yield return entry;
            }
        }
    }

    /// <summary>Bytes of a file's content that stand in a member.</summary>
    public long BytesIn(int entry, int member)
    {
        var (file, piece) = (Index.Entries[entry], Index.Members[member]);
        return Math.Max(0, Math.Min(file.ContentTarEnd, piece.TarEnd) - Math.Max(file.ContentTarOffset, piece.TarOffset));
    }

    /// <summary>The members that hold so many bytes of a file from an offset on; none for an empty range.</summary>
    public (int First, int Count) MembersOf(int entry, long offset, long length)
    {
        var file = Index.Entries[entry];
        var end = Math.Min(offset + length, file.Entry.Size);
        if (offset >= end || !HasContent(file.Entry))
        {
            return (file.FirstMember, 0);
        }

        var first = file.FirstMember;
        var last = file.FirstMember + file.MemberCount - 1;
        while (first < last && Index.Members[first].TarEnd <= file.ContentTarOffset + offset)
        {
            first++;
        }

        while (last > first && Index.Members[last].TarOffset >= file.ContentTarOffset + end)
        {
            last--;
        }

        return (first, last - first + 1);
    }
}
