using System.Buffers;
using System.IO.Compression;
using ModelFs.Archives.Streaming;

namespace ModelFs.Archives.Deflate;

/// <summary>System.IO.Compression's deflate, for machines without libmodelfs. It writes no stream at all for no input; a tar is never empty.</summary>
internal sealed class SystemDeflater : IDeflater
{
    private readonly BufferWriterStream _sink = new();
    private readonly CompressionLevel _level;
    private DeflateStream _stream;

    public SystemDeflater(int level)
    {
        _level = LevelOf(level);
        _stream = new DeflateStream(_sink, _level, leaveOpen: true);
    }

    public void Write(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        _sink.Output = output;
        _stream.Write(input);
    }

    public void Finish(IBufferWriter<byte> output)
    {
        _sink.Output = output;
        _stream.Dispose();
    }

    public void Reset()
    {
        _sink.Output = null;
        _stream.Dispose();
        _stream = new DeflateStream(_sink, _level, leaveOpen: true);
    }

    public void Dispose()
    {
        _sink.Output = null;
        _stream.Dispose();
        _sink.Dispose();
    }

    private static CompressionLevel LevelOf(int level) => level switch
    {
        <= 1 => CompressionLevel.Fastest,
        2 => CompressionLevel.Optimal,
        _ => CompressionLevel.SmallestSize,
    };
}
