using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount.Keeper;

/// <summary>Packets over an AF_UNIX SOCK_SEQPACKET socket: a header, up to <see cref="PayloadBytesMax"/> bytes, at most one descriptor.</summary>
/// <remarks>Any number of threads may send; one thread receives. Owns the descriptor.</remarks>
internal sealed unsafe class KeeperSocket : IDisposable
{
    /// <summary>The longest payload of a packet.</summary>
    public const int PayloadBytesMax = 4000;

    private readonly SafeFileHandle _socket;
    private readonly byte[] _received = new byte[KeeperMessageHeader.Length + PayloadBytesMax];

    /// <summary>Takes over a connected socket.</summary>
    public KeeperSocket(SafeFileHandle socket) => _socket = socket;

    /// <summary>Whether this number is an open AF_UNIX SOCK_SEQPACKET socket.</summary>
    public static bool IsPacketSocket(int descriptor) =>
        ReadOption(descriptor, Interop.SoDomain) == Interop.AfUnix && ReadOption(descriptor, Interop.SoType) == Interop.SockSeqpacket;

    /// <summary>Sends one packet; the descriptor stays the caller's.</summary>
    /// <exception cref="KeeperException">The other end is gone (ENOTCONN), or the system refused.</exception>
    public void Send(KeeperMessageHeader header, ReadOnlySpan<byte> payload, SafeFileHandle? descriptor = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, PayloadBytesMax);
        Span<byte> head = stackalloc byte[KeeperMessageHeader.Length];
        header.Write(head);
        bool isReferenced = false;
        try
        {
            descriptor?.DangerousAddRef(ref isReferenced);
            Send(head, payload, descriptor is null ? -1 : (int)descriptor.DangerousGetHandle());
        }
        finally
        {
            if (isReferenced)
            {
                descriptor!.DangerousRelease();
            }
        }
    }

    /// <summary>Waits for a packet; null when the other end is gone.</summary>
    /// <exception cref="KeeperException">The other end sent less than a header (EPROTO), or the system refused.</exception>
    public KeeperMessage? Receive()
    {
        Interop.DescriptorControl control = default;
        nint length;
        int errno;
        do
        {
            control = default;
            length = Receive(&control);
            errno = length < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
        while (errno == KeeperErrno.Interrupted);
        if (length == 0 || errno == KeeperErrno.ConnectionReset)
        {
            return null;
        }
        if (length < 0)
        {
            throw new KeeperException(errno, $"Receiving from the keeper failed: {Marshal.GetPInvokeErrorMessage(errno)}");
        }
        SafeFileHandle? descriptor = TakeDescriptor(control);
        if (length < KeeperMessageHeader.Length)
        {
            descriptor?.Dispose();
            throw new KeeperException(KeeperErrno.Protocol, $"A packet of {length} bytes from the keeper is shorter than its header.");
        }
        ReadOnlySpan<byte> packet = _received.AsSpan(0, (int)length);
        return new KeeperMessage(KeeperMessageHeader.Read(packet), packet[KeeperMessageHeader.Length..].ToArray(), descriptor);
    }

    /// <summary>Ends the connection, and a <see cref="Receive()"/> that waits on another thread.</summary>
    public void Shutdown() => _ = Interop.Shutdown(_socket, Interop.ShutReadWrite);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static int ReadOption(int descriptor, int name)
    {
        int value = -1;
        uint length = sizeof(int);
        return Interop.GetSocketOption(descriptor, Interop.SolSocket, name, &value, &length) == 0 ? value : -1;
    }

    private static SafeFileHandle? TakeDescriptor(Interop.DescriptorControl control) =>
        control is { Length: >= Interop.DescriptorControl.UsedLength, Level: Interop.SolSocket, Type: Interop.ScmRights }
            ? new SafeFileHandle(control.Descriptor, ownsHandle: true)
            : null;

    private void Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, int descriptor)
    {
        fixed (byte* headBytes = head)
        fixed (byte* payloadBytes = payload)
        {
            Interop.IoVector* vectors = stackalloc Interop.IoVector[2];
            vectors[0] = new Interop.IoVector { Base = headBytes, Length = (nuint)head.Length };
            vectors[1] = new Interop.IoVector { Base = payloadBytes, Length = (nuint)payload.Length };
            Interop.DescriptorControl control = new()
            {
                Length = Interop.DescriptorControl.UsedLength,
                Level = Interop.SolSocket,
                Type = Interop.ScmRights,
                Descriptor = descriptor,
            };
            Interop.MessageHeader message = new() { Vectors = vectors, VectorCount = 2 };
            if (descriptor >= 0)
            {
                message.Control = &control;
                message.ControlLength = (nuint)sizeof(Interop.DescriptorControl);
            }
            int errno;
            do
            {
                errno = Interop.SendMessage(_socket, &message, Interop.MsgNoSignal) < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            while (errno == KeeperErrno.Interrupted);
            if (errno is KeeperErrno.BrokenPipe or KeeperErrno.ConnectionReset or KeeperErrno.NotConnected)
            {
                throw new KeeperException(KeeperErrno.NotConnected, "The keeper is gone.");
            }
            if (errno != 0)
            {
                throw new KeeperException(errno, $"Sending to the keeper failed: {Marshal.GetPInvokeErrorMessage(errno)}");
            }
        }
    }

    private nint Receive(Interop.DescriptorControl* control)
    {
        fixed (byte* buffer = _received)
        {
            Interop.IoVector vector = new() { Base = buffer, Length = (nuint)_received.Length };
            Interop.MessageHeader message = new()
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)sizeof(Interop.DescriptorControl),
            };
            return Interop.ReceiveMessage(_socket, &message, Interop.MsgCmsgCloexec);
        }
    }
}
