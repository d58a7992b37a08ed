using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>
/// Where models' archives live: a flat set of named, immutable byte strings that are replaced whole.
/// </summary>
/// <remarks>
/// What every implementation promises, and the conformance suite checks:
/// <list type="bullet">
/// <item>A key is shown in the listing, and answers <see cref="StatAsync"/>, only once its archive is complete. A reader sees
/// either the old or the new archive, never a mixture, and never a part of one.</item>
/// <item><see cref="ReadAsync"/> is pinned: it returns bytes of exactly the revision that was asked for, or throws
/// <see cref="StoreErrorKind.RevisionChanged"/>.</item>
/// <item><see cref="PublishAsync"/> returns when the archive is durable in the store, with the revision that a later
/// <see cref="StatAsync"/> reports. If it throws or is cancelled, the previous archive stands, or the new one does; a caller
/// finds out by <see cref="StatAsync"/>.</item>
/// <item>Every failure is a <see cref="StoreException"/>; cancellation is an <see cref="OperationCanceledException"/>. No call
/// hangs: each has a deadline without progress of its own (<see cref="StoreDeadlines"/>).</item>
/// <item>All members may be called from any thread at once. Messages and <see cref="DisplayName"/> never hold a secret.</item>
/// </list>
/// </remarks>
public interface IModelStore : IAsyncDisposable
{
    /// <summary>The store as a person would name it, for example <c>s3://bucket/prefix</c>; without credentials.</summary>
    string DisplayName { get; }

    /// <summary>The server behind it, for a look at whether and how it answers; null where nothing is spoken to by HTTP. Not passed on by decorators.</summary>
    Uri? Server => null;

    /// <summary>What the store can do.</summary>
    StoreTraits Traits { get; }

    /// <summary>What was replaced or deleted; null for a store that has no way to keep it. Decorators pass it on.</summary>
    IObjectHistory? History => null;

    /// <summary>Checks that the store can be reached and read, and creates the bucket or folder if it is missing and creation was not refused.</summary>
    /// <exception cref="StoreException">It can't be used; the message says why and what to do. <see cref="StoreErrorKind.ListingDenied"/>: it can be used by who knows the keys.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Finds out which conditions of a publish or a delete the store keeps, so that <see cref="Traits"/> tell; for a store that is written to.</summary>
    /// <remarks>The first call with a condition does the same, and waits for it. A store that knows does nothing.</remarks>
    /// <exception cref="StoreException">The store can't be asked now.</exception>
    Task ProveConditionsAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Lists all objects, in no particular order, page by page as the store delivers them. Keys are relative to the prefix and not filtered.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.ListingDenied"/> when the credentials may not list.</exception>
    IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken);

    /// <summary>Looks one object up.</summary>
    /// <returns>Null when there is none of that key; where listing was denied, also when the server does not say whether there is.</returns>
    Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reads <paramref name="length"/> bytes from <paramref name="offset"/> of exactly the revision in <paramref name="source"/>.</summary>
    /// <param name="source">From a listing, a look-up or a publish.</param>
    /// <param name="offset">In bytes from the start of the archive; not beyond its end.</param>
    /// <param name="length">In bytes; <c>offset + length</c> does not exceed the object's length.</param>
    /// <param name="cancellationToken">Ends the call, also between reads of the returned stream.</param>
    /// <returns>A forward-only stream that delivers exactly <paramref name="length"/> bytes; a shorter answer of the server makes a read throw
    /// <see cref="StoreException"/> (<see cref="StoreErrorKind.Unavailable"/>), never end early.</returns>
    Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken);

    /// <summary>Stores an archive whole under <paramref name="key"/>, replacing what was there as <paramref name="condition"/> allows.</summary>
    /// <remarks>
    /// Where the content offers segments of an object that the store holds, a store with <see cref="StoreTraits.PartCopy"/> puts the archive
    /// together by itself; the others are sent all bytes. The rules are the same for both.
    /// </remarks>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.PreconditionFailed"/> when the condition does not hold, and nothing was changed;
    /// <see cref="StoreErrorKind.RevisionChanged"/> when the segments' source is no longer there, or was replaced meanwhile.</exception>
    Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken);

    /// <summary>Deletes an object; succeeds when there is none.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.PreconditionFailed"/> when <paramref name="ifRevision"/> is given and is not the current one, as far as the store can tell.</exception>
    Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken);
}
