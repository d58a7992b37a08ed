namespace ModelFs.Stores;

/// <summary>The body of one ranged answer of a server: delivers exactly the bytes that were asked for, with a deadline on every read.</summary>
/// <param name="answer">What the body belongs to; owned by the stream.</param>
/// <param name="body">Of the answer.</param>
/// <param name="length">In bytes.</param>
/// <param name="deadline">Owned by the stream; its token was given to the request.</param>
public abstract class AnswerStream(IDisposable answer, Stream body, long length, ProgressDeadline deadline) : ForwardOnlyStream
{
    private long _done;

    /// <inheritdoc/>
    public sealed override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
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
                throw Error(StoreErrorKind.Unavailable, $"the server ended its answer after {_done} of {length} bytes");
            }

            Check(buffer.Span[..read], isLast: _done + read == length);
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

            throw From(exception, deadline.HasPassed);
        }
        finally
        {
            deadline.Pause();
        }
    }

    /// <summary>Looks at bytes before they are handed out.</summary>
    /// <param name="bytes">The next ones.</param>
    /// <param name="isLast">Whether the body ends with them.</param>
    /// <exception cref="StoreException">They are not what they should be.</exception>
    protected virtual void Check(ReadOnlySpan<byte> bytes, bool isLast)
    {
    }

    /// <summary>Makes the store's failure of that kind.</summary>
    protected abstract StoreException Error(StoreErrorKind kind, string what);

    /// <summary>Makes the store's failure of an exception.</summary>
    protected abstract StoreException From(Exception exception, bool deadlinePassed);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            answer.Dispose();
            deadline.Dispose();
        }

        base.Dispose(disposing);
    }
}
