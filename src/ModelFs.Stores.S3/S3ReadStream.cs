using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>The body of one ranged answer, with S3's messages.</summary>
/// <param name="response">Owned by the stream.</param>
/// <param name="length">In bytes.</param>
/// <param name="deadline">Owned by the stream; its token was given to the request.</param>
/// <param name="errors">Makes the messages.</param>
/// <param name="doing">For messages.</param>
internal sealed class S3ReadStream(GetObjectResponse response, long length, ProgressDeadline deadline, S3Errors errors, string doing)
    : AnswerStream(response, response.ResponseStream, length, deadline)
{
    /// <inheritdoc/>
    protected override StoreException Error(StoreErrorKind kind, string what) => errors.Error(kind, doing, what);

    /// <inheritdoc/>
    protected override StoreException From(Exception exception, bool deadlinePassed) => errors.From(exception, doing, deadlinePassed);
}
