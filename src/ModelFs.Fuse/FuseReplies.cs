using System.Buffers.Binary;
using System.Text;

namespace ModelFs.Fuse;

/// <summary>A reply of nothing but its header.</summary>
internal readonly struct DoneReply : IFuseReply<FuseResult>
{
    public static void Send(FuseCall call, in FuseResult result)
    {
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize];
        call.Send(reply);
    }
}

/// <summary>fuse_attr_out.</summary>
internal readonly struct AttributesReply : IFuseReply<FuseResult<FuseAttributesReply>>
{
    public static void Send(FuseCall call, in FuseResult<FuseAttributesReply> result)
    {
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + FuseWire.AttributesReplySize];
        reply.Clear();
        FuseWire.WriteAttributesReply(reply[FuseWire.OutHeaderSize..], result.Value);
        call.Send(reply);
    }
}

/// <summary>fuse_entry_out. An entry that does not reach the kernel gives no look-up.</summary>
internal readonly struct EntryReply : IFuseReply<FuseResult<FuseEntry>>
{
    public static void Send(FuseCall call, in FuseResult<FuseEntry> result)
    {
        FuseEntry entry = result.Value;
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + FuseWire.EntrySize];
        reply.Clear();
        FuseWire.WriteEntry(reply[FuseWire.OutHeaderSize..], entry);
        if (!call.Send(reply) && entry.NodeId != 0)
        {
            call.Operations.Forget(entry.NodeId, 1);
        }
    }
}

/// <summary>fuse_kstatfs.</summary>
internal readonly struct StatisticsReply : IFuseReply<FuseResult<FuseFileSystemStatistics>>
{
    public static void Send(FuseCall call, in FuseResult<FuseFileSystemStatistics> result)
    {
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + FuseWire.StatisticsSize];
        reply.Clear();
        FuseWire.WriteStatistics(reply[FuseWire.OutHeaderSize..], result.Value);
        call.Send(reply);
    }
}

/// <summary>The bytes that READ has put into the call's data buffer.</summary>
internal readonly struct ReadReply : IFuseReply<FuseResult<int>>
{
    public static void Send(FuseCall call, in FuseResult<int> result)
    {
        ReplyCount.ThrowIfImpossible(result.Value, call.ReplySizeMax);
        call.SendData(result.Value);
    }
}

/// <summary>fuse_write_out: size u32 @0, padding @4.</summary>
internal readonly struct WriteReply : IFuseReply<FuseResult<int>>
{
    public static void Send(FuseCall call, in FuseResult<int> result)
    {
        ReplyCount.ThrowIfImpossible(result.Value, call.ReplySizeMax);
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + 8];
        reply.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(reply[FuseWire.OutHeaderSize..], result.Value);
        call.Send(reply);
    }
}

/// <summary>fuse_lseek_out: offset u64 @0.</summary>
internal readonly struct SeekReply : IFuseReply<FuseResult<long>>
{
    public static void Send(FuseCall call, in FuseResult<long> result)
    {
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + 8];
        BinaryPrimitives.WriteInt64LittleEndian(reply[FuseWire.OutHeaderSize..], result.Value);
        call.Send(reply);
    }
}

/// <summary>The target of a link. The kernel takes at most a page, without the NUL.</summary>
internal readonly struct LinkTargetReply : IFuseReply<FuseResult<ReadOnlyMemory<byte>>>
{
    private const int LengthMax = 4095;

    public static void Send(FuseCall call, in FuseResult<ReadOnlyMemory<byte>> result)
    {
        ReplyCount.ThrowIfImpossible(result.Value.Length, LengthMax);
        result.Value.CopyTo(call.RentData(result.Value.Length).Data(result.Value.Length));
        call.SendData(result.Value.Length);
    }
}

/// <summary>The value of an attribute; or, for a probe, its length.</summary>
internal readonly struct XattrReply : IFuseReply<FuseResult<ReadOnlyMemory<byte>>>
{
    public static void Send(FuseCall call, in FuseResult<ReadOnlyMemory<byte>> result)
    {
        ReadOnlyMemory<byte> value = result.Value;
        if (call.ReplySizeMax == 0)
        {
            ReplyCount.SendLength(call, value.Length);
        }
        else if (value.Length > call.ReplySizeMax)
        {
            call.Refuse(FuseErrno.ERANGE);
        }
        else
        {
            value.CopyTo(call.RentData(value.Length).Data(value.Length));
            call.SendData(value.Length);
        }
    }
}

/// <summary>The names of the attributes, each with a NUL behind it; or, for a probe, how many bytes they take.</summary>
internal readonly struct XattrNamesReply : IFuseReply<FuseResult<string[]>>
{
    public static void Send(FuseCall call, in FuseResult<string[]> result)
    {
        string[] names = result.Value;
        int length = names.Sum(name => Encoding.UTF8.GetByteCount(name) + 1);
        if (call.ReplySizeMax == 0)
        {
            ReplyCount.SendLength(call, length);
            return;
        }

        if (length > call.ReplySizeMax)
        {
            call.Refuse(FuseErrno.ERANGE);
            return;
        }

        Span<byte> list = call.RentData(length).Data(length).Span;
        foreach (string name in names)
        {
            int written = Encoding.UTF8.GetBytes(name, list);
            list[written] = 0;
            list = list[(written + 1)..];
        }

        call.SendData(length);
    }
}

/// <summary>Numbers that stand for amounts of bytes.</summary>
internal static class ReplyCount
{
    /// <summary>Refuses a count that the kernel would take for an attack on its memory.</summary>
    internal static void ThrowIfImpossible(int count, int max)
    {
        if (count < 0 || count > max)
        {
            throw new InvalidOperationException($"The operation answered {count} bytes where 0 to {max} are possible.");
        }
    }

    /// <summary>fuse_getxattr_out: size u32 @0, padding @4.</summary>
    internal static void SendLength(FuseCall call, int length)
    {
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + 8];
        reply.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(reply[FuseWire.OutHeaderSize..], length);
        call.Send(reply);
    }
}
