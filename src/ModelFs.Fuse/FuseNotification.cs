using System.Buffers.Binary;
using System.Text;

namespace ModelFs.Fuse;

/// <summary>
/// The messages that the kernel has not asked for: fuse_out_header with the code in place of the error and 0 for the unique number, then
/// the structure of the code.
/// </summary>
internal static class FuseNotification
{
    private const int InvalidateInodeCode = 2;
    private const int InvalidateEntryCode = 3;
    private const int DeleteCode = 6;
    private const int ResendCode = 7;
    private const int PruneCode = 9;
    private const uint ExpireOnlyFlag = 1 << 0;
    private const int Body = FuseWire.OutHeaderSize;

    /// <summary>fuse_notify_inval_inode_out: ino u64 @0, off i64 @8, len i64 @16.</summary>
    internal static byte[] InvalidateInode(ulong nodeId, long offset, long length)
    {
        byte[] message = Begin(InvalidateInodeCode, 24);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(Body), nodeId);
        BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(Body + 8), offset);
        BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(Body + 16), length);
        return message;
    }

    /// <summary>fuse_notify_inval_entry_out: parent u64 @0, namelen u32 @8, flags u32 @12; name @16 and a NUL.</summary>
    internal static byte[] InvalidateEntry(ulong parent, string name, bool expireOnly)
    {
        int nameLength = Encoding.UTF8.GetByteCount(name);
        byte[] message = Begin(InvalidateEntryCode, 16 + nameLength + 1);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(Body), parent);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(Body + 8), nameLength);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(Body + 12), expireOnly ? ExpireOnlyFlag : 0);
        Encoding.UTF8.GetBytes(name, message.AsSpan(Body + 16));
        return message;
    }

    /// <summary>fuse_notify_delete_out: parent u64 @0, child u64 @8, namelen u32 @16, padding @20; name @24 and a NUL.</summary>
    internal static byte[] Delete(ulong parent, ulong child, string name)
    {
        int nameLength = Encoding.UTF8.GetByteCount(name);
        byte[] message = Begin(DeleteCode, 24 + nameLength + 1);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(Body), parent);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(Body + 8), child);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(Body + 16), nameLength);
        Encoding.UTF8.GetBytes(name, message.AsSpan(Body + 24));
        return message;
    }

    /// <summary>fuse_notify_prune_out: count u32 @0, padding @4, spare @8; so many nodes u64 @16.</summary>
    internal static byte[] Prune(IReadOnlyList<ulong> nodeIds)
    {
        byte[] message = Begin(PruneCode, 16 + (nodeIds.Count * sizeof(ulong)));
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(Body), nodeIds.Count);
        for (int i = 0; i < nodeIds.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(Body + 16 + (i * sizeof(ulong))), nodeIds[i]);
        }

        return message;
    }

    /// <summary>Nothing but the header.</summary>
    internal static byte[] Resend() => Begin(ResendCode, 0);

    private static byte[] Begin(int code, int bodySize)
    {
        byte[] message = new byte[Body + bodySize];
        FuseWire.WriteOutHeader(message, message.Length, code, 0);
        return message;
    }
}
