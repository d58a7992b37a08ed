namespace ModelFs.Stores.Gcs;

/// <summary>The body of one ranged answer, checked with the whole object's checksum once all of the object was read.</summary>
/// <param name="response">Owned by the stream.</param>
/// <param name="body">Of the response.</param>
/// <param name="range">What the body is.</param>
/// <param name="deadline">Owned by the stream; its token was given to the request.</param>
/// <param name="errors">Makes the messages.</param>
/// <param name="doing">For messages.</param>
internal sealed class GcsReadStream(HttpResponseMessage response, Stream body, GcsRange range, ProgressDeadline deadline, GcsErrors errors, string doing)
    : AnswerStream(response, body, range.Length, deadline)
{
    private Crc32C _crc;
    private long _unnoted;

    /// <summary>The last bytes are handed out only if the checksum is right. It is not worth a retry at that byte: the damage may lie before it.</summary>
    protected override void Check(ReadOnlySpan<byte> bytes, bool isLast)
    {
        if (range.Checks is null)
        {
            return;
        }

        _crc.Append(bytes);
        _unnoted += bytes.Length;
        if (!isLast)
        {
            return;
        }

        var whole = range.Checks.Note(range.Source!, range.Offset, _unnoted, _crc);
        _unnoted = 0;
        if (whole is { } crc && crc.Base64 != range.Checksum)
        {
            throw Error(StoreErrorKind.Rejected, $"the {range.Source!.Length} bytes received have the checksum {crc.Base64}, but the server says {range.Checksum}");
        }
    }

    /// <inheritdoc/>
    protected override StoreException Error(StoreErrorKind kind, string what) => errors.Error(kind, doing, what);

    /// <inheritdoc/>
    protected override StoreException From(Exception exception, bool deadlinePassed) => errors.From(exception, doing, deadlinePassed);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Who goes on behind a break asks for the rest.
        if (disposing && _unnoted > 0)
        {
            range.Checks!.Note(range.Source!, range.Offset, _unnoted, _crc);
            _unnoted = 0;
        }

        base.Dispose(disposing);
    }
}

/// <summary>What one ranged answer is of its object.</summary>
/// <param name="Offset">Of the first byte.</param>
/// <param name="Length">In bytes.</param>
internal sealed record GcsRange(long Offset, long Length)
{
    /// <summary>The object.</summary>
    internal StoredObject? Source { get; init; }

    /// <summary>CRC-32C of the whole object in base64.</summary>
    internal string? Checksum { get; init; }

    /// <summary>Puts the checksums of ranges together; null when there is no checksum to compare with.</summary>
    internal GcsRangeChecks? Checks { get; init; }
}
