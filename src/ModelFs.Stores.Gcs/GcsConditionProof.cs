namespace ModelFs.Stores.Gcs;

/// <summary>Which generation conditions a server keeps.</summary>
/// <param name="Create">Of an upload by one request that must find nothing.</param>
/// <param name="Replace">Of an upload by one request.</param>
/// <param name="InParts">Of an upload in chunks.</param>
/// <param name="Delete">Of a delete.</param>
internal sealed record GcsConditionProof(ConditionSupport Create, ConditionSupport Replace, ConditionSupport InParts, ConditionSupport Delete)
{
    /// <summary>Nothing is known yet.</summary>
    internal static readonly GcsConditionProof None = All(ConditionSupport.Unproven);

    /// <summary>None is kept, or the credentials lack the rights to find out.</summary>
    internal static readonly GcsConditionProof Weak = All(ConditionSupport.CheckedBefore);

    /// <summary>All are kept.</summary>
    internal static readonly GcsConditionProof Kept = All(ConditionSupport.Atomic);

    /// <summary>How firmly the condition of one operation is kept.</summary>
    internal ConditionSupport Of(PublishCondition condition, bool isDelete, bool inParts) =>
        isDelete ? Delete : inParts ? InParts : condition.MustBeAbsent ? Create : Replace;

    private static GcsConditionProof All(ConditionSupport support) => new(support, support, support, support);
}
