using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>A step of a pack.</summary>
internal abstract record PlanItem
{
    private PlanItem()
    {
    }

    /// <summary>Packs an entry anew.</summary>
    /// <param name="Entry">The entry.</param>
    /// <param name="Before">What it was in the base, when it was a file there, too: pieces that are still the same are taken from it.</param>
    public sealed record Fresh(TreeEntry Entry, IndexedEntry? Before = null) : PlanItem;

    /// <summary>Takes members of the base as they are.</summary>
    /// <param name="FirstMember">The first of them.</param>
    /// <param name="MemberCount">How many.</param>
    /// <param name="FirstEntry">The first entry in them.</param>
    /// <param name="EntryCount">How many entries they hold; each one whole.</param>
    public sealed record FromBase(int FirstMember, int MemberCount, int FirstEntry, int EntryCount) : PlanItem;
}
