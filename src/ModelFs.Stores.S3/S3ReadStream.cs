using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>The body of one ranged answer: delivers exactly the bytes that were asked for, with a deadline on every read.</summary>
/// <param name="response">Owned by the stream.</param>
/// <param name="length">In bytes.</param>
/// <param name="deadline">Owned by the stream; its token was given to the request.</param>
/// <param name="errors">Makes the messages.</param>
/// <param name="doing">For messages.</param>
internal sealed class S3ReadStream(GetObjectResponse response, long length, ProgressDeadline deadline, S3Errors errors, string doing) : ForwardOnlyStream
{
    private readonly Stream _body = response.ResponseStream;
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
            var read = await _body.ReadAsync(buffer[..(int)Math.Min(buffer.Length, length - _done)], either?.Token ?? deadline.Token).ConfigureAwait(false);
            if (read == 0)
            {
                throw errors.Error(StoreErrorKind.Unavailable, doing, $"the server ended its answer after {_done} of {length} bytes");
            }

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
}
