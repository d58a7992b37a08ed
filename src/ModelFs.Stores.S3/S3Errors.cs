using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.S3;

namespace ModelFs.Stores.S3;

/// <summary>What the server's and the network's errors mean: one map, with messages that name the remedy.</summary>
/// <param name="settings">Of the store.</param>
/// <param name="options">Of the store.</param>
internal sealed class S3Errors(S3Settings settings, StoreOptions options) : HttpStoreErrors($"s3://{settings.Bucket}", options)
{
    /// <inheritdoc/>
    public override string Server => settings.Endpoint?.GetLeftPart(UriPartial.Authority) ?? $"AWS S3 ({settings.Region})";

    /// <summary>Makes the store's error of whatever a call threw.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="doing">What the call was for, for example <c>reading bert.tar.gz</c>.</param>
    /// <param name="deadlinePassed">Whether the call was given up for lack of progress.</param>
    internal StoreException From(Exception exception, string doing, bool deadlinePassed)
    {
        if (deadlinePassed)
        {
            return NoProgress(doing, Server, exception);
        }

        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case StoreException already:
                    return already;
                case AmazonS3Exception { StatusCode: not 0 } answer when !IsOfNetwork(answer):
                    return Of(answer, doing);
                case AuthenticationException or SocketException
                    when OfNetwork(cause, doing, Server, "check the endpoint, or path-style=true if the bucket's own name does not resolve", exception) is { } known:
                    return known;
                default:
                    continue;
            }
        }

        return Error(StoreErrorKind.Unavailable, doing, $"{Server}: {Innermost(exception).Message}", exception);
    }

    private static bool IsOfNetwork(AmazonS3Exception answer) => Innermost(answer) is SocketException or AuthenticationException;

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
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Denied(doing, "the credentials lack the right, or are wrong", said, answer),
        HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect => Error(StoreErrorKind.Misconfigured, doing, $"the bucket is elsewhere; name its region with ?region= ({said})", answer),
        _ => OfStatus(answer.StatusCode, doing, said, answer),
    };

    /// <summary>The server knows who asks, and does not let them list.</summary>
    internal StoreException ListingDenied(string doing, Exception inner) => Error(
        StoreErrorKind.ListingDenied,
        doing,
        $"access denied: the credentials lack the right to list the bucket (s3:ListBucket). They came from {CredentialSource}",
        inner);
}
