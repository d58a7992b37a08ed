namespace ModelFs.Stores;

/// <summary>How firmly a store keeps a condition of a publish or a delete.</summary>
public enum ConditionSupport
{
    /// <summary>Not known yet: the condition is sent, and checked by a look-up, too.</summary>
    Unproven,

    /// <summary>Not at all: the condition is checked by a look-up just before, and a race can slip between.</summary>
    CheckedBefore,

    /// <summary>The store itself refuses, atomically.</summary>
    Atomic,
}

/// <summary>Who keeps what is replaced or deleted in a store.</summary>
public enum RevisionKeeping
{
    /// <summary>Nobody.</summary>
    Nothing,

    /// <summary>The server, as the bucket is set up; <see cref="ObjectPast.WhyNotKept"/> tells.</summary>
    Bucket,

    /// <summary>ModelFs itself, as many as <see cref="StoreOptions.KeepRevisions"/> says.</summary>
    Copies,
}

/// <summary>What a store can do, as data.</summary>
/// <param name="CreateCondition">Of <see cref="PublishCondition.Absent"/>.</param>
/// <param name="ReplaceCondition">Of <see cref="PublishCondition.Matches"/>.</param>
/// <param name="DeleteCondition">Of a delete with a revision.</param>
/// <param name="ObjectBytesMax">The largest archive it takes, in bytes.</param>
/// <param name="ReadStreamsMax">How many ranged reads at once make one download faster; 1 for a local folder.</param>
public sealed record StoreTraits(
    ConditionSupport CreateCondition,
    ConditionSupport ReplaceCondition,
    ConditionSupport DeleteCondition,
    long ObjectBytesMax,
    int ReadStreamsMax)
{
    /// <summary>Of a publish in parts: one that is larger than the server takes by one request, or of which it copies parts. Null when that makes no difference.</summary>
    public ConditionSupport? InPartsCondition { get; init; }

    /// <summary>Whether a read of a range costs about what the range has, and not the whole object.</summary>
    public bool ReadsRanges { get; init; } = true;

    /// <summary>Whether what it holds is read as fast as any file of this machine.</summary>
    public bool IsLocal { get; init; }

    /// <summary>How the store makes use of <see cref="IPublishContent.Segments"/>; null when it is sent all bytes.</summary>
    public PartCopyTraits? PartCopy { get; init; }

    /// <summary>Who keeps past revisions.</summary>
    public RevisionKeeping Keeping { get; init; } = RevisionKeeping.Nothing;
}
