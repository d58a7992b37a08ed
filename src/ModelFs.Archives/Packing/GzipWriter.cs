using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;

namespace ModelFs.Archives.Packing;

/// <summary>Writes one gzip member. Its header holds no time and no name, so the same data gives the same bytes.</summary>
internal sealed class GzipWriter(IDeflater deflater) : IDisposable
{
    private readonly Crc32 _crc = new();
    private uint _bytes;

    /// <summary>Appends the header.</summary>
    public static void Begin(IBufferWriter<byte> output) => output.Write(GzipHeader.Plain);

    /// <summary>Compresses <paramref name="data"/>.</summary>
    public void Write(ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        _crc.Append(data);
        _bytes += (uint)data.Length;
        deflater.Write(data, output);
    }

    /// <summary>Ends the member with its checksum and length.</summary>
    public void End(IBufferWriter<byte> output)
    {
        deflater.Finish(output);
        var trailer = output.GetSpan(8);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _bytes);
        output.Advance(8);
    }

    /// <inheritdoc/>
    public void Dispose() => deflater.Dispose();
}
