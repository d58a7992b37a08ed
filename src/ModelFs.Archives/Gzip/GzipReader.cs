using System.Buffers.Binary;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Streaming;

namespace ModelFs.Archives.Gzip;

/// <summary>
/// Decodes a gzip file of one or more members (RFC 1952) and checks all of it: each header, each deflate stream, each CRC and length, and that behind
/// the last member there is nothing but zeros (which tapes and some tools pad with).
/// </summary>
internal sealed class GzipReader(ReadAhead source, IInflater inflater)
{
    private readonly Crc32 _crc = new();
    private bool _inMember;
    private bool _anyMember;
    private uint _memberBytes;

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
        _crc.Reset();
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
        _crc.Append(output[..produced]);
        _memberBytes += (uint)produced;
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

        var crc = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]);
        if (crc != _crc.GetCurrentHashAsUInt32() || length != _memberBytes)
        {
            throw ArchiveException.Damaged($"the gzip checksum before byte {source.Position} does not match the data");
        }

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
