using System.Buffers.Binary;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>The numbers of the index's format (FORMATS, "Indexed archives"). All numbers in it are little endian.</summary>
internal static class IndexFormat
{
    public const ushort Version = 1;

    /// <summary>The longest FEXTRA field that is written: busybox refuses more.</summary>
    public const int ExtraBytesMax = 16_000;

    public const int SubfieldHeaderBytes = 4;

    /// <summary>Bytes of the compressed index in one gzip member.</summary>
    public const int ChunkBytesMax = ExtraBytesMax - SubfieldHeaderBytes;

    /// <summary>Header with XLEN (12), the deflate stream of nothing (2), CRC and length (8).</summary>
    public const int EmptyMemberBytes = 12 + 2 + 8;

    public const int FooterFieldBytes = 56;
    public const int FooterBytes = EmptyMemberBytes + SubfieldHeaderBytes + FooterFieldBytes;
    public const int FooterSummedBytes = FooterFieldBytes - 4;

    public const int HeadBytes = 28;
    public const int MemberRecordBytes = 25;
    public const int EntryRecordBytes = 28;
    public const int DigestBytes = 16;

    /// <summary>The largest index; a million entries with long names stay below it.</summary>
    public const int UnpackedBytesMax = 256 << 20;

    public const byte File = 0;
    public const byte Folder = 1;
    public const byte Link = 2;

    /// <summary>The fixed bytes of an empty member in front of XLEN: as all members of ModelFs, with the flag FEXTRA.</summary>
    public static ReadOnlySpan<byte> MemberHead => [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3];

    /// <summary>What follows the extra field: a final block of nothing, CRC 0, length 0.</summary>
    public static ReadOnlySpan<byte> MemberTail => [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static ReadOnlySpan<byte> IndexId => "MI"u8;

    public static ReadOnlySpan<byte> FooterId => "MF"u8;

    public static ReadOnlySpan<byte> Magic => "MFSINDEX"u8;

    public static int ChunksOf(long packedBytes) => (int)((packedBytes + ChunkBytesMax - 1) / ChunkBytesMax);

    /// <summary>Length of index members and footer for a compressed index of so many bytes.</summary>
    public static long LengthOf(long packedBytes) =>
        packedBytes + ((long)ChunksOf(packedBytes) * (EmptyMemberBytes + SubfieldHeaderBytes)) + FooterBytes;

    public static void WriteDigest(Span<byte> to, ContentDigest digest)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, digest.High);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], digest.Low);
    }

    public static ContentDigest ReadDigest(ReadOnlySpan<byte> from) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(from), BinaryPrimitives.ReadUInt64LittleEndian(from[8..]));
}
