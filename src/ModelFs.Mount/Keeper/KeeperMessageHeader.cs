using System.Buffers.Binary;

namespace ModelFs.Mount.Keeper;

/// <summary>The 32 bytes before each payload: u32 type, u32 sequence, i32 result, u32 flags, u64 node id, i64 value, little endian.</summary>
internal readonly record struct KeeperMessageHeader(KeeperMessageType Type, uint Sequence, int Result, uint Flags, ulong NodeId, long Value)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 4 + 4 + 4 + 4 + 8 + 8;

    /// <summary>Hello: an earlier daemon of this mount died; its descriptor and what it saved come along.</summary>
    public const uint HelloResumed = 1;

    /// <summary>Ready: the kernel can resend requests to the next daemon.</summary>
    public const uint ReadyCanResend = 1;

    /// <summary>Unmount: also when programs still use it.</summary>
    public const uint UnmountLazy = 1;

    /// <summary>Reads a header from the first bytes of a packet, which holds at least <see cref="Length"/> of them.</summary>
    public static KeeperMessageHeader Read(ReadOnlySpan<byte> packet) => new(
        (KeeperMessageType)BinaryPrimitives.ReadUInt32LittleEndian(packet),
        BinaryPrimitives.ReadUInt32LittleEndian(packet[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(packet[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(packet[12..]),
        BinaryPrimitives.ReadUInt64LittleEndian(packet[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(packet[24..]));

    /// <summary>Writes the header into the first bytes of a packet.</summary>
    public void Write(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(packet, (uint)Type);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[4..], Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(packet[8..], Result);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[12..], Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[16..], NodeId);
        BinaryPrimitives.WriteInt64LittleEndian(packet[24..], Value);
    }
}
