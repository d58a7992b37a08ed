using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ModelFs.Mount.Keeper;

namespace ModelFs.Mount.Tests.Keeper;

/// <summary>The other end of a channel, played by the test.</summary>
internal sealed partial class FakeKeeper : IDisposable
{
    private readonly KeeperSocket _socket;

    public FakeKeeper()
    {
        int[] ends = new int[2];
        Assert.That(SocketPair(1, 5, 0, ends), Is.Zero);
        _socket = new KeeperSocket(new SafeFileHandle(ends[0], ownsHandle: true));
        Channel = KeeperChannel.FromDescriptor(ends[1])!;
        Assert.That(Channel, Is.Not.Null);
    }

    public KeeperChannel Channel { get; }

    public static (SafeFileHandle First, SafeFileHandle Second) NewPair(int type)
    {
        int[] ends = new int[2];
        Assert.That(SocketPair(1, type, 0, ends), Is.Zero);
        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    public void Send(KeeperMessageHeader header, ReadOnlySpan<byte> payload = default, SafeFileHandle? descriptor = null) =>
        _socket.Send(header, payload, descriptor);

    public KeeperMessage Receive() => _socket.Receive() ?? throw new AssertionException("The daemon's end was closed.");

    public bool IsClosedByDaemon() => _socket.Receive() is null;

    public void Answer(KeeperMessage call, int result = 0, long value = 0, ReadOnlySpan<byte> payload = default, SafeFileHandle? descriptor = null) =>
        Send(call.Header with { Result = result, Value = value, Flags = 0 }, payload, descriptor);

    public void Close() => _socket.Dispose();

    public void Dispose()
    {
        Channel.Dispose();
        _socket.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "socketpair")]
    private static partial int SocketPair(int domain, int type, int protocol, [Out] int[] ends);
}
