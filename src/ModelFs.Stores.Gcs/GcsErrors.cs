using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Google.Apis.Auth.OAuth2.Responses;

namespace ModelFs.Stores.Gcs;

/// <summary>What the server's and the network's errors mean: one map, with messages that name the remedy.</summary>
/// <param name="settings">Of the store.</param>
/// <param name="options">Of the store.</param>
internal sealed class GcsErrors(GcsSettings settings, StoreOptions options)
{
    /// <summary>Where the credentials in use came from; set once they are resolved.</summary>
    internal string CredentialSource { get; set; } = "not resolved yet";

    internal string Server => settings.Endpoint.GetLeftPart(UriPartial.Authority);

    /// <summary>Makes the store's error of whatever a call threw.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="doing">What the call was for, for example <c>reading bert.tar.gz</c>.</param>
    /// <param name="deadlinePassed">Whether the call was given up for lack of progress.</param>
    internal StoreException From(Exception exception, string doing, bool deadlinePassed) => From(exception, doing, deadlinePassed, Server);

    /// <summary>Makes the store's error of what the request for a token threw.</summary>
    internal StoreException FromToken(Exception exception, string doing, bool deadlinePassed) => From(exception, doing, deadlinePassed, "the token endpoint");

    /// <summary>Makes an error with this store's manner of speaking.</summary>
    internal StoreException Error(StoreErrorKind kind, string doing, string what, Exception? inner = null) =>
        new(kind, $"gs://{settings.Bucket}: {doing}: {what}", inner);

    private static Exception Innermost(Exception exception) => exception.InnerException is null ? exception : Innermost(exception.InnerException);

    private StoreException From(Exception exception, string doing, bool deadlinePassed, string peer)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case StoreException already:
                    return already;
                case GcsAnswerException answer:
                    return Of(answer, doing);
                case TokenResponseException refused:
                    return Of(refused, doing);
                case AuthenticationException tls when !deadlinePassed:
                    return Error(StoreErrorKind.Misconfigured, doing, $"the certificate of {peer} is not trusted: {tls.Message} {Trust()}", exception);
                case SocketException { SocketErrorCode: SocketError.HostNotFound } when !deadlinePassed:
                    return Error(StoreErrorKind.Misconfigured, doing, $"there is no host of that name: {peer} ({exception.Message}); check the endpoint and this machine's DNS", exception);
                case SocketException { SocketErrorCode: SocketError.OperationAborted } when !deadlinePassed:
                    return Error(StoreErrorKind.Unavailable, doing, $"{peer} took no connection within {options.Deadlines.Connect.TotalSeconds} s", exception);
                case SocketException socket when !deadlinePassed:
                    return Error(StoreErrorKind.Unavailable, doing, $"{peer} can't be reached: {socket.Message}", exception);
                default:
                    continue;
            }
        }

        // What was interrupted may call itself anything; the reason is the deadline.
        var what = deadlinePassed ? $"{peer} made no progress for {options.Deadlines.NoProgress.TotalSeconds} s" : $"{peer}: {Innermost(exception).Message}";
        return Error(StoreErrorKind.Unavailable, doing, what, exception);
    }

    private StoreException Of(GcsAnswerException answer, string doing)
    {
        var said = $"{(int)answer.Status} {answer.Reason}".TrimEnd();
        return answer.Reason switch
        {
            "rateLimitExceeded" or "userRateLimitExceeded" or "backendError" => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
            "quotaExceeded" or "dailyLimitExceeded" => Error(StoreErrorKind.QuotaExceeded, doing, $"the quota is used up ({said}): {answer.Message}", answer),
            "userProjectMissing" => Error(StoreErrorKind.Misconfigured, doing, "the bucket's owner makes the caller pay; name the project that pays with ?user-project=PROJECT", answer),
            _ => OfStatus(answer, doing, said),
        };
    }

    private StoreException OfStatus(GcsAnswerException answer, string doing, string said) => answer.Status switch
    {
        HttpStatusCode.NotFound when answer.IsOfBucket => Error(StoreErrorKind.NotFound, doing, $"there is no bucket '{settings.Bucket}' at {Server}", answer),
        HttpStatusCode.NotFound => Error(StoreErrorKind.NotFound, doing, "there is no such object", answer),
        HttpStatusCode.Unauthorized => Denied(doing, settings.IsAnonymous ? "the server wants credentials" : "the server does not accept the token", $"{said}: {answer.Message}", answer),
        HttpStatusCode.Forbidden => Denied(doing, "the credentials lack the right", $"{said}: {answer.Message}", answer),
        HttpStatusCode.PreconditionFailed => Error(StoreErrorKind.PreconditionFailed, doing, "the object in the store is not the expected one", answer),
        HttpStatusCode.InsufficientStorage => Error(StoreErrorKind.QuotaExceeded, doing, $"{Server} has no space left", answer),
        HttpStatusCode.Gone => Error(StoreErrorKind.Unavailable, doing, "the upload's session is over; it must begin anew", answer),
        HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
        HttpStatusCode.NotImplemented => Error(StoreErrorKind.Rejected, doing, $"{Server} does not support this ({said})", answer),
        >= HttpStatusCode.InternalServerError => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
        _ => Error(StoreErrorKind.Rejected, doing, $"{Server} answered {said}: {answer.Message}", answer),
    };

    private StoreException Of(TokenResponseException refused, string doing)
    {
        var said = string.Join(": ", new[] { refused.Error?.Error, refused.Error?.ErrorDescription }.Where(part => !string.IsNullOrEmpty(part)));
        return refused.StatusCode >= HttpStatusCode.InternalServerError || refused.StatusCode == HttpStatusCode.TooManyRequests
            ? Error(StoreErrorKind.Unavailable, doing, $"the token endpoint answered {(int)refused.StatusCode!}", refused)
            : Denied(doing, "no token was given for the credentials", said, refused);
    }

    private StoreException Denied(string doing, string what, string said, Exception inner) => Error(
        StoreErrorKind.AccessDenied,
        doing,
        $"access denied: {what} ({said}). Credentials came from {CredentialSource}; check them and the rights on the bucket",
        inner);

    private string Trust() => options.CaFile is null
        ? "If it was issued by a private authority, name that authority's certificate with --ca-file"
        : $"Only the authorities in {options.CaFile} are trusted";
}
