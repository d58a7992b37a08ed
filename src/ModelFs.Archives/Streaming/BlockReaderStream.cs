namespace ModelFs.Archives.Streaming;

/// <summary>A <see cref="BlockReader"/> as a read-only stream, for decoders that take nothing else.</summary>
internal sealed class BlockReaderStream(BlockReader source) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => source.Position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var bytes = source.Take(buffer.Length);
        bytes.CopyTo(buffer);
        return bytes.Length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int ReadByte()
    {
        var bytes = source.Take(1);
        return bytes.IsEmpty ? -1 : bytes[0];
    }

    public override void Flush()
    {
        // Nothing is written through it.
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
