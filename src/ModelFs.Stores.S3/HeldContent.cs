namespace ModelFs.Stores.S3;

/// <summary>
/// A stretch of an archive, read once into memory: for bodies that are read twice (to be signed whole, and to be sent) although parts of them come
/// from the server itself. OpenStack Swift also takes a body that pauses for a damaged one.
/// </summary>
internal sealed class HeldContent : IPublishContent
{
    private readonly long _offset;
    private readonly byte[] _bytes;

    private HeldContent(long length, long offset, byte[] bytes)
    {
        Length = length;
        _offset = offset;
        _bytes = bytes;
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <summary>Reads the stretch.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Rejected"/> when the archive ends early.</exception>
    internal static async Task<HeldContent> ReadAsync(IPublishContent content, long offset, long length, ProgressDeadline deadline)
    {
        var bytes = new byte[length];
        using var stream = new UploadStream(content, offset, length, deadline);
        await stream.ReadExactlyAsync(bytes, deadline.Token).ConfigureAwait(false);
        return new HeldContent(content.Length, offset, bytes);
    }

    /// <inheritdoc/>
    public Stream OpenRead(long offset, long length) => new MemoryStream(_bytes, (int)(offset - _offset), (int)length, writable: false);
}
