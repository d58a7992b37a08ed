using System.Buffers;
using ModelFs.Archives.Deflate;

namespace ModelFs.Archives.Packing;

/// <summary>A gzip member whose bytes are stored, made without a copy in between.</summary>
internal static class StoredMember
{
    private const int GzipBytes = 18;

    /// <summary>Length of the gzip member for so many bytes.</summary>
    public static int LengthOf(int length)
    {
        var blocks = Math.Max(1, (length + StoringDeflater.BlockBytesMax - 1) / StoringDeflater.BlockBytesMax);
        return GzipBytes + length + (StoringDeflater.BlockHeaderBytes * blocks);
    }

    /// <summary>Appends the deflate stream.</summary>
    public static void Write(ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        do
        {
            var block = data[..Math.Min(data.Length, StoringDeflater.BlockBytesMax)];
            data = data[block.Length..];
            StoringDeflater.WriteBlock(block, data.IsEmpty, output);
        }
        while (!data.IsEmpty);
    }
}
