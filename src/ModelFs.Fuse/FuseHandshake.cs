using System.Buffers.Binary;

namespace ModelFs.Fuse;

/// <summary>Reads INIT and answers it.</summary>
internal static class FuseHandshake
{
    // The kernel reads nothing out to a smaller buffer before it knows max_write.
    private const int BufferSize = 64 * 1024;

    private const int InitFixedSize = 16;

    internal static FuseNegotiated Run(FuseDevice device, FuseSessionOptions options)
    {
        byte[] buffer = new byte[BufferSize];
        while (true)
        {
            ReadOnlySpan<byte> payload = ReadInit(device, buffer, out ulong unique);
            uint major = BinaryPrimitives.ReadUInt32LittleEndian(payload);
            uint minor = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]);
            if (major < FuseInit.Major || (major == FuseInit.Major && minor < FuseInit.MinorMin))
            {
                Send(device, new byte[FuseWire.OutHeaderSize], unique, FuseErrno.EPROTO);
                throw new NotSupportedException(
                    $"The kernel speaks FUSE {major}.{minor}; {FuseInit.Major}.{FuseInit.MinorMin} (Linux 5.4) is the oldest that can be served.");
            }

            byte[] reply = new byte[FuseWire.OutHeaderSize + FuseInit.ReplySize];
            if (major > FuseInit.Major)
            {
                FuseInit.WriteOurVersion(reply.AsSpan(FuseWire.OutHeaderSize));
                Send(device, reply, unique, FuseErrno.None);
                continue;
            }

            FuseNegotiated negotiated = FuseInit.Negotiate(payload, options);
            FuseInit.WriteReply(reply.AsSpan(FuseWire.OutHeaderSize), negotiated, options, Environment.SystemPageSize);
            Send(device, reply, unique, FuseErrno.None);
            return negotiated;
        }
    }

    private static ReadOnlySpan<byte> ReadInit(FuseDevice device, byte[] buffer, out ulong unique)
    {
        while (true)
        {
            FuseErrno errno = device.Read(buffer, out int length);
            if (errno is FuseErrno.EINTR or FuseErrno.EAGAIN or FuseErrno.ENOENT)
            {
                continue;
            }

            if (errno != FuseErrno.None)
            {
                throw new IOException($"The FUSE device can't be read: {errno}.");
            }

            ReadOnlySpan<byte> message = buffer.AsSpan(0, length);
            if (length < FuseWire.InHeaderSize + InitFixedSize
                || BinaryPrimitives.ReadInt32LittleEndian(message) != length
                || BinaryPrimitives.ReadUInt32LittleEndian(message[4..]) != (uint)FuseOpcode.Init)
            {
                throw new IOException($"The FUSE device began with {length} bytes that are not INIT.");
            }

            unique = BinaryPrimitives.ReadUInt64LittleEndian(message[8..]);
            return message[FuseWire.InHeaderSize..];
        }
    }

    private static void Send(FuseDevice device, byte[] reply, ulong unique, FuseErrno error)
    {
        FuseWire.WriteOutHeader(reply, reply.Length, -(int)error, unique);
        FuseErrno refused = device.Write(reply);
        if (refused != FuseErrno.None)
        {
            throw new IOException($"The FUSE device does not take the reply to INIT: {refused}.");
        }
    }
}
