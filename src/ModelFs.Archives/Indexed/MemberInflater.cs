using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>Inflates single members of an indexed archive and verifies them: what comes out is what the packer put in, and the tar says of it what the index says. One per thread.</summary>
/// <param name="checksCrc">
/// Whether the CRC of gzip counts, too. For the content it says less than the digest, and costs as much again; who passes the member itself on should know that every reader will take it.
/// </param>
public sealed class MemberInflater(bool checksCrc = true) : IDisposable
{
    private const int TrailerBytes = 8;

    private readonly IInflater _inflater = DeflateCodec.NewInflater();
    private readonly ArrayBufferWriter<byte> _headers = new();
    private readonly List<ContentSlice> _slices = [];

    /// <summary>Inflates and verifies one member.</summary>
    /// <param name="index">The archive's index.</param>
    /// <param name="member">Which of its members.</param>
    /// <param name="archiveBytes">Exactly this member's bytes of the archive.</param>
    /// <param name="buffer">Takes the uncompressed bytes; at least as long as the member's <see cref="ArchiveMember.TarBytes"/>.</param>
    /// <returns>
    /// The files' bytes in it, in the order of the tar, as parts of <paramref name="buffer"/> or, of a stored piece of a file, of <paramref name="archiveBytes"/>: then one slice for
    /// each of its blocks, as they follow each other in the file. The list is valid until the next call; a folder or link has no slice.
    /// </returns>
    /// <exception cref="ArchiveException">The bytes are not what the index says (<see cref="ArchiveErrorKind.Damaged"/>); nothing in the buffer may be used.</exception>
    public IReadOnlyList<ContentSlice> Inflate(ArchiveIndex index, int member, ReadOnlyMemory<byte> archiveBytes, Memory<byte> buffer)
    {
        var expected = index.Members[member];
        var tar = buffer[..expected.TarBytes];
        if (archiveBytes.Length != expected.ArchiveBytes)
        {
            throw new ArgumentException($"member {member} has {expected.ArchiveBytes} bytes, not {archiveBytes.Length}", nameof(archiveBytes));
        }

        _slices.Clear();
        if (TryTakeStored(index, member, archiveBytes))
        {
            return _slices;
        }

        Decode(expected, archiveBytes.Span, tar.Span);
        if (member == index.Members.Count - 1)
        {
            return tar.Span.ContainsAnyExcept((byte)0) ? throw Damaged(expected, "is not the tar's end mark that it should be") : _slices;
        }

        for (var i = index.FirstEntryIn(member); i < index.Entries.Count && index.Entries[i].TarOffset < expected.TarEnd; i++)
        {
            TakeEntry(index, i, expected, tar);
        }

        return _slices;
    }

    /// <inheritdoc/>
    public void Dispose() => _inflater.Dispose();

    private static ArchiveException Damaged(in ArchiveMember member, string what) =>
        ArchiveException.Damaged($"the gzip member at byte {member.Offset:N0} of the archive {what}");

    /// <summary>Takes a piece of a file that is stored as our packer stores it from where it is, without a copy; leaves every other member to be decoded.</summary>
    private bool TryTakeStored(ArchiveIndex index, int member, ReadOnlyMemory<byte> archiveBytes)
    {
        var expected = index.Members[member];
        if (expected.Coding != MemberCoding.Stored || !archiveBytes.Span.StartsWith(GzipHeader.Plain) || OnlyEntryIn(index, member) is not { } only)
        {
            return false;
        }

        var entry = index.Entries[only];
        var hash = new XxHash128();
        var crc = checksCrc ? new Crc32() : null;
        var at = GzipHeader.Plain.Length;
        var tarOffset = expected.TarOffset;
        while (tarOffset < expected.TarEnd)
        {
            var length = (int)Math.Min(StoringDeflater.BlockBytesMax, expected.TarEnd - tarOffset);
            if (!IsBlockHeader(archiveBytes.Span[at..], length, isLast: tarOffset + length == expected.TarEnd) || archiveBytes.Length - at - StoringDeflater.BlockHeaderBytes < length + TrailerBytes)
            {
                _slices.Clear();
                return false;
            }

            var block = archiveBytes.Slice(at + StoringDeflater.BlockHeaderBytes, length);
            hash.Append(block.Span);
            crc?.Append(block.Span);
            var ofFile = (int)Math.Min(length, entry.ContentTarEnd - tarOffset);
            if (ofFile > 0)
            {
                _slices.Add(new ContentSlice(only, tarOffset - entry.ContentTarOffset, block[..ofFile]));
            }

            at += StoringDeflater.BlockHeaderBytes + length;
            tarOffset += length;
        }

        Check(expected, archiveBytes.Span[at..], crc?.GetCurrentHashAsUInt32(), hash.GetCurrentHashAsUInt128());
        return true;
    }

