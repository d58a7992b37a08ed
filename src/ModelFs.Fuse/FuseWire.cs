using System.Buffers.Binary;

namespace ModelFs.Fuse;

/// <summary>
/// The structures of a reply, written byte for byte as include/fuse_kernel.h (7.45) lays them out. The protocol is in the machine's byte
/// order, which is little-endian on x64 and arm64. The caller provides a zeroed span of the structure's size.
/// </summary>
internal static class FuseWire
{
    internal const int InHeaderSize = 40;
    internal const int OutHeaderSize = 16;
    internal const int AttributesSize = 88;
    internal const int EntrySize = 40 + AttributesSize;
    internal const int AttributesReplySize = 16 + AttributesSize;
    internal const int OpenedSize = 16;
    internal const int CreatedSize = EntrySize + OpenedSize;
    internal const int StatisticsSize = 80;
    internal const int DirectoryEntryHeaderSize = 24;

    /// <summary>struct fuse_out_header: len u32 @0, error i32 @4, unique u64 @8.</summary>
    internal static void WriteOutHeader(Span<byte> to, int length, int error, ulong unique)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, length);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], error);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], unique);
    }

    /// <summary>
    /// struct fuse_attr: ino u64 @0, size @8, blocks @16, atime @24, mtime @32, ctime @40, atimensec u32 @48, mtimensec @52, ctimensec @56,
    /// mode @60, nlink @64, uid @68, gid @72, rdev @76, blksize @80, flags @84.
    /// </summary>
    internal static void WriteAttributes(Span<byte> to, in FuseAttributes attributes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, attributes.Inode);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], attributes.Size);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], attributes.Blocks);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], attributes.AccessTime.Seconds);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], attributes.ModificationTime.Seconds);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], attributes.ChangeTime.Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], attributes.AccessTime.Nanoseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(to[52..], attributes.ModificationTime.Nanoseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(to[56..], attributes.ChangeTime.Nanoseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(to[60..], attributes.Mode);
        BinaryPrimitives.WriteUInt32LittleEndian(to[64..], attributes.LinkCount);
        BinaryPrimitives.WriteUInt32LittleEndian(to[68..], attributes.Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(to[72..], attributes.Gid);
        BinaryPrimitives.WriteUInt32LittleEndian(to[76..], attributes.DeviceNumber);
        BinaryPrimitives.WriteUInt32LittleEndian(to[80..], attributes.BlockSize);
    }

    /// <summary>
    /// struct fuse_entry_out: nodeid u64 @0, generation @8, entry_valid @16, attr_valid @24, entry_valid_nsec u32 @32, attr_valid_nsec @36,
    /// attr @40.
    /// </summary>
    internal static void WriteEntry(Span<byte> to, in FuseEntry entry)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, entry.NodeId);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], entry.Generation);
        WriteDuration(to[16..], to[32..], entry.EntryValid);
        WriteDuration(to[24..], to[36..], entry.AttributesValid);
        WriteAttributes(to[40..], entry.Attributes);
    }

    /// <summary>struct fuse_attr_out: attr_valid u64 @0, attr_valid_nsec u32 @8, dummy @12, attr @16.</summary>
    internal static void WriteAttributesReply(Span<byte> to, in FuseAttributesReply reply)
    {
        WriteDuration(to, to[8..], reply.Valid);
        WriteAttributes(to[16..], reply.Attributes);
    }

    /// <summary>struct fuse_open_out: fh u64 @0, open_flags u32 @8, backing_id i32 @12.</summary>
    internal static void WriteOpened(Span<byte> to, in FuseOpened opened)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, opened.FileHandle);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], (uint)opened.OpenFlags);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], opened.BackingId);
    }

    /// <summary>The two structures of a CREATE reply: fuse_entry_out @0, fuse_open_out @128.</summary>
    internal static void WriteCreated(Span<byte> to, in FuseCreated created)
    {
        WriteEntry(to, created.Entry);
        WriteOpened(to[EntrySize..], created.Opened);
    }

    /// <summary>
    /// struct fuse_kstatfs: blocks u64 @0, bfree @8, bavail @16, files @24, ffree @32, bsize u32 @40, namelen @44, frsize @48, padding @52,
    /// spare[6] @56.
    /// </summary>
    internal static void WriteStatistics(Span<byte> to, in FuseFileSystemStatistics statistics)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, statistics.Blocks);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], statistics.BlocksFree);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], statistics.BlocksAvailable);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], statistics.Files);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], statistics.FilesFree);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], statistics.BlockSize);
        BinaryPrimitives.WriteUInt32LittleEndian(to[44..], statistics.NameLengthMax);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], statistics.FragmentSize);
    }

    /// <summary>struct fuse_dirent: ino u64 @0, off u64 @8, namelen u32 @16, type u32 @20, name @24.</summary>
    internal static void WriteDirectoryEntryHeader(Span<byte> to, ulong inode, long nextOffset, int nameLength, uint mode)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, inode);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], nextOffset);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], nameLength);

        // DT_* is the file type's four bits of S_IFMT, shifted down.
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], (mode & 0xF000) >> 12);
    }

    /// <summary>A length rounded up to the 8 bytes by which records of a folder's listing are aligned.</summary>
    internal static int Align8(int length) => (length + 7) & ~7;

    private static void WriteDuration(Span<byte> seconds, Span<byte> nanoseconds, TimeSpan duration)
    {
        long ticks = Math.Max(0, duration.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(seconds, ticks / TimeSpan.TicksPerSecond);
        BinaryPrimitives.WriteInt32LittleEndian(nanoseconds, (int)(ticks % TimeSpan.TicksPerSecond) * (int)TimeSpan.NanosecondsPerTick);
    }
}
