namespace ModelFs.Stores;

/// <summary>A read that is opened again at the byte where it broke. Attempts without a single byte in between are bounded in number and time.</summary>
internal sealed class ResumingStream : ForwardOnlyStream
{
    private readonly long _length;
    private readonly Func<long, CancellationToken, Task<Stream>> _openAsync;
    private readonly RetryOptions _options;
    private readonly CancellationToken _cancellationToken;
    private Stream? _current;
    private long _done;
    private int _breaksInARow;

    /// <summary>Continues a read that was opened.</summary>
    /// <param name="first">Owned by the stream.</param>
    /// <param name="length">Of the whole read, in bytes.</param>
    /// <param name="openAsync">Opens the rest from a number of bytes on; tries several times by itself.</param>
    /// <param name="options">How often.</param>
    /// <param name="cancellationToken">Of the read.</param>
    internal ResumingStream(Stream first, long length, Func<long, CancellationToken, Task<Stream>> openAsync, RetryOptions options, CancellationToken cancellationToken)
    {
        _current = first;
        _length = length;
        _openAsync = openAsync;
        _options = options;
        _cancellationToken = cancellationToken;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_done == _length || buffer.IsEmpty)
        {
            return 0;
        }

        var started = _options.TimeProvider.GetTimestamp();
        while (true)
        {
            try
            {
                _current ??= await _openAsync(_done, _cancellationToken).ConfigureAwait(false);
                var read = await _current.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                _done += read;
                _breaksInARow = 0;
                return read;
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable && _current is not null && MayResume(started))
            {
                _breaksInARow++;
                await _current.DisposeAsync().ConfigureAwait(false);
                _current = null;
                await Task.Delay(_options.FirstPause * _breaksInARow, _options.TimeProvider, _cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _current?.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool MayResume(long started) =>
        _breaksInARow < _options.RetriesMax && _options.TimeProvider.GetElapsedTime(started) < _options.Patience;
}
