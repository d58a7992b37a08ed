namespace ModelFs.Stores.S3;

/// <summary>Part of an archive on its way up: tells the deadline of every byte taken, and can start over.</summary>
/// <param name="content">The archive.</param>
/// <param name="offset">Of the part, in bytes.</param>
/// <param name="length">Of the part, in bytes.</param>
/// <param name="deadline">Touched by each read.</param>
internal sealed class UploadStream(IPublishContent content, long offset, long length, ProgressDeadline deadline) : Stream
{
    private Stream _source = content.OpenRead(offset, length);
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    /// <remarks>The SDK rewinds to hash or to repeat; nothing else is needed of it.</remarks>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Took(_source.Read(buffer, offset, (int)Math.Min(count, length - _position)), count);

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Took(await _source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, length - _position)], cancellationToken).ConfigureAwait(false), buffer.Length);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            SeekOrigin.End => length + offset,
        };
        if (target != _position)
        {
            _source.Dispose();
            _source = content.OpenRead(StartOf(target), length - target);
            _position = target;
        }

        return _position;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private long StartOf(long position) => offset + position;

    private int Took(int read, int asked)
    {
        deadline.Touch();
        _position += read;
        return read > 0 || asked == 0 || _position == length
            ? read
            : throw new StoreException(StoreErrorKind.Rejected, $"the archive to publish ended at byte {offset + _position} of {content.Length}; nothing was published");
    }
}
