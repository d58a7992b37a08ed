using System.Buffers.Binary;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Streaming;

namespace ModelFs.Archives.Gzip;

/// <summary>
/// Decodes a gzip file of one or more members (RFC 1952) and checks each header, each deflate stream and each length, and that behind
/// the last member there is nothing but zeros (which tapes and some tools pad with). The members' CRCs are for who uses the bytes to check.
/// </summary>
/// <param name="source">The file.</param>
/// <param name="inflater">For its deflate streams.</param>
/// <param name="checksums">Told the CRC of each member.</param>
internal sealed class GzipReader(BlockReader source, IInflater inflater, MemberChecksums checksums)
{
    private bool _inMember;
    private bool _anyMember;
    private uint _memberBytes;
    private long _totalBytes;

    /// <summary>Fills <paramref name="output"/>; fewer bytes only at the end of the last member.</summary>
    /// <exception cref="ArchiveException">The data is damaged.</exception>
    public int Fill(Span<byte> output)
    {
        var filled = 0;
        while (filled < output.Length)
        {
            if (!_inMember && !TryBeginMember())
            {
                break;
            }

            filled += Inflate(output[filled..]);
        }

        return filled;
    }

    private bool TryBeginMember()
    {
        if (_anyMember && AtPaddingOrEnd())
        {
            return false;
        }

        new GzipHeader(source).Read();
        inflater.Reset();
        _memberBytes = 0;
        _inMember = true;
        _anyMember = true;
        return true;
    }

    private int Inflate(Span<byte> output)
    {
        var input = source.Peek();
        bool ended;
        int consumed, produced;
        try
        {
            ended = inflater.Run(input, output, out consumed, out produced);
        }
        catch (InvalidDataException error)
        {
            throw ArchiveException.Damaged($"the compressed data before byte {source.Position + input.Length} can't be decoded ({error.Message})", error);
        }

        source.Advance(consumed);
        _memberBytes += (uint)produced;
        _totalBytes += produced;
        if (ended)
        {
            ReadTrailer();
        }
        else if (consumed == 0 && produced == 0)
        {
            throw ArchiveException.Damaged(input.IsEmpty
                ? $"the compressed data ends at byte {source.Position}, in the middle of a gzip member"
                : $"the compressed data at byte {source.Position} can't be decoded");
        }

        return produced;
    }

    private void ReadTrailer()
    {
        Span<byte> trailer = stackalloc byte[8];
        if (source.ReadFully(trailer) < trailer.Length)
        {
            throw ArchiveException.Damaged($"the gzip trailer is cut at byte {source.Position}");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != _memberBytes)
        {
            throw ArchiveException.Damaged($"the length in the gzip trailer before byte {source.Position} does not match the data");
        }

        checksums.Note(_totalBytes, BinaryPrimitives.ReadUInt32LittleEndian(trailer), source.Position);
        _inMember = false;
    }

    /// <summary>True at the end of the file, zeros included; false at the first byte of another member.</summary>
    private bool AtPaddingOrEnd()
    {
        var next = source.Peek();
        if (!next.IsEmpty && next[0] == GzipHeader.FirstByte)
        {
            return false;
        }

        while (!next.IsEmpty)
        {
            if (next.ContainsAnyExcept((byte)0))
            {
                throw ArchiveException.Damaged($"something that is not gzip follows the last member, after byte {source.Position}");
            }

            source.Advance(next.Length);
            next = source.Peek();
        }

        return true;
    }
}
