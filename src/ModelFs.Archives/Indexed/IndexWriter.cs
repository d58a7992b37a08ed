using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Packing;
using ModelFs.Archives.Tar;
using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>Makes the end of an indexed archive: the gzip members with the index in them, and the footer.</summary>
internal static class IndexWriter
{
    private const int Level = 1;

    /// <summary>Makes the bytes that follow the last member.</summary>
    public static byte[] Make(ArchiveLayout layout, string topFolder, IReadOnlyList<ArchiveMember> members, IReadOnlyList<PackedEntry> entries)
    {
        var text = new ArrayBufferWriter<byte>();
        WriteHead(layout, topFolder, members.Count, entries, text);
        foreach (var member in members)
        {
            var record = text.GetSpan(IndexFormat.MemberRecordBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)member.ArchiveBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)member.TarBytes);
            record[8] = (byte)member.Coding;
            IndexFormat.WriteDigest(record[9..], member.Digest);
            text.Advance(IndexFormat.MemberRecordBytes);
        }

        foreach (var entry in entries)
        {
            if (entry.HeaderBytes > 0)
            {
                WriteEntry(entry, text);
            }
        }

        return Wrap(text.WrittenSpan, members[^1].End);
    }

    private static void WriteHead(
        ArchiveLayout layout, string topFolder, int members, IReadOnlyList<PackedEntry> entries, ArrayBufferWriter<byte> text)
    {
        var tree = SortedTree.From(entries.Where(entry => entry.HeaderBytes > 0).Select(entry => entry.Entry));
        var name = Encoding.UTF8.GetBytes(topFolder);
        var head = text.GetSpan(IndexFormat.HeadBytes);
        head[0] = (byte)layout;
        head[1] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(head[2..], (ushort)name.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], (uint)members);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], (uint)entries.Count(entry => entry.HeaderBytes > 0));
        IndexFormat.WriteDigest(head[12..], ModelTree.Digest(tree));
        text.Advance(IndexFormat.HeadBytes);
        text.Write(name);
    }

    private static void WriteEntry(in PackedEntry packed, ArrayBufferWriter<byte> text)
    {
        var entry = packed.Entry;
        var path = Encoding.UTF8.GetBytes(entry.Path);
        var target = Encoding.UTF8.GetBytes(entry.LinkTarget ?? "");
        var record = text.GetSpan(IndexFormat.EntryRecordBytes);
        record[0] = entry.Type switch
        {
            TreeEntryType.File => IndexFormat.File,
            TreeEntryType.Directory => IndexFormat.Folder,
            TreeEntryType.SymbolicLink => IndexFormat.Link,
        };
        record[1] = (byte)(packed.HeaderBytes / TarHeader.BlockBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(record[2..], (ushort)(entry.Mode & 0x1ff));
        BinaryPrimitives.WriteUInt16LittleEndian(record[4..], (ushort)path.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record[6..], (ushort)target.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], entry.ModifiedTime.Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], entry.ModifiedTime.Nanoseconds);
        BinaryPrimitives.WriteInt64LittleEndian(record[20..], entry.Size);
        text.Advance(IndexFormat.EntryRecordBytes);
        if (entry.Type == TreeEntryType.File)
        {
            IndexFormat.WriteDigest(text.GetSpan(IndexFormat.DigestBytes), entry.Digest!.Value);
            text.Advance(IndexFormat.DigestBytes);
        }

        text.Write(path);
        text.Write(target);
    }

    /// <summary>Puts the text of an index behind members that end at <paramref name="offset"/>.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> text, long offset)
    {
        var packed = new ArrayBufferWriter<byte>();
        using (var deflater = DeflateCodec.NewDeflater(Level))
        {
            deflater.Write(text, packed);
            deflater.Finish(packed);
        }

        var output = new ArrayBufferWriter<byte>((int)IndexFormat.LengthOf(packed.WrittenCount));
        for (var rest = packed.WrittenSpan; !rest.IsEmpty;)
        {
            var chunk = rest[..Math.Min(rest.Length, IndexFormat.ChunkBytesMax)];
            rest = rest[chunk.Length..];
            WriteMember(IndexFormat.IndexId, chunk, output);
        }

        Span<byte> fields = stackalloc byte[IndexFormat.FooterFieldBytes];
        IndexFormat.Magic.CopyTo(fields);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[8..], IndexFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[10..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(fields[12..], offset + IndexFormat.LengthOf(packed.WrittenCount));
        BinaryPrimitives.WriteInt64LittleEndian(fields[20..], offset);
        BinaryPrimitives.WriteInt32LittleEndian(fields[28..], packed.WrittenCount);
        BinaryPrimitives.WriteInt32LittleEndian(fields[32..], text.Length);
        IndexFormat.WriteDigest(fields[36..], ContentDigest.From(XxHash128.HashToUInt128(packed.WrittenSpan)));
        BinaryPrimitives.WriteUInt32LittleEndian(fields[IndexFormat.FooterSummedBytes..], Crc32.HashToUInt32(fields[..IndexFormat.FooterSummedBytes]));
        WriteMember(IndexFormat.FooterId, fields, output);
        return output.WrittenSpan.ToArray();
    }

    private static void WriteMember(ReadOnlySpan<byte> id, ReadOnlySpan<byte> data, ArrayBufferWriter<byte> output)
    {
        output.Write(IndexFormat.MemberHead);
        var extra = output.GetSpan(6);
        BinaryPrimitives.WriteUInt16LittleEndian(extra, (ushort)(data.Length + IndexFormat.SubfieldHeaderBytes));
        id.CopyTo(extra[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[4..], (ushort)data.Length);
        output.Advance(6);
        output.Write(data);
        output.Write(IndexFormat.MemberTail);
    }
}
