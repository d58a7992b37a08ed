using ModelFs.Stores;

namespace ModelFs.Cli.Listing;

/// <summary>A store's address, checked.</summary>
/// <param name="Text">Complete, a path made absolute; may hold a password.</param>
/// <param name="Display">Without secrets.</param>
/// <param name="HoldsSecret">Whether <paramref name="Text"/> holds a password.</param>
internal sealed record StoreAddress(string Text, string Display, bool HoldsSecret);

/// <summary>Makes stores from what users write. A seam: tests list and mount stores that do not exist.</summary>
internal interface IStoreOpener
{
    /// <summary>Checks an address without reaching for the store.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="workingDirectory">What a relative path starts from; absolute.</param>
    /// <exception cref="StoreException">No store can have this address; the message shows addresses that would do.</exception>
    StoreAddress Parse(string text, string workingDirectory);

    /// <summary>Makes the store; the caller opens and disposes it.</summary>
    /// <param name="address">From <see cref="Parse"/>.</param>
    /// <param name="createBucket">Whether a missing bucket or folder is created.</param>
    /// <param name="caFile">A PEM file of further trusted authorities, or null.</param>
    /// <param name="noProgress">How long a call may go without progress; null for the store's default.</param>
    /// <param name="keepRevisions">How many replaced or deleted archives of each model a folder or MongoDB store keeps; null for as many as it has, and at least one.</param>
    IModelStore Create(StoreAddress address, bool createBucket, string? caFile, TimeSpan? noProgress = null, int? keepRevisions = null);
}
