using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.S3;

namespace ModelFs.Stores.S3;

/// <summary>What the server's and the network's errors mean: one map, with messages that name the remedy.</summary>
/// <param name="settings">Of the store.</param>
/// <param name="options">Of the store.</param>
internal sealed class S3Errors(S3Settings settings, StoreOptions options)
{
    /// <summary>Where the credentials in use came from; set once they are resolved.</summary>
    internal string CredentialSource { get; set; } = "not resolved yet";

    private string Server => settings.Endpoint?.GetLeftPart(UriPartial.Authority) ?? $"AWS S3 ({settings.Region})";

    /// <summary>Makes the store's error of whatever a call threw.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="doing">What the call was for, for example <c>reading bert.tar.gz</c>.</param>
    /// <param name="deadlinePassed">Whether the call was given up for lack of progress.</param>
    internal StoreException From(Exception exception, string doing, bool deadlinePassed)
    {
        if (deadlinePassed)
        {
            // What was interrupted may call itself anything; the reason is this.
            return Error(StoreErrorKind.Unavailable, doing, $"{Server} made no progress for {options.Deadlines.NoProgress.TotalSeconds} s", exception);
        }

        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case StoreException already:
                    return already;
                case AmazonS3Exception { StatusCode: not 0 } answer when !IsOfNetwork(answer):
                    return Of(answer, doing);
                case AuthenticationException tls:
                    return Error(StoreErrorKind.Misconfigured, doing, $"the certificate of {Server} is not trusted: {tls.Message} {Trust()}", exception);
                case SocketException { SocketErrorCode: SocketError.HostNotFound }:
                    return Error(StoreErrorKind.Misconfigured, doing, $"there is no host of that name: {Server}; check the endpoint, or path-style=true if the bucket's own name does not resolve", exception);
                case SocketException { SocketErrorCode: SocketError.OperationAborted }:
                    return Error(StoreErrorKind.Unavailable, doing, $"{Server} took no connection within {options.Deadlines.Connect.TotalSeconds} s", exception);
                case SocketException socket:
                    return Error(StoreErrorKind.Unavailable, doing, $"{Server} can't be reached: {socket.Message}", exception);
                default:
                    continue;
            }
        }

        return Error(StoreErrorKind.Unavailable, doing, $"{Server}: {Innermost(exception).Message}", exception);
    }

    /// <summary>Makes an error with this store's manner of speaking.</summary>
    internal StoreException Error(StoreErrorKind kind, string doing, string what, Exception? inner = null) =>
        new(kind, $"s3://{settings.Bucket}: {doing}: {what}", inner);

    private static bool IsOfNetwork(AmazonS3Exception answer) => Innermost(answer) is SocketException or AuthenticationException;

    private static Exception Innermost(Exception exception) => exception.InnerException is null ? exception : Innermost(exception.InnerException);

    private StoreException Of(AmazonS3Exception answer, string doing)
    {
        var code = answer.ErrorCode ?? "";
        var said = $"{(int)answer.StatusCode} {code}".TrimEnd();
        return code switch
        {
            "NoSuchBucket" => Error(StoreErrorKind.NotFound, doing, $"there is no bucket '{settings.Bucket}' at {Server}", answer),
            "RequestTimeTooSkewed" => Error(StoreErrorKind.Misconfigured, doing, "this machine's clock differs too much from the server's; set it by NTP", answer),
            "QuotaExceeded" => Error(StoreErrorKind.QuotaExceeded, doing, "the quota of the user or the bucket is used up", answer),
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" or "IncorrectEndpoint" =>
                Error(StoreErrorKind.Misconfigured, doing, $"the bucket is not in region {settings.Region}: {answer.Message} Name the right one with ?region=", answer),
            "InvalidAccessKeyId" => Denied(doing, "the server does not know the access key", said, answer),
            "SignatureDoesNotMatch" => Denied(doing, "the secret key is wrong", said, answer),
            "ExpiredToken" or "InvalidToken" or "TokenRefreshRequired" => Denied(doing, "the session token is not valid (any more)", said, answer),
            "BadDigest" or "IncompleteBody" or "XAmzContentSHA256Mismatch" =>
                Error(StoreErrorKind.Unavailable, doing, $"{Server} did not get the bytes as they were sent ({said})", answer),
            "RequestTimeout" or "OperationAborted" or "ConditionalRequestConflict" => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
            _ => OfStatus(answer, doing, said),
        };
    }

    private StoreException OfStatus(AmazonS3Exception answer, string doing, string said) => answer.StatusCode switch
    {
        HttpStatusCode.NotFound => Error(StoreErrorKind.NotFound, doing, "there is no such object", answer),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Denied(doing, "the credentials lack the right, or are wrong", said, answer),
        HttpStatusCode.PreconditionFailed => Error(StoreErrorKind.PreconditionFailed, doing, "the object in the store is not the expected one", answer),
        HttpStatusCode.InsufficientStorage => Error(StoreErrorKind.QuotaExceeded, doing, $"{Server} has no space left", answer),
        HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect => Error(StoreErrorKind.Misconfigured, doing, $"the bucket is elsewhere; name its region with ?region= ({said})", answer),
        HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
        HttpStatusCode.NotImplemented => Error(StoreErrorKind.Rejected, doing, $"{Server} does not support this ({said})", answer),
        >= HttpStatusCode.InternalServerError => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
        _ => Error(StoreErrorKind.Rejected, doing, $"{Server} answered {said}: {answer.Message}", answer),
    };

    /// <summary>The server knows who asks, and does not let them list.</summary>
    internal StoreException ListingDenied(string doing, Exception inner) => Error(
        StoreErrorKind.ListingDenied,
        doing,
        $"access denied: the credentials lack the right to list the bucket (s3:ListBucket). They came from {CredentialSource}",
        inner);

    private StoreException Denied(string doing, string what, string said, Exception inner) => Error(
        StoreErrorKind.AccessDenied,
        doing,
        $"access denied: {what} ({said}). Credentials came from {CredentialSource}; check them and the rights on the bucket",
        inner);

    private string Trust() => options.CaFile is null
        ? "If it was issued by a private authority, name that authority's certificate with --ca-file"
        : $"Only the authorities in {options.CaFile} are trusted";
}
