using System.Buffers.Binary;
using Microsoft.Extensions.Logging;

namespace ModelFs.Fuse;

/// <summary>
/// One thread that reads requests and dispatches them. It goes on with the next request as soon as an operation is complete or has returned
/// its task; in the second case the call, and the buffer if the operation looks into it, stay with the operation.
/// </summary>
internal sealed partial class FuseReader(FuseSession session, int index)
{
    // A request is read so that the data of a WRITE begins at the start of a page.
    private const int HeaderSize = FuseWire.InHeaderSize + 40;

    private readonly FuseNameCache names = new();
    private readonly TaskCompletionSource<FuseSessionEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock threadGate = new();
    private volatile FuseRequest currentRequest = new();
    private nint thread;

    /// <summary>The request that this thread is working on, or was last.</summary>
    internal FuseRequest CurrentRequest => currentRequest;

    internal Task<FuseSessionEnd> Start()
    {
        new Thread(Run) { Name = $"fuse-reader-{index}", IsBackground = true }.Start();
        return end.Task;
    }

    /// <summary>Ends the sleep of the thread in the kernel, if it sleeps at this moment.</summary>
    internal void Wake()
    {
        lock (threadGate)
        {
            // A handle of a thread that has ended must not be used.
            if (thread != 0)
            {
                _ = Interop.SignalThread(thread, Interop.SIGURG);
            }
        }
    }

    private void Run()
    {
        lock (threadGate)
        {
            thread = Interop.CurrentThread();
        }

        try
        {
            FuseSessionEnd reason = Loop();
            LeaveThread();
            end.SetResult(reason);
        }
        catch (Exception exception)
        {
            LeaveThread();
            end.SetException(exception);

            // The other readers must not go on as if nothing had happened.
            session.Stop();
        }
    }

    private void LeaveThread()
    {
        lock (threadGate)
        {
            thread = 0;
        }
    }

    private FuseSessionEnd Loop()
    {
        FuseBuffer input = session.Buffers.Rent(session.RequestDataMax);
        FuseCall call = NewCall();
        while (!session.IsStopping)
        {
            Memory<byte> whole = input.Message(HeaderSize, session.RequestDataMax);
            session.Watch.Wait();
            FuseErrno errno = session.Device.Read(whole.Span, out int length);
            session.Watch.NoteRequest();
            switch (errno)
            {
                case FuseErrno.None when length == 0:
                case FuseErrno.ENODEV:
                    return FuseSessionEnd.Unmounted;
                case FuseErrno.ECONNABORTED:
                    return FuseSessionEnd.Aborted;
                case FuseErrno.EINTR or FuseErrno.ENOENT or FuseErrno.EAGAIN:
                    continue;
                case FuseErrno.None:
                    break;
                default:
                    throw new IOException($"The FUSE device can't be read: {errno}.");
            }

            Take(call, input, whole[..length]);
            session.Watch.NoteAnswered();
            if (!call.IsDetached)
            {
                call.ReturnBuffers();
                continue;
            }

            if (call.TookInput)
            {
                input = session.Buffers.Rent(session.RequestDataMax);
            }

            call = NewCall();
        }

        session.Buffers.Return(input);
        return FuseSessionEnd.Stopped;
    }

    private FuseCall NewCall()
    {
        var call = new FuseCall(session, names);
        currentRequest = call.Request;
        return call;
    }

    private void Take(FuseCall call, FuseBuffer input, Memory<byte> message)
    {
        if (message.Length < FuseWire.InHeaderSize)
        {
            // Nothing says whom to answer.
            LogTruncated(session.Log, message.Length);
            return;
        }

        uint said = BinaryPrimitives.ReadUInt32LittleEndian(message.Span);
        FuseOperationRow row = FuseOperationTable.Find(BinaryPrimitives.ReadUInt32LittleEndian(message.Span[4..]));
        call.Begin(row, input, message);
        session.Statistics.CountRequest(row.Opcode);
        if (session.Log.IsEnabled(LogLevel.Trace))
        {
            LogRequest(session.Log, row.Name, call.Request.Unique, call.NodeId, message.Length, call.Request.Pid, call.Request.IsResent);
        }

        if (said != message.Length)
        {
            call.Refuse(FuseErrno.EIO);
            return;
        }

        int rest = call.Payload.Length - row.FixedSize;
        if (rest < 0 || (rest > 0 && row.Tail == FuseTail.None))
        {
            call.Refuse(FuseErrno.EINVAL);
            return;
        }

        try
        {
            row.Handler(call);
        }
        catch (Exception exception)
        {
            call.Fail(exception);
        }
    }

    [LoggerMessage(10, LogLevel.Error, "a message of {Length} bytes is shorter than a request's header and ignored")]
    private static partial void LogTruncated(ILogger log, int length);

    [LoggerMessage(11, LogLevel.Trace, "{Operation} #{Unique} on node {NodeId}: {Length} bytes from {Pid}, resent {IsResent}")]
    private static partial void LogRequest(ILogger log, string operation, ulong unique, ulong nodeId, int length, uint pid, bool isResent);
}
