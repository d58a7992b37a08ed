namespace ModelFs.Stores;

/// <summary>A past revision as something to be published: read from the store while it is sent, as often as an upload is repeated.</summary>
/// <param name="history">Where it is read from.</param>
/// <param name="revision">What is read.</param>
/// <param name="cancellationToken">Ends reads.</param>
public sealed class RevisionContent(IObjectHistory history, PastRevision revision, CancellationToken cancellationToken) : IPublishContent
{
    /// <inheritdoc/>
    public long Length => revision.Length;

    /// <inheritdoc/>
    /// <remarks>The store is asked at the first read of the stream.</remarks>
    public Stream OpenRead(long offset, long length) => new OpenedLater(() => history.ReadAsync(revision, offset, length, cancellationToken));

    private sealed class OpenedLater(Func<Task<Stream>> openAsync) : ForwardOnlyStream
    {
        private Stream? _source;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _source ??= await openAsync().ConfigureAwait(false);
            return await _source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _source?.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
