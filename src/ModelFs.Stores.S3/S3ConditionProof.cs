namespace ModelFs.Stores.S3;

/// <summary>Which conditions a server was seen to keep, operation by operation. A server was seen to ignore some with an answer of success.</summary>
/// <param name="PutCreate">PutObject with <c>If-None-Match: *</c>.</param>
/// <param name="PutReplace">PutObject with <c>If-Match</c>.</param>
/// <param name="CompleteCreate">CompleteMultipartUpload with <c>If-None-Match: *</c>.</param>
/// <param name="CompleteReplace">CompleteMultipartUpload with <c>If-Match</c>.</param>
/// <param name="Delete">DeleteObject with <c>If-Match</c>.</param>
/// <param name="WantsBareETags">The server compares <c>If-Match</c> with an ETag that has no quotes.</param>
/// <param name="RefusesMatches">The server refuses <c>If-Match</c> also with the right ETag: Ceph does in a bucket with versions.</param>
/// <param name="RefusesConditions">The server answers every condition of a PutObject with 501.</param>
internal sealed record S3ConditionProof(
    ConditionSupport PutCreate,
    ConditionSupport PutReplace,
    ConditionSupport CompleteCreate,
    ConditionSupport CompleteReplace,
    ConditionSupport Delete,
    bool WantsBareETags,
    bool RefusesMatches,
    bool RefusesConditions)
{
    /// <summary>Before the probe.</summary>
    internal static S3ConditionProof None { get; } = Of(ConditionSupport.Unproven);

    /// <summary>What can't be proven, for lack of rights, is taken to be weak.</summary>
    internal static S3ConditionProof Weak { get; } = Of(ConditionSupport.CheckedBefore);

    /// <summary>Whether a publish by one request is refused by the server itself when the condition does not hold.</summary>
    internal bool PutKeeps(PublishCondition condition) => Keeps(condition, PutCreate, PutReplace);

    /// <summary>The same of a publish in parts.</summary>
    internal bool CompleteKeeps(PublishCondition condition) => Keeps(condition, CompleteCreate, CompleteReplace);

    private static bool Keeps(PublishCondition condition, ConditionSupport create, ConditionSupport replace) =>
        condition == PublishCondition.None || (condition.MustBeAbsent ? create : replace) == ConditionSupport.Atomic;

    private static S3ConditionProof Of(ConditionSupport support) => new(support, support, support, support, support, WantsBareETags: false, RefusesMatches: false, RefusesConditions: false);
}
