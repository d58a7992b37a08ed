using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Benchmarks;

/// <summary>A stand-in for the kernel: one request at a time over a socket pair that keeps the borders of messages.</summary>
internal sealed unsafe partial class KernelEnd : IDisposable
{
    private const int HeaderBytes = 40;
    private const int UnixFamily = 1;
    private const int SequencedPackets = 5;

    private readonly SafeFileHandle _end;
    private readonly byte[] _reply = new byte[256 << 10];

    internal KernelEnd()
    {
        var pair = stackalloc int[2];
        if (SocketPair(UnixFamily, SequencedPackets, 0, pair) != 0)
        {
            throw new IOException($"socketpair: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        _end = new SafeFileHandle(pair[0], ownsHandle: true);
        DaemonEnd = new SafeFileHandle(pair[1], ownsHandle: true);
    }

    /// <summary>What the session reads and writes.</summary>
    internal SafeFileHandle DaemonEnd { get; }

    public void Dispose()
    {
        _end.Dispose();
        DaemonEnd.Dispose();
    }

    /// <summary>struct fuse_in_header (len u32 @0, opcode u32 @4, unique u64 @8, nodeid u64 @16, uid, gid, pid u32 @24) and what follows it.</summary>
    internal static byte[] Request(uint opcode, ReadOnlySpan<byte> payload)
    {
        var message = new byte[HeaderBytes + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(16), 1);
        payload.CopyTo(message.AsSpan(HeaderBytes));
        return message;
    }

    /// <summary>INIT of a kernel that speaks 7.45 and offers only what every one does: major, minor, max_readahead, flags, flags2 and 44 reserved bytes.</summary>
    internal static byte[] Init()
    {
        var payload = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(4), 45);
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(8), 128 << 10);
        return Request(26, payload);
    }

    /// <summary>Sends a request and waits for the reply.</summary>
    /// <returns>The reply's bytes.</returns>
    internal int Ask(byte[] request)
    {
        fixed (byte* message = request, reply = _reply)
        {
            if (Write(_end, message, (nuint)request.Length) != request.Length)
            {
                throw new IOException($"write: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            var count = (int)Read(_end, reply, (nuint)_reply.Length);
            return count >= 16 && BinaryPrimitives.ReadInt32LittleEndian(_reply.AsSpan(4)) == 0 ? count : throw new IOException("the session refused a request");
        }
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPair(int family, int type, int protocol, int* pair);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle descriptor, byte* buffer, nuint count);
}
