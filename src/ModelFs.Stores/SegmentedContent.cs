namespace ModelFs.Stores;

/// <summary>An archive that is put together of segments. What the store has of them already is read from there, pinned to the revision.</summary>
public sealed class SegmentedContent : IPublishContent
{
    private readonly IModelStore _store;
    private readonly StoredObject? _source;
    private readonly ContentSegment[] _segments;
    private readonly Func<long, long, Stream> _openFresh;

    /// <summary>Describes the archive.</summary>
    /// <param name="store">Holds <paramref name="source"/>.</param>
    /// <param name="source">What the segments refer to; null when they refer to nothing.</param>
    /// <param name="segments">In order, without gaps, from 0 to the archive's end.</param>
    /// <param name="openFresh">Opens a number of bytes (second) of the archive from an offset in it (first), all inside of one segment that the store does not have.</param>
    /// <exception cref="ArgumentException">The segments leave gaps, overlap, or reach beyond the source.</exception>
    public SegmentedContent(IModelStore store, StoredObject? source, IReadOnlyList<ContentSegment> segments, Func<long, long, Stream> openFresh)
    {
        _store = store;
        _source = source;
        _segments = [.. segments];
        _openFresh = openFresh;
        foreach (var segment in _segments)
        {
            if (segment.Offset != Length || segment.Length <= 0 || segment.SourceOffset < 0 || segment.SourceOffset > (source?.Length ?? 0) - segment.Length)
            {
                throw new ArgumentException($"{segment} does not follow byte {Length}, or lies outside of a source of {source?.Length ?? 0} bytes", nameof(segments));
            }

            Length += segment.Length;
        }
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public StoredObject? Source => _source;

    /// <inheritdoc/>
    public IReadOnlyList<ContentSegment> Segments => _source is null ? [] : _segments;

    /// <inheritdoc/>
    public Stream OpenRead(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return new JoinedStream(this, offset, length);
    }

    /// <summary>Opens what one segment holds of a range, at most to the segment's end.</summary>
    private async Task<(Stream Stream, long Length)> OpenPieceAsync(long offset, long lengthMax, CancellationToken cancellationToken)
    {
        var segment = _segments[SegmentAt(offset)];
        var inside = offset - segment.Offset;
        var length = Math.Min(lengthMax, segment.Length - inside);
        var stream = segment.SourceOffset is { } start
            ? await _store.ReadAsync(_source!, start + inside, length, cancellationToken).ConfigureAwait(false)
            : _openFresh(offset, length);
        return (stream, length);
    }

    private int SegmentAt(long offset)
    {
        var low = 0;
        var high = _segments.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _segments[middle].Offset <= offset ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    private sealed class JoinedStream(SegmentedContent content, long offset, long length) : ForwardOnlyStream
    {
        private Stream? _piece;
        private long _pieceLeft;
        private long _done;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_done == length || buffer.IsEmpty)
            {
                return 0;
            }

            if (_pieceLeft == 0)
            {
                _piece?.Dispose();
                (_piece, _pieceLeft) = await content.OpenPieceAsync(offset + _done, length - _done, cancellationToken).ConfigureAwait(false);
            }

            var read = await _piece!.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _pieceLeft)], cancellationToken).ConfigureAwait(false);

            // A piece that ends early ends the whole; whoever reads compares with the length.
            _pieceLeft -= read;
            _done += read;
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _piece?.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
