namespace ModelFs.Stores.Gcs;

/// <summary>The body of one ranged answer, with a whole object's checksum.</summary>
/// <param name="response">Owned by the stream.</param>
/// <param name="body">Of the response.</param>
/// <param name="length">In bytes.</param>
/// <param name="checksum">CRC-32C of the whole body in base64, or null when it is a part of an object.</param>
/// <param name="deadline">Owned by the stream; its token was given to the request.</param>
/// <param name="errors">Makes the messages.</param>
/// <param name="doing">For messages.</param>
internal sealed class GcsReadStream(HttpResponseMessage response, Stream body, long length, string? checksum, ProgressDeadline deadline, GcsErrors errors, string doing)
    : AnswerStream(response, body, length, deadline)
{
    private readonly long _length = length;
    private Crc32C _crc;

    /// <summary>The last bytes are handed out only if the checksum is right. It is not worth a retry at that byte: the damage may lie before it.</summary>
    protected override void Check(ReadOnlySpan<byte> bytes, bool isLast)
    {
        if (checksum is null)
        {
            return;
        }

        _crc.Append(bytes);
        if (isLast && _crc.Base64 != checksum)
        {
            throw Error(StoreErrorKind.Rejected, $"the {_length} bytes received have the checksum {_crc.Base64}, but the server says {checksum}");
        }
    }

    /// <inheritdoc/>
    protected override StoreException Error(StoreErrorKind kind, string what) => errors.Error(kind, doing, what);

    /// <inheritdoc/>
    protected override StoreException From(Exception exception, bool deadlinePassed) => errors.From(exception, doing, deadlinePassed);
}
