using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount.Keeper;

/// <summary>
/// The daemon's end of the channel to <c>modelfs-keeper</c>, which owns the mount: it mounts, registers files for passthrough, keeps what the
/// next daemon needs, and starts that one when this one dies.
/// </summary>
/// <remarks>
/// <para>The order of calls: <see cref="ReceiveHello"/>; then, unless the session is resumed, <see cref="Mount"/> once everything else is
/// prepared; <see cref="Ready"/> when INIT was answered (or the resend was asked for). A daemon that can't go on calls <see cref="Fail"/>.</para>
/// <para>All members may be called from any thread; a call waits for the keeper's answer. None may be called with a lock held that answering
/// the kernel needs: <see cref="Unmount"/> returns only after the kernel has flushed what it holds.</para>
/// <para>Facts: <c>native/keeper/channel.h</c>.</para>
/// </remarks>
public sealed class KeeperChannel : IDisposable
{
    /// <summary>Where a keeper leaves its daemon's end.</summary>
    public const int InheritedDescriptor = 3;

    /// <summary>The most bytes that <see cref="Save"/> takes.</summary>
    public const int SavedBytesMax = KeeperSocket.PayloadBytesMax;

    private readonly KeeperSocket _socket;
    private readonly Thread _reader;
    private readonly PendingCall _hello = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guards _calls, _sequence, _isGone and _isDisposed. Nothing is sent or waited for under it.
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, PendingCall> _calls = [];
    private uint _sequence;
    private bool _isGone;
    private bool _isDisposed;

    private KeeperChannel(KeeperSocket socket)
    {
        _socket = socket;
        _reader = new Thread(ReadAnswers) { IsBackground = true, Name = "keeper channel" };
        _reader.Start();
    }

    /// <summary>Completes when the keeper is gone (its end was closed or it died) or this channel was disposed of. Never fails.</summary>
    public Task Closed => _closed.Task;

    /// <summary>
    /// Takes over the channel that a keeper left at this descriptor, or returns null when there is no such channel: the process was not
    /// started by a keeper. The descriptor is not inherited by processes that are started later.
    /// </summary>
    public static KeeperChannel? FromDescriptor(int descriptor = InheritedDescriptor)
    {
        if (!KeeperSocket.IsPacketSocket(descriptor))
        {
            return null;
        }
        _ = Interop.Control(descriptor, Interop.FSetFd, Interop.FdCloexec);
        return new KeeperChannel(new KeeperSocket(new SafeFileHandle(descriptor, ownsHandle: true)));
    }

    /// <summary>Waits for the keeper's first message. Called once.</summary>
    /// <exception cref="KeeperException">The keeper is gone.</exception>
    public KeeperHello ReceiveHello()
    {
        KeeperMessage hello = _hello.Wait();
        return new KeeperHello(
            (hello.Header.Flags & KeeperMessageHeader.HelloResumed) != 0, (int)hello.Header.Value, hello.Descriptor, hello.Payload);
    }

    /// <summary>Has the keeper mount, and returns the <c>/dev/fuse</c> descriptor, which is the caller's to dispose.</summary>
    /// <exception cref="KeeperException">It can't be mounted (nothing is then); the message says what to do. Or the keeper is gone.</exception>
    public SafeFileHandle Mount()
    {
        KeeperMessage answer = Call(KeeperMessageType.Mount);
        return answer.Descriptor ?? throw new KeeperException(KeeperErrno.Protocol, "The keeper's answer to MOUNT carries no descriptor.");
    }

    /// <summary>Says that the mount is served from now on: whoever waits for it is told so, and from here on death means a restart.</summary>
    /// <param name="kernelCanResend">Whether INIT offered FUSE_HAS_RESEND; without it a dead daemon's mount is replaced by a new one.</param>
    /// <exception cref="KeeperException">There is no mount, or the keeper is gone.</exception>
    public void Ready(bool kernelCanResend) => Call(KeeperMessageType.Ready, kernelCanResend ? KeeperMessageHeader.ReadyCanResend : 0);

    /// <summary>Gives up: the reason is told to whoever waits for the mount, the mount is taken away, and no other daemon is started.</summary>
    /// <exception cref="KeeperException">The keeper is gone.</exception>
    public void Fail(string reason) => Call(KeeperMessageType.Fail, payload: Encode(reason));

    /// <summary>Leaves up to <see cref="SavedBytesMax"/> bytes for the next daemon's hello, in place of what was left before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Too many bytes.</exception>
    /// <exception cref="KeeperException">The keeper is gone.</exception>
    public void Save(ReadOnlySpan<byte> state) => Call(KeeperMessageType.Save, payload: state);

    /// <summary>
    /// Registers a file with the kernel for passthrough and returns its backing id. A node that has an id keeps it, also over the death of
    /// the daemon, until <see cref="BackingClose"/>; the file is then not looked at.
    /// </summary>
    /// <param name="nodeId">The inode's node id.</param>
    /// <param name="file">The file, opened for reading only; stays the caller's and need not stay open.</param>
    /// <exception cref="KeeperException">
    /// EPERM: the keeper lacks CAP_SYS_ADMIN. ENOTTY or EOPNOTSUPP: this kernel has no passthrough. ELOOP: the file's own file system is stacked
    /// too deep. ENOTCONN: the keeper or the mount is gone.
    /// </exception>
    public int BackingOpen(ulong nodeId, SafeFileHandle file) =>
        checked((int)Call(KeeperMessageType.BackingOpen, nodeId: nodeId, descriptor: file).Header.Value);

