using System.Buffers;
using ModelFs.Archives.Indexed;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>
/// Decides what is packed anew and what is taken from the base. The unit of taking over is a run of members that holds whole entries: a group of small files, or the
/// members of a larger one. What is in both trees keeps its place, so that what is taken over stays together.
/// </summary>
internal sealed class PackPlan
{
    private readonly PackOptions _options;
    private readonly ArchiveIndex _base;
    private readonly ArrayBufferWriter<byte> _headers = new();

    private PackPlan(PackOptions options, ArchiveIndex basis)
    {
        _options = options;
        _base = basis;
    }

    /// <summary>Plans the pack.</summary>
    /// <param name="entries">In the order of the new archive, as far as the base does not have another one.</param>
    /// <param name="options">With or without a base.</param>
    public static IReadOnlyList<PlanItem> Make(IReadOnlyList<TreeEntry> entries, PackOptions options)
    {
        var topFolder = options.Layout == ArchiveLayout.Named ? options.Model.Name : "";
        return options.Base is { } basis && basis.Layout == options.Layout && basis.TopFolder == topFolder
            ? new PackPlan(options, basis).Make(entries)
            : [.. entries.Select(entry => new PlanItem.Fresh(entry))];
    }

    private List<PlanItem> Make(IReadOnlyList<TreeEntry> entries)
    {
        var sequence = Merge(entries);
        var steps = new List<Step>();
        for (var i = 0; i < sequence.Count;)
        {
            PlanItem item = UnitAt(sequence, i) is { } unit && IsTaken(unit) ? unit : FreshAt(sequence, i);
            steps.Add(new Step(item, i));
            i += item is PlanItem.FromBase { EntryCount: var count } ? count : 1;
        }

        return JoinSmall(_options.ReadBase is null ? steps : [.. WithoutShortReads(steps, sequence)], sequence);
    }

    /// <summary>Packs anew what would be a small read of the base.</summary>
    private IEnumerable<Step> WithoutShortReads(List<Step> steps, List<(TreeEntry Entry, int Before)> sequence)
    {
        for (var i = 0; i < steps.Count;)
        {
            var end = i + 1;
            if (steps[i].Item is PlanItem.FromBase first)
            {
                var (next, bytes) = (first.FirstMember, 0L);
                for (end = i; end < steps.Count && steps[end].Item is PlanItem.FromBase unit && unit.FirstMember == next; end++)
                {
                    next += unit.MemberCount;
                    bytes += _base.Members[next - 1].TarEnd - _base.Members[unit.FirstMember].TarOffset;
                }

                if (bytes < MemberProducer.ReadBytesMin)
                {
                    foreach (var step in steps[i..end].SelectMany(step => Dissolve(step, sequence)))
                    {
                        yield return step;
                    }

                    i = end;
                    continue;
                }
            }

            foreach (var step in steps[i..end])
            {
                yield return step;
            }

            i = end;
        }
    }

    private static IEnumerable<Step> Dissolve(Step step, List<(TreeEntry Entry, int Before)> sequence) => step.Item is PlanItem.FromBase unit
        ? Enumerable.Range(step.At, unit.EntryCount).Select(at => new Step(new PlanItem.Fresh(sequence[at].Entry), at))
        : [step];

    /// <summary>Where taking over means fetching, stored members are cheaper made of the files; a larger file with such members goes piece by piece.</summary>
    private bool IsTaken(PlanItem.FromBase unit) =>
        _options.ReadBase is null
        || Enumerable.Range(unit.FirstMember, unit.MemberCount).All(member => _base.Members[member].Coding == MemberCoding.Deflated);

    private PlanItem.Fresh FreshAt(List<(TreeEntry Entry, int Before)> sequence, int at)
    {
        var (entry, before) = sequence[at];
        return new PlanItem.Fresh(entry, before >= 0 && entry.Type == TreeEntryType.File ? _base.Entries[before] : null);
    }

