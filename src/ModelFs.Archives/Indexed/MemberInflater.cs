using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>Inflates single members of an indexed archive and verifies them: what comes out is what the packer put in, and the tar says of it what the index says. One per thread.</summary>
public sealed class MemberInflater : IDisposable
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
    /// The files' bytes in it, in the order of the tar, as parts of <paramref name="buffer"/>. The list is valid until the next call; a folder or link has no slice.
    /// </returns>
    /// <exception cref="ArchiveException">The bytes are not what the index says (<see cref="ArchiveErrorKind.Damaged"/>); nothing in the buffer may be used.</exception>
    public IReadOnlyList<ContentSlice> Inflate(ArchiveIndex index, int member, ReadOnlySpan<byte> archiveBytes, Memory<byte> buffer)
    {
        var expected = index.Members[member];
        var tar = buffer[..expected.TarBytes];
        if (archiveBytes.Length != expected.ArchiveBytes)
        {
            throw new ArgumentException($"member {member} has {expected.ArchiveBytes} bytes, not {archiveBytes.Length}", nameof(archiveBytes));
        }

        Decode(expected, archiveBytes, tar.Span);
        _slices.Clear();
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

        var trailer = archiveBytes[^TrailerBytes..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != Crc32.HashToUInt32(tar) || BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != (uint)tar.Length)
        {
            throw Damaged(expected, "fails its checksum");
        }

        if (ContentDigest.From(XxHash128.HashToUInt128(tar)) != expected.Digest)
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
