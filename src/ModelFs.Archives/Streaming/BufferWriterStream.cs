using System.Buffers;

namespace ModelFs.Archives.Streaming;

/// <summary>A write-only stream in front of a buffer writer; without one, what is written is dropped.</summary>
internal sealed class BufferWriterStream : Stream
{
    /// <summary>Where bytes go.</summary>
    public IBufferWriter<byte>? Output { get; set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer) => Output?.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // A buffer writer holds nothing back.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
