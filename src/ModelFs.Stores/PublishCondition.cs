using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>What must hold in the store for a publish to happen.</summary>
public sealed record PublishCondition
{
    private PublishCondition(bool mustBeAbsent, StoreRevision? revision)
    {
        MustBeAbsent = mustBeAbsent;
        Revision = revision;
    }

    /// <summary>Replace whatever is there.</summary>
    public static PublishCondition None { get; } = new(false, null);

    /// <summary>Only if there is no object of that key.</summary>
    public static PublishCondition Absent { get; } = new(true, null);

    /// <summary>Whether the key must not exist.</summary>
    public bool MustBeAbsent { get; }

    /// <summary>The revision that must be current, or null.</summary>
    public StoreRevision? Revision { get; }

    /// <summary>Only if <paramref name="revision"/> is the object's current one.</summary>
    public static PublishCondition Matches(StoreRevision revision) => new(false, revision);
}
