using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using ModelFs.Archives.Tar;
using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>
/// Reads the text of an index. Places are not written in it but follow from lengths, so members and entries can neither overlap nor leave gaps; what remains to be
/// checked is that they end where they must, and that the tree is one that unpacking would accept.
/// </summary>
internal ref struct IndexParser
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IndexLocation _location;
    private ReadOnlySpan<byte> _rest;
    private ArchiveLayout _layout;
    private string _topFolder = "";
    private ContentDigest _treeDigest;
    private ArchiveMember[] _members = [];
    private IndexedEntry[] _entries = [];

    private IndexParser(ReadOnlySpan<byte> text, in IndexLocation location)
    {
        _rest = text;
        _location = location;
    }

    public static bool TryParse(
        ReadOnlySpan<byte> text, in IndexLocation location, ModelName model, UnpackLimits limits, [NotNullWhen(true)] out ArchiveIndex? index)
    {
        index = null;
        var parser = new IndexParser(text, location);
        try
        {
            if (!parser.ReadHead(limits, out var memberCount, out var entryCount)
                || !parser.ReadMembers(memberCount)
                || !parser.ReadEntries(entryCount, limits)
                || !parser._rest.IsEmpty
                || !parser.EndsAsTarsDo())
            {
                return false;
            }

            TreeShape.Check(parser._entries, parser._layout, parser._topFolder, model);
        }
        catch (Exception error) when (error is ArchiveException or DecoderFallbackException)
        {
            return false;
        }

        var read = new ArchiveIndex(location, parser._layout, parser._topFolder, parser._members, parser._entries);
        index = read.TreeDigest == parser._treeDigest ? read : null;
        return index is not null;
    }

    private bool ReadHead(UnpackLimits limits, out int memberCount, out int entryCount)
    {
        memberCount = 0;
        entryCount = 0;
        if (!TryTake(IndexFormat.HeadBytes, out var head)
            || head[0] > (byte)ArchiveLayout.EmptyRoot
            || head[1] != 0
            || !TryTakeText(BinaryPrimitives.ReadUInt16LittleEndian(head[2..]), out _topFolder))
        {
            return false;
        }

        _layout = (ArchiveLayout)head[0];
        _treeDigest = IndexFormat.ReadDigest(head[12..]);
        var members = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        var entries = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);

        // Counts that the rest of the text can't hold get no memory.
        if (members == 0
            || entries > limits.EntriesMax
            || (members * (long)IndexFormat.MemberRecordBytes) + (entries * (long)IndexFormat.EntryRecordBytes) > _rest.Length)
        {
            return false;
        }

        memberCount = (int)members;
        entryCount = (int)entries;
        return true;
    }

    private bool ReadMembers(int count)
    {
        _members = new ArchiveMember[count];
        long offset = 0, tarOffset = 0;
        for (var i = 0; i < count; i++)
        {
            if (!TryTake(IndexFormat.MemberRecordBytes, out var record))
            {
                return false;
            }

            var archiveBytes = BinaryPrimitives.ReadUInt32LittleEndian(record);
            var tarBytes = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
            if (archiveBytes is 0 or > ArchiveIndex.MemberArchiveBytesMax
                || tarBytes is 0 or > ArchiveIndex.MemberTarBytesMax
                || record[8] > (byte)MemberCoding.Deflated)
            {
                return false;
            }

            _members[i] = new ArchiveMember(
                offset, (int)archiveBytes, tarOffset, (int)tarBytes, (MemberCoding)record[8], IndexFormat.ReadDigest(record[9..]));
            offset += archiveBytes;
            tarOffset += tarBytes;
        }

        return offset == _location.Offset;
    }

    private bool ReadEntries(int count, UnpackLimits limits)
    {
        var budget = new TreeBudget(limits, _location.ArchiveLength);
        _entries = new IndexedEntry[count];
        long tarOffset = 0;
        var member = 0;
        for (var i = 0; i < count; i++)
        {
            if (!ReadEntry(out var entry, out var headerBytes))
            {
                return false;
            }

            budget.AddEntry();
            budget.AddContent(entry.Size);
            if (!Place(entry, headerBytes, tarOffset, ref member, out _entries[i]!))
            {
                return false;
            }

            tarOffset = _entries[i].ContentTarEnd + TarHeaderWriter.Padding(entry.Size).Length;
        }

        return tarOffset == _members[^1].TarOffset;
    }

    /// <summary>Finds the members of an entry; the headers, and the content's first byte, must be in one.</summary>
    private readonly bool Place(TreeEntry entry, int headerBytes, long tarOffset, ref int member, [NotNullWhen(true)] out IndexedEntry? placed)
    {
        placed = null;
        // The last member is the end mark's.
        var end = _members[^1].TarOffset;
        if (headerBytes + entry.Size > end - tarOffset)
        {
            return false;
        }

        while (_members[member].TarEnd <= tarOffset)
        {
            member++;
        }

        var first = member;
        var contentOffset = tarOffset + headerBytes - _members[first].TarOffset;
        if (contentOffset + Math.Min(entry.Size, 1) > _members[first].TarBytes)
        {
            return false;
        }

        while (_members[member].TarEnd < tarOffset + headerBytes + entry.Size)
        {
            member++;
        }

        placed = new IndexedEntry(entry, tarOffset, headerBytes, first, (int)contentOffset, member - first + 1);
        return true;
    }

    private bool ReadEntry([NotNullWhen(true)] out TreeEntry? entry, out int headerBytes)
    {
        entry = null;
        headerBytes = 0;
        if (!TryTake(IndexFormat.EntryRecordBytes, out var record))
        {
            return false;
        }

        var type = record[0];
        headerBytes = record[1] * TarHeader.BlockBytes;
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(record[2..]);
        var seconds = BinaryPrimitives.ReadInt64LittleEndian(record[8..]);
        var nanoseconds = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]);
        var size = BinaryPrimitives.ReadInt64LittleEndian(record[20..]);
        var isFile = type == IndexFormat.File;
        if (type > IndexFormat.Link
            || headerBytes == 0
            || mode > 0x1ff
            || nanoseconds > 999_999_999
            || size < 0
            || (size > 0 && !isFile)
            || (type == IndexFormat.Link && mode != TreeScanner.LinkMode))
        {
            return false;
        }

        ContentDigest? digest = null;
        if (isFile)
        {
            if (!TryTake(IndexFormat.DigestBytes, out var bytes))
            {
                return false;
            }

            digest = IndexFormat.ReadDigest(bytes);
        }

        if (!TryTakeText(BinaryPrimitives.ReadUInt16LittleEndian(record[4..]), out var path)
            || !TryTakeText(BinaryPrimitives.ReadUInt16LittleEndian(record[6..]), out var target)
            || (target.Length > 0) != (type == IndexFormat.Link))
        {
            return false;
        }

        entry = new TreeEntry(path, TypeOf(type), mode, new UnixTime(seconds, nanoseconds), size, type == IndexFormat.Link ? target : null, digest);
        return true;
    }

    private static TreeEntryType TypeOf(byte type) => type switch
    {
        IndexFormat.File => TreeEntryType.File,
        IndexFormat.Folder => TreeEntryType.Directory,
        _ => TreeEntryType.SymbolicLink,
    };

    /// <summary>The last member is two blocks of zeros, and more up to a whole record.</summary>
    private readonly bool EndsAsTarsDo()
    {
        var last = _members[^1];
        return last.TarBytes == TarEnd.LengthAfter(last.TarOffset);
    }

    private bool TryTake(int length, out ReadOnlySpan<byte> bytes)
    {
        if (length > _rest.Length)
        {
            bytes = default;
            return false;
        }

        bytes = _rest[..length];
        _rest = _rest[length..];
        return true;
    }

    private bool TryTakeText(int length, out string text)
    {
        text = "";
        if (!TryTake(length, out var bytes) || bytes.Contains((byte)0))
        {
            return false;
        }

        text = s_strictUtf8.GetString(bytes);
        return true;
    }
}
