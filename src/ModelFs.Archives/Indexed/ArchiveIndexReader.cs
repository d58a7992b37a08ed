using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>
/// Finds and reads the index at the end of an archive. An archive without one, or with one that does not fit it in every respect, is <em>foreign</em>: it is read
/// from its first byte to its last, as anybody's. Nothing here throws for what an archive holds.
/// </summary>
public static class ArchiveIndexReader
{
    /// <summary>How many bytes of an archive's end to ask for first: the whole index of a model with some thousand files.</summary>
    public const int TailBytes = 128 << 10;

    /// <summary>The fixed length of the footer, which is the archive's end. Shorter tails can't be asked for an index.</summary>
    public const int FooterBytes = IndexFormat.FooterBytes;

    /// <summary>Reads the footer.</summary>
    /// <param name="tail">The archive's last bytes, at least <see cref="FooterBytes"/> and any more than that.</param>
    /// <param name="archiveLength">Of the whole archive, as its store gives it.</param>
    /// <param name="location">Where the index stands. When it reaches before <paramref name="tail"/>, the rest must be fetched.</param>
    /// <returns>False for a foreign archive.</returns>
    public static bool TryReadFooter(ReadOnlySpan<byte> tail, long archiveLength, out IndexLocation location)
    {
        location = default;
        if (tail.Length < FooterBytes || tail.Length > archiveLength || !TryUnwrap(tail[^FooterBytes..], IndexFormat.FooterId, out var fields))
        {
            return false;
        }

        if (fields.Length != IndexFormat.FooterFieldBytes
            || !fields.StartsWith(IndexFormat.Magic)
            || BinaryPrimitives.ReadUInt16LittleEndian(fields[8..]) != IndexFormat.Version
            || BinaryPrimitives.ReadUInt16LittleEndian(fields[10..]) != 0
            || BinaryPrimitives.ReadInt64LittleEndian(fields[12..]) != archiveLength
            || BinaryPrimitives.ReadUInt32LittleEndian(fields[IndexFormat.FooterSummedBytes..]) != Crc32.HashToUInt32(fields[..IndexFormat.FooterSummedBytes]))
        {
            return false;
        }

        var offset = BinaryPrimitives.ReadInt64LittleEndian(fields[20..]);
        var packed = BinaryPrimitives.ReadInt32LittleEndian(fields[28..]);
        var unpacked = BinaryPrimitives.ReadInt32LittleEndian(fields[32..]);
        if (packed <= 0
            || unpacked is < IndexFormat.HeadBytes or > IndexFormat.UnpackedBytesMax
            || packed > unpacked + (unpacked >> 8) + 1024
            || offset <= 0
            || offset != archiveLength - IndexFormat.LengthOf(packed))
        {
            return false;
        }

        location = new IndexLocation(archiveLength, offset, packed, unpacked, IndexFormat.ReadDigest(fields[36..]));
        return true;
    }

    /// <summary>Reads and checks the index.</summary>
    /// <param name="bytes">The archive from <see cref="IndexLocation.Offset"/> to its end.</param>
    /// <param name="location">From <see cref="TryReadFooter"/>.</param>
    /// <param name="model">The model that the archive is read as; an archive that was packed under another name can be foreign (its top folder counts as content).</param>
    /// <param name="limits">Bounds on the tree; an archive that exceeds them is foreign, and is refused when it is read whole.</param>
    /// <param name="index">The index, or null.</param>
    /// <returns>False for a foreign archive.</returns>
    public static bool TryParse(
        ReadOnlySpan<byte> bytes, in IndexLocation location, ModelName model, UnpackLimits limits, [NotNullWhen(true)] out ArchiveIndex? index)
    {
        index = null;
        if (bytes.Length != location.Length || !TryReadFooter(bytes, location.ArchiveLength, out var own) || own != location || !TryInflate(bytes, location, out var text))
        {
            return false;
        }

        return IndexParser.TryParse(text, location, model, limits, out index);
    }

    /// <summary>Reads the index of an archive of which the tail is at hand.</summary>
    /// <returns>False for a foreign archive, and when the tail is shorter than the index: then <paramref name="location"/> says how much is needed.</returns>
    public static bool TryRead(
        ReadOnlySpan<byte> tail, long archiveLength, ModelName model, UnpackLimits limits, out IndexLocation location, [NotNullWhen(true)] out ArchiveIndex? index)
    {
        index = null;
        return TryReadFooter(tail, archiveLength, out location)
            && location.Length <= tail.Length
            && TryParse(tail[^location.Length..], location, model, limits, out index);
    }

    /// <summary>The text of the index, when it is the one that the footer means.</summary>
    internal static bool TryInflate(ReadOnlySpan<byte> bytes, in IndexLocation location, [NotNullWhen(true)] out byte[]? text)
    {
        text = null;
        var packed = new byte[location.PackedBytes];
        for (var filled = 0; filled < packed.Length;)
        {
            var length = Math.Min(packed.Length - filled, IndexFormat.ChunkBytesMax);
            var member = bytes[..(length + IndexFormat.EmptyMemberBytes + IndexFormat.SubfieldHeaderBytes)];
            if (!TryUnwrap(member, IndexFormat.IndexId, out var chunk))
            {
                return false;
            }

            chunk.CopyTo(packed.AsSpan(filled));
            filled += length;
            bytes = bytes[member.Length..];
        }

        if (ContentDigest.From(XxHash128.HashToUInt128(packed)) != location.Digest)
        {
            return false;
        }

        // An index that can't be is not even given the memory that it asks for: deflate never shrinks more than this.
        if (location.UnpackedBytes > (long)UnpackLimits.Default.RatioMax * packed.Length)
        {
            return false;
        }

        text = new byte[location.UnpackedBytes];
        try
        {
            using var inflater = DeflateCodec.NewInflater();
            return WholeStream.TryInflate(inflater, packed, text);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>The one subfield of a gzip member that holds nothing else: every byte around it is as it must be.</summary>
    private static bool TryUnwrap(ReadOnlySpan<byte> member, ReadOnlySpan<byte> id, out ReadOnlySpan<byte> data)
    {
        data = member[(12 + IndexFormat.SubfieldHeaderBytes)..^IndexFormat.MemberTail.Length];
        return member.StartsWith(IndexFormat.MemberHead)
            && BinaryPrimitives.ReadUInt16LittleEndian(member[10..]) == data.Length + IndexFormat.SubfieldHeaderBytes
            && member.Slice(12, 2).SequenceEqual(id)
            && BinaryPrimitives.ReadUInt16LittleEndian(member[14..]) == data.Length
            && member.EndsWith(IndexFormat.MemberTail);
    }
}
