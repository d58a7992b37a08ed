namespace ModelFs.Stores;

/// <summary>The past of a store behind a <see cref="RetryingStore"/>, whose retries it shares.</summary>
/// <param name="inner">The store's own.</param>
/// <param name="store">The wrapper.</param>
/// <param name="options">Of the wrapper.</param>
internal sealed class RetryingHistory(IObjectHistory inner, RetryingStore store, RetryOptions options) : IObjectHistory
{
    /// <inheritdoc/>
    public Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken) =>
        store.TryAsync(async token => await inner.ListAsync(key, token).ConfigureAwait(false), cancellationToken);

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
    {
        var first = await OpenAsync(source, offset, length, cancellationToken).ConfigureAwait(false);
        return new ResumingStream(first, length, (done, token) => OpenAsync(source, offset + done, length - done, token), options, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>A restore whose answer was lost may have happened: when its repetition is refused, what is current is compared with what was to be restored.</remarks>
    public Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
    {
        var mayHaveHappened = false;
        return store.TryAsync(
            async token =>
            {
                try
                {
                    return await inner.RestoreAsync(source, condition, token).ConfigureAwait(false);
                }
                catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable)
                {
                    mayHaveHappened = true;
                    throw;
                }
                catch (StoreException failure) when (mayHaveHappened && failure.Kind is StoreErrorKind.PreconditionFailed && source.IsReadable)
                {
                    if (await store.FindOursAsync(source.Key, new RevisionContent(this, source, token), token).ConfigureAwait(false) is { } restored)
                    {
                        return restored;
                    }

                    throw;
                }
            },
            cancellationToken);
    }

    private Task<Stream> OpenAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken) =>
        store.TryAsync(async _ => await inner.ReadAsync(source, offset, length, cancellationToken).ConfigureAwait(false), cancellationToken);
}
