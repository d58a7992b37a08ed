namespace ModelFs.Stores;

/// <summary>The past of a store's objects: what was replaced or deleted, and how it becomes current again.</summary>
/// <remarks>
/// What every implementation promises, and the suite for it checks: a past revision is in no listing of the store and answers no look-up;
/// it is the archive as it was, byte for byte; restoring it is a publish, so what is current then becomes a past revision itself.
/// Failures, cancellation and deadlines are those of <see cref="IModelStore"/>.
/// </remarks>
public interface IObjectHistory
{
    /// <summary>What is current under a key, and what the store still has of what was there before.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.AccessDenied"/> when past revisions may not be listed.</exception>
    Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reads a part of a past revision, as <see cref="IModelStore.ReadAsync"/> does of a current one.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.RevisionChanged"/> when it is gone;
    /// <see cref="StoreErrorKind.Rejected"/> when <see cref="PastRevision.IsReadable"/> is false.</exception>
    Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken);

    /// <summary>Makes the bytes of a past revision the key's current archive, as a new revision.</summary>
    /// <param name="source">From <see cref="ListAsync"/>.</param>
    /// <param name="condition">What must hold; kept as firmly as by a publish.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.PreconditionFailed"/> when the condition does not hold, and nothing was changed;
    /// <see cref="StoreErrorKind.RevisionChanged"/> when the past revision is gone.</exception>
    Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken);
}
