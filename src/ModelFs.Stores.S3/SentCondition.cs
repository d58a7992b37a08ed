namespace ModelFs.Stores.S3;

/// <summary>A condition as it goes over the wire.</summary>
internal readonly record struct SentCondition(string? IfNoneMatch, string? IfMatch)
{
    internal static SentCondition Nothing => default;

    internal static SentCondition Of(PublishCondition condition, bool bare) =>
        condition.MustBeAbsent ? new SentCondition("*", null)
        : condition.Revision is { } revision ? new SentCondition(null, bare ? revision.Value : $"\"{revision.Value}\"")
        : Nothing;
}
