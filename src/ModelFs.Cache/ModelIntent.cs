namespace ModelFs.Cache;

/// <summary>What is being done to a model in the store in more than one step; <c>journal/intent-ID</c>.</summary>
/// <param name="Version">Of this format; 1.</param>
/// <param name="Id">Unique within the journal.</param>
/// <param name="Kind"><c>move</c> or <c>delete</c>.</param>
/// <param name="Key">The key that is moved or deleted.</param>
/// <param name="Revision">Its revision when that was asked for; another one is left alone.</param>
/// <param name="NewKey">Where it moves to.</param>
/// <param name="NewRevision">Its revision there, once it was published.</param>
/// <param name="CopyId">The local copy, or 0.</param>
/// <param name="Since">When it was asked for.</param>
public sealed record ModelIntent(
    int Version, long Id, string Kind, string Key, string? Revision, string? NewKey, string? NewRevision, long CopyId, DateTimeOffset Since)
{
    /// <summary>The model gets another key.</summary>
    public const string KindMove = "move";

    /// <summary>The model goes.</summary>
    public const string KindDelete = "delete";
}