    /// <summary>Forgets a node's registered file; open files of the kernel keep using it.</summary>
    /// <exception cref="KeeperException">ENOENT: the node has none. ENOTCONN: the keeper is gone.</exception>
    public void BackingClose(ulong nodeId) => Call(KeeperMessageType.BackingClose, nodeId: nodeId);

    /// <summary>
    /// <see cref="BackingClose"/> without the wait for the answer, whatever it is: the keeper takes calls in the order in which they are made. It waits only for room in the
    /// socket when the keeper is behind.
    /// </summary>
    /// <exception cref="KeeperException">ENOTCONN: the keeper is gone.</exception>
    public void PostBackingClose(ulong nodeId)
    {
        uint sequence;
        lock (_lock)
        {
            if (_isGone)
            {
                throw NewGone();
            }
            sequence = ++_sequence;
        }
        try
        {
            _socket.Send(new KeeperMessageHeader(KeeperMessageType.BackingClose, sequence, 0, 0, nodeId, 0), default);
        }
        catch (ObjectDisposedException) when (_isDisposed)
        {
            throw NewGone();
        }
    }

    /// <summary>Unmounts; nothing happens when it is unmounted already.</summary>
    /// <param name="lazy">Also when programs use it: the folder is gone at once, and their open files go on until they close them.</param>
    /// <exception cref="KeeperException">EBUSY: in use. ENOTCONN: the keeper is gone.</exception>
    public void Unmount(bool lazy) => Call(KeeperMessageType.Unmount, lazy ? KeeperMessageHeader.UnmountLazy : 0);

    /// <summary>Closes the daemon's end; calls that still wait fail.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }
            _isDisposed = true;
        }
        _socket.Shutdown();
        if (Thread.CurrentThread != _reader)
        {
            _reader.Join();
        }
        _socket.Dispose();
    }

    private static KeeperException NewGone() => new(KeeperErrno.NotConnected, "The keeper is gone.");

    private static byte[] Encode(string reason)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(reason.Replace('\0', ' '));
        if (bytes.Length <= KeeperSocket.PayloadBytesMax)
        {
            return bytes;
        }
        int length = KeeperSocket.PayloadBytesMax;
        while ((bytes[length] & 0xC0) == 0x80)
        {
            length--;
        }
        return bytes[..length];
    }

    private KeeperMessage Call(
        KeeperMessageType type, uint flags = 0, ulong nodeId = 0, ReadOnlySpan<byte> payload = default, SafeFileHandle? descriptor = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, KeeperSocket.PayloadBytesMax);
        PendingCall call = new();
        uint sequence = Register(call);
        try
        {
            _socket.Send(new KeeperMessageHeader(type, sequence, 0, flags, nodeId, 0), payload, descriptor);
        }
        catch (Exception failure)
        {
            Unregister(sequence);
            if (failure is ObjectDisposedException && _isDisposed)
            {
                throw NewGone();
            }
            throw;
        }
        KeeperMessage answer = call.Wait();
        if (answer.Header.Result == 0)
        {
            return answer;
        }
        answer.Descriptor?.Dispose();
        int errno = -answer.Header.Result;
        string said = Encoding.UTF8.GetString(answer.Payload.Span);
        throw new KeeperException(errno, said.Length > 0 ? said : $"{type}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    private uint Register(PendingCall call)
    {
        lock (_lock)
        {
            if (_isGone)
            {
                throw NewGone();
            }
            _calls.Add(++_sequence, call);
            return _sequence;
        }
    }

    private PendingCall? Unregister(uint sequence)
    {
        lock (_lock)
        {
            return _calls.Remove(sequence, out PendingCall? call) ? call : null;
        }
    }

    private void ReadAnswers()
    {
        KeeperException end = NewGone();
        bool isGreeted = false;
        try
        {
            while (_socket.Receive() is { } message)
            {
                if (!isGreeted && message.Header.Type == KeeperMessageType.Hello)
                {
                    isGreeted = true;
                    _hello.Complete(message);
                }
                else if (Unregister(message.Header.Sequence) is { } call)
                {
                    call.Complete(message);
                }
                else
                {
                    message.Descriptor?.Dispose();
                }
            }
        }
        catch (KeeperException failure)
        {
            end = failure;
        }
        FailCalls(end, isGreeted);
    }

    private void FailCalls(KeeperException end, bool isGreeted)
    {
        PendingCall[] abandoned;
        lock (_lock)
        {
            _isGone = true;
            abandoned = [.. _calls.Values];
            _calls.Clear();
        }
        foreach (PendingCall call in abandoned)
        {
            call.Fail(end);
        }
        if (!isGreeted)
        {
            _hello.Fail(end);
        }
        _closed.TrySetResult();
    }
}