    private static bool IsBlockHeader(ReadOnlySpan<byte> bytes, int length, bool isLast)
    {
        Span<byte> header = stackalloc byte[StoringDeflater.BlockHeaderBytes];
        StoringDeflater.WriteBlockHeader(header, length, isLast);
        return bytes.StartsWith(header);
    }

    /// <summary>The entry of whose content the member holds a piece, and nothing else but padding; null when there is more in it.</summary>
    private static int? OnlyEntryIn(ArchiveIndex index, int member)
    {
        var expected = index.Members[member];
        if (member == index.Members.Count - 1)
        {
            return null;
        }

        var entry = index.FirstEntryIn(member);
        return entry < index.Entries.Count
            && index.Entries[entry].ContentTarOffset <= expected.TarOffset
            && (entry + 1 == index.Entries.Count || index.Entries[entry + 1].TarOffset >= expected.TarEnd) ? entry : null;
    }

    private void Decode(in ArchiveMember expected, ReadOnlySpan<byte> archiveBytes, Span<byte> tar)
    {
        var head = GzipHeader.Plain;
        if (archiveBytes.Length < head.Length + TrailerBytes || !archiveBytes.StartsWith(head))
        {
            throw Damaged(expected, "has no header of ours");
        }

        try
        {
            if (!WholeStream.TryInflate(_inflater, archiveBytes[head.Length..^TrailerBytes], tar))
            {
                throw Damaged(expected, "has another length than the index says");
            }
        }
        catch (InvalidDataException error)
        {
            throw ArchiveException.Damaged($"the gzip member at byte {expected.Offset:N0} of the archive can't be decoded ({error.Message})", error);
        }

        Check(expected, archiveBytes[^TrailerBytes..], checksCrc ? Crc32.HashToUInt32(tar) : null, XxHash128.HashToUInt128(tar));
    }

    private static void Check(in ArchiveMember expected, ReadOnlySpan<byte> trailer, uint? crc, UInt128 hash)
    {
        if (trailer.Length != TrailerBytes || (crc is { } known && BinaryPrimitives.ReadUInt32LittleEndian(trailer) != known) || BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != (uint)expected.TarBytes)
        {
            throw Damaged(expected, "fails its checksum");
        }

        if (ContentDigest.From(hash) != expected.Digest)
        {
            throw Damaged(expected, "is not the one that the index describes");
        }
    }

    private void TakeEntry(ArchiveIndex index, int i, in ArchiveMember member, Memory<byte> tar)
    {
        var entry = index.Entries[i];
        var beginsHere = entry.TarOffset >= member.TarOffset;
        if (beginsHere)
        {
            CompareHeaders(index, entry, member, tar.Span[(int)(entry.TarOffset - member.TarOffset)..entry.ContentOffset]);
        }

        var start = Math.Max(entry.ContentTarOffset, member.TarOffset);
        var end = Math.Min(entry.ContentTarEnd, member.TarEnd);
        if (end > start || (beginsHere && entry.Entry is { Type: TreeEntryType.File, Size: 0 }))
        {
            _slices.Add(new ContentSlice(i, start - entry.ContentTarOffset, tar.Slice((int)(start - member.TarOffset), (int)(end - start))));
        }
    }

    /// <summary>The same entry always has the same headers, so the index agrees with the tar if these are the ones that would be written for it.</summary>
    private void CompareHeaders(ArchiveIndex index, IndexedEntry entry, in ArchiveMember member, ReadOnlySpan<byte> headers)
    {
        _headers.ResetWrittenCount();
        TarHeaderWriter.Write(index.MemberName(entry.Entry)!, entry.Entry, _headers);
        if (!headers.SequenceEqual(_headers.WrittenSpan))
        {
            throw Damaged(member, $"has other headers for '{entry.Entry.Path}' than the index says");
        }
    }
}
