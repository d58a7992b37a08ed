using System.Buffers.Binary;
using Microsoft.Extensions.Logging;

namespace ModelFs.Fuse;

/// <summary>
/// One request on its way through the session: its payload, its operation, its one reply. A reader thread uses the same call for every
/// request that completes at once; a call whose operation must wait is detached, belongs to that operation until the reply has gone, and is
/// not used again.
/// </summary>
internal sealed partial class FuseCall(FuseSession session, FuseNameCache names)
{
    private Memory<byte> payload;
    private FuseBuffer? input;
    private FuseBuffer? ownedInput;
    private FuseBuffer? data;
    private bool answered;

    internal FuseSession Session => session;

    internal IFuseOperations Operations => session.Operations;

    internal FuseRequest Request { get; } = new();

    internal FuseOperationRow Row { get; private set; } = FuseOperationTable.Unknown;

    internal ulong NodeId => Request.NodeId;

    /// <summary>True when the operation was not complete in time, and the reader needs a new call.</summary>
    internal bool IsDetached { get; private set; }

    /// <summary>True when a detached call has also taken the buffer that the request was read into.</summary>
    internal bool TookInput { get; private set; }

    /// <summary>What follows the header of the request; at least as long as the row's fixed size.</summary>
    internal ReadOnlySpan<byte> Payload => payload.Span;

    /// <summary>How many bytes the reply may carry: of a READ, a listing or an attribute.</summary>
    internal int ReplySizeMax { get; set; }

    /// <summary>The flags of the file that an OPEN or CREATE opens.</summary>
    internal FuseFileFlags FileFlags { get; set; }

    /// <summary>What a READDIR collects.</summary>
    internal FuseDirectoryBuffer? Listing { get; set; }

    /// <summary>What a READDIRPLUS collects.</summary>
    internal FuseDirectoryPlusBuffer? ListingPlus { get; set; }

