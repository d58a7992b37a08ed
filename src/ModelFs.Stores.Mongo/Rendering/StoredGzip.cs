using System.Buffers.Binary;
using System.IO.Hashing;

namespace ModelFs.Stores.Mongo.Rendering;

/// <summary>Wraps bytes as gzip without compressing them. The result depends on the bytes alone, never on a version of a compressor.</summary>
internal static class StoredGzip
{
    private const int BlockBytesMax = 65535;

    /// <summary>No name, no time, unknown system.</summary>
    private static ReadOnlySpan<byte> Header => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

    /// <summary>Makes one gzip member of stored blocks.</summary>
    internal static byte[] Wrap(ReadOnlySpan<byte> content)
    {
        var blocks = Math.Max(1, (content.Length + BlockBytesMax - 1) / BlockBytesMax);
        var result = new byte[Header.Length + (blocks * 5) + content.Length + 8];
        var target = result.AsSpan();
        Header.CopyTo(target);
        target = target[Header.Length..];
        for (var i = 0; i < blocks; i++)
        {
            var block = content.Slice(i * BlockBytesMax, Math.Min(BlockBytesMax, content.Length - (i * BlockBytesMax)));
            target[0] = i == blocks - 1 ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteUInt16LittleEndian(target[1..], (ushort)block.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(target[3..], (ushort)~block.Length);
            block.CopyTo(target[5..]);
            target = target[(5 + block.Length)..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32.HashToUInt32(content));
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)content.Length);
        return result;
    }
}