    /// <summary>
    /// The new tree in the order of the base. What the base does not have follows whatever precedes it in <paramref name="entries"/>, and its folder in any case.
    /// </summary>
    private List<(TreeEntry Entry, int Before)> Merge(IReadOnlyList<TreeEntry> entries)
    {
        var places = new Dictionary<string, int>(entries.Count, StringComparer.Ordinal);
        var ranked = new List<(int Place, TreeEntry Entry, int Before)>(entries.Count);
        var previous = -1;
        foreach (var entry in entries)
        {
            var before = _base.Find(entry.Path);
            var slash = entry.Path.LastIndexOf('/');
            var folder = places.GetValueOrDefault(slash < 0 ? "" : entry.Path[..slash], -1);
            previous = before >= 0 ? before : Math.Max(previous, folder);
            places[entry.Path] = previous;
            ranked.Add((previous, entry, before));
        }

        // Sorting is stable: new entries of one place keep their order, behind the old one whose place it is.
        return [.. ranked.OrderBy(item => item.Place).ThenBy(item => item.Before < 0).Select(item => (item.Entry, item.Before))];
    }

    /// <summary>The unit of the base that begins at an entry and is unchanged, with nothing in between.</summary>
    private PlanItem.FromBase? UnitAt(List<(TreeEntry Entry, int Before)> sequence, int at)
    {
        var first = sequence[at].Before;
        if (first < 0 || _base.Entries[first] is var start && start.TarOffset != _base.Members[start.FirstMember].TarOffset)
        {
            return null;
        }

        var firstMember = start.FirstMember;
        for (var i = at; i < sequence.Count; i++)
        {
            var (entry, before) = sequence[i];
            if (before != first + (i - at) || !IsSame(entry, _base.Entries[before].Entry))
            {
                return null;
            }

            var last = _base.Entries[before];
            var end = last.FirstMember + last.MemberCount - 1;
            if (_base.Members[end].TarEnd == _base.PaddedEnd(before))
            {
                return new PlanItem.FromBase(firstMember, end - firstMember + 1, first, before - first + 1);
            }
        }

        return null;
    }

    /// <summary>Times of folders do not count (<see cref="ModelTree.Digest"/>): they are written when something near them is.</summary>
    private static bool IsSame(TreeEntry entry, TreeEntry before) =>
        entry.Type == TreeEntryType.Directory ? entry with { ModifiedTime = before.ModifiedTime } == before : entry == before;

    /// <summary>
    /// Packs small neighbours together as far as they fit into one member, so that an archive is as compact after many edits as after the first pack: of two groups
    /// that a full pack makes one after the other, the sum never fits.
    /// </summary>
    private List<PlanItem> JoinSmall(List<Step> steps, List<(TreeEntry Entry, int Before)> sequence)
    {
        var joined = new List<PlanItem>(steps.Count);
        var group = new List<Step>();
        long groupBytes = 0;
        foreach (var step in steps)
        {
            var bytes = SmallBytes(step.Item);
            if (bytes is null || groupBytes + bytes > MemberProducer.GroupBytes)
            {
                EndGroup();
            }

            if (bytes is null or 0)
            {
                joined.Add(step.Item);
            }
            else
            {
                group.Add(step);
                groupBytes += bytes.Value;
            }
        }

        EndGroup();
        return joined;

        void EndGroup()
        {
            joined.AddRange(group.Count == 1 ? [group[0].Item] : group.SelectMany(step => Dissolve(step, sequence)).Select(step => step.Item));
            group.Clear();
            groupBytes = 0;
        }
    }

    /// <summary>Bytes of the tar that an item takes in a group; null for what has members of its own.</summary>
    private long? SmallBytes(PlanItem item)
    {
        switch (item)
        {
            case PlanItem.FromBase { MemberCount: 1 } unit when MemberProducer.IsSmall(_base.Entries[unit.FirstEntry].Entry):
                return _base.Members[unit.FirstMember].TarBytes;
            case PlanItem.Fresh { Entry: var entry } when MemberProducer.IsSmall(entry):
                _headers.ResetWrittenCount();
                if (MemberNames.For(entry, _options) is { } name)
                {
                    TarHeaderWriter.Write(name, entry, _headers);
                }

                return _headers.WrittenCount + entry.Size + TarHeaderWriter.Padding(entry.Size).Length;
            default:
                return null;
        }
    }

    /// <summary>An item, and where it begins in the sequence of entries.</summary>
    private readonly record struct Step(PlanItem Item, int At);
}
