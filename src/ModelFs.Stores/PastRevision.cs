namespace ModelFs.Stores;

/// <summary>An archive that was once current under a key.</summary>
/// <param name="Key">Relative to the store's prefix.</param>
/// <param name="Id">The store's own name for it, unique under the key; printable ASCII. Opaque to everybody else.</param>
/// <param name="Length">Of the archive, in bytes.</param>
/// <param name="Modified">When it became current, in the store's time.</param>
/// <param name="Ended">When it was replaced or deleted; null where the store does not tell.</param>
/// <param name="WasDeleted">Whether it was deleted, not replaced.</param>
public sealed record PastRevision(string Key, string Id, long Length, DateTimeOffset Modified, DateTimeOffset? Ended, bool WasDeleted)
{
    /// <summary>False where the store gives the bytes back only by <see cref="IObjectHistory.RestoreAsync"/>.</summary>
    public bool IsReadable { get; init; } = true;
}

/// <summary>What a store has of a key, now and before.</summary>
/// <param name="Current">Null when there is nothing under the key.</param>
/// <param name="Past">Newest first, without the current one.</param>
/// <param name="WhyNotKept">Why the store does not keep what is replaced or deleted from now on, and how to make it; null when it does.</param>
public sealed record ObjectPast(StoredObject? Current, IReadOnlyList<PastRevision> Past, string? WhyNotKept);
