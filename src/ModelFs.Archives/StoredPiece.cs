using System.Buffers.Binary;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;
using ModelFs.Archives.Packing;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>A gzip member of stored bytes that was not written: it is made of the file again by whoever reads the archive.</summary>
/// <param name="Path">The file, relative to the model folder.</param>
/// <param name="Offset">Where the piece begins in it, in bytes.</param>
/// <param name="Length">Of the piece, in bytes.</param>
/// <param name="PaddingBytes">Zeros that follow it in the tar.</param>
/// <param name="Digest">Of the member's tar bytes when they were packed.</param>
public sealed record StoredPiece(string Path, long Offset, int Length, int PaddingBytes, ContentDigest Digest)
{
    /// <summary>Length of the member, in bytes.</summary>
    public int ArchiveBytes => StoredMember.LengthOf(TarBytes);

    private int TarBytes => Length + PaddingBytes;

    /// <summary>Makes the member.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="member">Takes <see cref="ArchiveBytes"/> bytes.</param>
    /// <exception cref="PackException">The file does not hold the bytes any more that were packed.</exception>
    public void Make(string folder, Memory<byte> member)
    {
        GzipHeader.Plain.CopyTo(member.Span);
        var blocks = Blocks(member);
        Read(folder, blocks);

        var hash = new XxHash128();
        var crc = new Crc32();
        foreach (var block in blocks)
        {
            hash.Append(block.Span);
            crc.Append(block.Span);
        }

        if (ContentDigest.From(hash.GetCurrentHashAsUInt128()) != Digest)
        {
            throw new PackException(Path, $"'{Path}' changed while it was sent");
        }

        var trailer = member.Span[^8..];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)TarBytes);
    }

    /// <summary>Writes the blocks' headers.</summary>
    /// <returns>The room for the bytes of each block.</returns>
    private List<Memory<byte>> Blocks(Memory<byte> member)
    {
        var blocks = new List<Memory<byte>>();
        var at = GzipHeader.Plain.Length;
        for (var left = TarBytes; left > 0;)
        {
            var length = Math.Min(left, StoringDeflater.BlockBytesMax);
            left -= length;
            StoringDeflater.WriteBlockHeader(member.Span[at..], length, isLast: left == 0);
            at += StoringDeflater.BlockHeaderBytes;
            blocks.Add(member.Slice(at, length));
            at += length;
        }

        return blocks;
    }

    /// <summary>Fills the blocks, by one system call for all.</summary>
    private void Read(string folder, List<Memory<byte>> blocks)
    {
        using var file = SourceFile.Open(folder, Path);
        long done = 0;
        var room = new List<Memory<byte>>(blocks);
        while (done < Length)
        {
            var read = RandomAccess.Read(file, room, Offset + done);
            if (read == 0)
            {
                throw new PackException(Path, $"'{Path}' became shorter while it was sent");
            }

            done += read;
            Skip(room, read);
        }

        // What was read behind the piece, and what was not read at its end, is padding.
        var padding = PaddingBytes;
        for (var i = blocks.Count - 1; padding > 0; i--)
        {
            var part = Math.Min(padding, blocks[i].Length);
            blocks[i].Span[^part..].Clear();
            padding -= part;
        }
    }

    private static void Skip(List<Memory<byte>> room, long count)
    {
        while (room.Count > 0 && count >= room[0].Length)
        {
            count -= room[0].Length;
            room.RemoveAt(0);
        }

        if (count > 0)
        {
            room[0] = room[0][(int)count..];
        }
    }
}