    internal uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Payload[offset..]);

    internal ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(Payload[offset..]);

    internal long Int64(int offset) => BinaryPrimitives.ReadInt64LittleEndian(Payload[offset..]);

    /// <summary>The payload from an offset on, as memory that the operation may keep until it is complete.</summary>
    internal ReadOnlyMemory<byte> PayloadMemory(int offset) => payload[offset..];

    /// <summary>Takes the name that stands at an offset and ends with the request's last byte, a NUL.</summary>
    internal bool TryLastName(int offset, out string name) =>
        TryNameBytes(offset, out ReadOnlySpan<byte> bytes, out int end) & TryFileName(bytes, out name) && end == Payload.Length;

    /// <summary>Takes the two names that stand behind each other, each with a NUL, and end the request.</summary>
    internal bool TryTwoNames(int offset, out string first, out string second)
    {
        second = string.Empty;
        return TryNameBytes(offset, out ReadOnlySpan<byte> bytes, out int end) & TryFileName(bytes, out first) && TryLastName(end, out second);
    }

    /// <summary>Finds the bytes up to the next NUL.</summary>
    /// <param name="offset">Where they begin, within the payload.</param>
    /// <param name="bytes">The bytes without the NUL.</param>
    /// <param name="end">Where the byte after the NUL stands.</param>
    internal bool TryNameBytes(int offset, out ReadOnlySpan<byte> bytes, out int end)
    {
        ReadOnlySpan<byte> rest = Payload[offset..];
        int length = rest.IndexOf((byte)0);
        bytes = length > 0 ? rest[..length] : default;
        end = offset + length + 1;
        return length > 0;
    }

    /// <summary>A name of a file: valid UTF-8 without a slash.</summary>
    internal bool TryFileName(ReadOnlySpan<byte> bytes, out string name) => names.TryGet(bytes, out name) && !bytes.Contains((byte)'/');

    /// <summary>Any valid UTF-8, slashes included: the name of an attribute.</summary>
    internal bool TryText(ReadOnlySpan<byte> bytes, out string text) => names.TryGet(bytes, out text);

    /// <summary>Begins with a request.</summary>
    /// <param name="row">Its operation.</param>
    /// <param name="readInto">The reader's buffer, which a call that is detached may have to take along.</param>
    /// <param name="message">The request in it: the header at least.</param>
    internal void Begin(FuseOperationRow row, FuseBuffer readInto, Memory<byte> message)
    {
        Row = row;
        input = readInto;
        payload = message[FuseWire.InHeaderSize..];
        answered = false;
        ReplySizeMax = 0;
        Listing = null;
        ListingPlus = null;

        // struct fuse_in_header: len u32 @0, opcode u32 @4, unique u64 @8, nodeid u64 @16, uid u32 @24, gid @28, pid @32, total_extlen u16 @36.
        ReadOnlySpan<byte> header = message.Span;
        Request.Begin(
            BinaryPrimitives.ReadUInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[28..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[32..]));
    }

    /// <summary>The buffer that the reply's data goes into, its header just in front of it.</summary>
    internal FuseBuffer RentData(int length)
    {
        data ??= session.Buffers.Rent(length);
        return data;
    }

    /// <summary>Hands back what the call has borrowed. Nobody uses it any more.</summary>
    internal void ReturnBuffers()
    {
        if (data is not null)
        {
            session.Buffers.Return(data);
            data = null;
        }

        if (ownedInput is not null)
        {
            session.Buffers.Return(ownedInput);
            ownedInput = null;
        }
    }

    /// <summary>Answers when the operation has: at once, or later and from another thread.</summary>
    /// <param name="pending">What the operation returned.</param>
    internal void Complete<TResult, TReply>(ValueTask<TResult> pending)
        where TResult : struct, IFuseResult
        where TReply : IFuseReply<TResult>
    {
        if (pending.IsCompletedSuccessfully)
        {
            Answer<TResult, TReply>(pending.Result);
            return;
        }

        Detach();
        _ = CompleteLaterAsync<TResult, TReply>(pending);
    }

    /// <summary>Answers what an escaped exception deserves.</summary>
    internal void Fail(Exception exception)
    {
        if (exception is OperationCanceledException && Request.IsInterrupted)
        {
            Refuse(FuseErrno.EINTR);
            return;
        }

        LogEscaped(session.Log, Row.Name, Request.Unique, NodeId, exception);
        Refuse(FuseErrno.EIO);
    }

    /// <summary>Answers with an error.</summary>
    internal void Refuse(FuseErrno errno)
    {
        if (!Row.HasReply)
        {
            LogMalformed(session.Log, Row.Name, Request.Unique, Payload.Length);
            return;
        }

        session.Statistics.CountError(Row.Opcode);
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize];
        Send(reply, -(int)errno);
    }

    /// <summary>Sends a reply whose body stands behind 16 bytes for the header.</summary>
    /// <returns>False when the kernel did not take it.</returns>
    internal bool Send(Span<byte> reply, int error = 0)
    {
        if (answered)
        {
            return true;
        }

        // Set before the write: an exception from here on must not lead to a second reply.
        answered = true;
        Request.End();
        FuseWire.WriteOutHeader(reply, reply.Length, error, Request.RawUnique);
        FuseErrno refused = session.Device.Write(reply);
        if (session.Log.IsEnabled(LogLevel.Trace))
        {
            LogReply(session.Log, Row.Name, Request.Unique, error, reply.Length);
        }

        if (refused == FuseErrno.None)
        {
            return true;
        }

        // ENOENT: the caller is gone. ENODEV and ECONNABORTED: the mount is.
        if (refused is not (FuseErrno.ENOENT or FuseErrno.ENODEV or FuseErrno.ECONNABORTED))
        {
            LogReplyRefused(session.Log, Row.Name, Request.Unique, reply.Length, refused);
        }

        return false;
    }

    /// <summary>Sends the first bytes of the rented data buffer.</summary>
    internal bool SendData(int length) => Send(data!.Message(FuseWire.OutHeaderSize, length).Span);

    /// <summary>Closes what the kernel does not know to be open.</summary>
    internal void ReleaseUndelivered(ulong nodeId, ulong fileHandle, bool isDirectory = false)
    {
        // The call may be serving its next request before the release is done.
        FuseFileFlags flags = FileFlags;
        var request = new FuseRequest(Request.RawUnique, nodeId, Request.Uid, Request.Gid, Request.Pid);
        _ = ReleaseAsync();

        async Task ReleaseAsync()
        {
            try
            {
                if (isDirectory)
                {
                    await Operations.ReleaseDirectoryAsync(request, nodeId, fileHandle, flags).ConfigureAwait(false);
                }
                else
                {
                    await Operations.ReleaseAsync(request, nodeId, fileHandle, flags, FuseReleaseFlags.None, 0).ConfigureAwait(false);
                }
            }
            catch (Exception exception)
            {
                LogEscaped(session.Log, "RELEASE", request.Unique, nodeId, exception);
            }
        }
    }

    private void Answer<TResult, TReply>(in TResult result)
        where TResult : struct, IFuseResult
        where TReply : IFuseReply<TResult>
    {
        if (result.Errno == FuseErrno.None)
        {
            TReply.Send(this, result);
        }
        else
        {
            Refuse(result.Errno);
        }
    }

    private void Detach()
    {
        IsDetached = true;
        TookInput = Row.KeepsInput;
        if (TookInput)
        {
            ownedInput = input;
        }
        else
        {
            // Everything has been decoded, and the reader is about to overwrite it.
            payload = default;
        }

        session.Track(this);
    }

    private async Task CompleteLaterAsync<TResult, TReply>(ValueTask<TResult> pending)
        where TResult : struct, IFuseResult
        where TReply : IFuseReply<TResult>
    {
        try
        {
            Answer<TResult, TReply>(await pending.ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
        finally
        {
            session.Untrack(this);
            ReturnBuffers();
        }
    }

    [LoggerMessage(1, LogLevel.Error, "{Operation} #{Unique} on node {NodeId} failed with an exception; the program gets EIO")]
    private static partial void LogEscaped(ILogger log, string operation, ulong unique, ulong nodeId, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "{Operation} #{Unique} with {Length} bytes is malformed and ignored")]
    private static partial void LogMalformed(ILogger log, string operation, ulong unique, int length);

    [LoggerMessage(3, LogLevel.Trace, "reply to {Operation} #{Unique}: error {Error}, {Length} bytes")]
    private static partial void LogReply(ILogger log, string operation, ulong unique, int error, int length);

    [LoggerMessage(4, LogLevel.Error, "the kernel refused the reply to {Operation} #{Unique} ({Length} bytes): {Errno}")]
    private static partial void LogReplyRefused(ILogger log, string operation, ulong unique, int length, FuseErrno errno);
}
