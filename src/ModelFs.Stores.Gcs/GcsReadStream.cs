namespace ModelFs.Stores.Gcs;

/// <summary>The body of one ranged answer: delivers exactly the bytes that were asked for, with a deadline on every read, and checks a whole object's checksum.</summary>
/// <param name="response">Owned by the stream.</param>
/// <param name="body">Of the response.</param>
/// <param name="length">In bytes.</param>
/// <param name="checksum">CRC-32C of the whole body in base64, or null when it is a part of an object.</param>
/// <param name="deadline">Owned by the stream; its token was given to the request.</param>
/// <param name="errors">Makes the messages.</param>
/// <param name="doing">For messages.</param>
internal sealed class GcsReadStream(HttpResponseMessage response, Stream body, long length, string? checksum, ProgressDeadline deadline, GcsErrors errors, string doing) : ForwardOnlyStream
{
    private Crc32C _crc;
    private long _done;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_done == length || buffer.IsEmpty)
        {
            return 0;
        }

        // The deadline's token is linked to that of the call; one given here is honoured only if it differs.
        using var either = cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken) : null;
        deadline.Touch();
        try
        {
            var read = await body.ReadAsync(buffer[..(int)Math.Min(buffer.Length, length - _done)], either?.Token ?? deadline.Token).ConfigureAwait(false);
            if (read == 0)
            {
                throw errors.Error(StoreErrorKind.Unavailable, doing, $"the server ended its answer after {_done} of {length} bytes");
            }

            Check(buffer.Span[..read]);
            _done += read;
            return read;
        }
#pragma warning disable CA1031 // The contract: every failure is a StoreException.
        catch (Exception exception) when (exception is not StoreException)
#pragma warning restore CA1031
        {
            if (!deadline.HasPassed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                deadline.Token.ThrowIfCancellationRequested();
            }

            throw errors.From(exception, doing, deadline.HasPassed);
        }
        finally
        {
            deadline.Pause();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
            deadline.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The last bytes are handed out only if the checksum is right. It is not worth a retry at that byte: the damage may lie before it.</summary>
    private void Check(ReadOnlySpan<byte> bytes)
    {
        if (checksum is null)
        {
            return;
        }

        _crc.Append(bytes);
        if (_done + bytes.Length == length && _crc.Base64 != checksum)
        {
            throw errors.Error(StoreErrorKind.Rejected, doing, $"the {length} bytes received have the checksum {_crc.Base64}, but the server says {checksum}");
        }
    }
}
