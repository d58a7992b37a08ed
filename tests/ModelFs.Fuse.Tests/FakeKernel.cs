using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Fuse.Tests;

/// <summary>A reply as it came: the error as a positive number, and what follows the header.</summary>
internal sealed record FakeReply(ulong Unique, FuseErrno Errno, byte[] Body);

/// <summary>The kernel's end of a socket pair that keeps the borders of messages, as /dev/fuse does.</summary>
internal sealed class FakeKernel : IDisposable
{
    internal const int HeaderSize = 40;

    /// <summary>How long a test waits for what must come before it fails; never decides how fast something is.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SafeFileHandle kernelEnd;
    private readonly SafeFileHandle daemonEnd;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<FakeReply>> waiting = new();
    private readonly Channel<byte[]> notifications = Channel.CreateUnbounded<byte[]>();
    private readonly Thread pump;
    private Task<FuseSessionEnd>? running;
    private long lastUnique;

    internal unsafe FakeKernel(IFuseOperations operations, FuseSessionOptions? options = null, ILogger? log = null)
    {
        int* pair = stackalloc int[2];
        if (Interop.SocketPair(Interop.UnixFamily, Interop.SequencedPacketsCloseOnExec, 0, pair) != 0)
        {
            throw new IOException($"socketpair: {Marshal.GetLastPInvokeError()}");
        }

        kernelEnd = new SafeFileHandle(pair[0], ownsHandle: true);
        daemonEnd = new SafeFileHandle(pair[1], ownsHandle: true);
        Session = new FuseSession(
            daemonEnd, operations, options ?? new FuseSessionOptions { MaxWrite = 128 * 1024 }, log ?? NullLogger.Instance);
        pump = new Thread(Pump) { IsBackground = true };
        pump.Start();
    }

    internal FuseSession Session { get; }

    /// <summary>A kernel whose session has gone through INIT and runs.</summary>
    internal static async Task<FakeKernel> StartAsync(
        IFuseOperations operations, FuseSessionOptions? options = null, ILogger? log = null, int threads = 2)
    {
        var kernel = new FakeKernel(operations, options, log);
        Task<FuseNegotiated> negotiated = kernel.Session.InitializeAsync();
        await kernel.AskAsync(26, 0, Convert.FromHexString(Goldens.InitRequest));
        await negotiated;
        kernel.Run(threads);
        return kernel;
    }

    internal void Run(int threads) => running = Session.RunAsync(threads);

    /// <summary>Sends a request and waits for its reply.</summary>
    internal Task<FakeReply> AskAsync(uint opcode, ulong nodeId, ReadOnlySpan<byte> payload, ulong unique = 0)
    {
        unique = unique == 0 ? NextUnique() : unique;
        Task<FakeReply> reply = Expect(unique);
        Send(Request(opcode, nodeId, unique, payload));
        return reply;
    }

    /// <summary>The reply to a request that is sent separately.</summary>
    internal Task<FakeReply> Expect(ulong unique) =>
        waiting.GetOrAdd(unique, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(Patience);

    internal ulong NextUnique() => (ulong)Interlocked.Add(ref lastUnique, 2);

    internal async Task<byte[]> NextNotificationAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await notifications.Reader.ReadAsync(patience.Token);
    }

    /// <summary>A whole request: fuse_in_header and what follows.</summary>
    internal static byte[] Request(uint opcode, ulong nodeId, ulong unique, ReadOnlySpan<byte> payload)
    {
        byte[] message = new byte[HeaderSize + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(8), unique);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(16), nodeId);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(24), 1001);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(28), 1002);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(32), 4711);
        payload.CopyTo(message.AsSpan(HeaderSize));
        return message;
    }

    internal unsafe void Send(ReadOnlySpan<byte> message)
    {
        fixed (byte* start = message)
        {
            nint sent = Interop.Write(kernelEnd, start, (nuint)message.Length);
            Assert.That((int)sent, Is.EqualTo(message.Length), $"errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Ends the conversation as an unmount does, and waits until the session has noticed.</summary>
    internal async Task<FuseSessionEnd> CloseAsync()
    {
        Interop.Shutdown(kernelEnd, 2);
        return running is null ? FuseSessionEnd.Unmounted : await running.WaitAsync(Patience);
    }

    public void Dispose()
    {
        Interop.Shutdown(kernelEnd, 2);
        running?.Wait(Patience);
        pump.Join();
        Session.Dispose();
        kernelEnd.Dispose();
        daemonEnd.Dispose();
    }

    internal Task<FuseSessionEnd> Running => running!.WaitAsync(Patience);

    private unsafe void Pump()
    {
        byte[] buffer = new byte[2 * 1024 * 1024];
        while (true)
        {
            int length;
            fixed (byte* start = buffer)
            {
                length = (int)Interop.Read(kernelEnd, start, (nuint)buffer.Length);
            }

            if (length <= 0)
            {
                return;
            }

            Receive(buffer.AsSpan(0, length));
        }
    }

    private void Receive(ReadOnlySpan<byte> message)
    {
        ulong unique = BinaryPrimitives.ReadUInt64LittleEndian(message[8..]);
        if (unique == 0)
        {
            notifications.Writer.TryWrite(message.ToArray());
            return;
        }

        // The length that the header says must be the length of the message, or the real kernel refuses it.
        Assert.That(BinaryPrimitives.ReadInt32LittleEndian(message), Is.EqualTo(message.Length));
        var reply = new FakeReply(unique, (FuseErrno)(-BinaryPrimitives.ReadInt32LittleEndian(message[4..])), message[16..].ToArray());
        TaskCompletionSource<FakeReply> waiter = waiting.GetOrAdd(unique, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!waiter.TrySetResult(reply))
        {
            notifications.Writer.TryComplete(new InvalidOperationException($"Two replies to #{unique}."));
        }
    }
}
