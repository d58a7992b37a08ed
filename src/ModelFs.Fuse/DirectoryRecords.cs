using System.Text;

namespace ModelFs.Fuse;

/// <summary>The records of a folder's listing, one behind the other, each aligned to 8 bytes: an optional prefix, the record's header, the name.</summary>
internal struct DirectoryRecords(Memory<byte> memory)
{
    internal int Length { get; private set; }

    internal bool TryAdd(int prefixSize, string name, ulong inode, uint mode, long nextOffset, out Span<byte> prefix)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(nextOffset);
        int headerSize = prefixSize + FuseWire.DirectoryEntryHeaderSize;
        Span<byte> rest = memory.Span[Length..];
        prefix = default;
        if (rest.Length <= headerSize || !Encoding.UTF8.TryGetBytes(name, rest[headerSize..], out int nameLength))
        {
            return false;
        }

        int recordSize = FuseWire.Align8(headerSize + nameLength);
        if (recordSize > rest.Length)
        {
            return false;
        }

        rest[(headerSize + nameLength)..recordSize].Clear();
        rest[..headerSize].Clear();
        prefix = rest[..prefixSize];
        FuseWire.WriteDirectoryEntryHeader(rest[prefixSize..], inode, nextOffset, nameLength, mode);
        Length += recordSize;
        return true;
    }
}
