using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Google.Apis.Auth.OAuth2.Responses;

namespace ModelFs.Stores.Gcs;

/// <summary>What the server's and the network's errors mean: one map, with messages that name the remedy.</summary>
/// <param name="settings">Of the store.</param>
/// <param name="options">Of the store.</param>
internal sealed class GcsErrors(GcsSettings settings, StoreOptions options) : HttpStoreErrors($"gs://{settings.Bucket}", options)
{
    /// <inheritdoc/>
    public override string Server => settings.Endpoint.GetLeftPart(UriPartial.Authority);

    /// <summary>Makes the store's error of whatever a call threw.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="doing">What the call was for, for example <c>reading bert.tar.gz</c>.</param>
    /// <param name="deadlinePassed">Whether the call was given up for lack of progress.</param>
    internal StoreException From(Exception exception, string doing, bool deadlinePassed) => From(exception, doing, deadlinePassed, Server);

    /// <summary>Makes the store's error of what the request for a token threw.</summary>
    internal StoreException FromToken(Exception exception, string doing, bool deadlinePassed) => From(exception, doing, deadlinePassed, "the token endpoint");

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
                case AuthenticationException or SocketException
                    when !deadlinePassed && OfNetwork(cause, doing, peer, "check the endpoint and this machine's DNS", exception) is { } known:
                    return known;
                default:
                    continue;
            }
        }

        return deadlinePassed ? NoProgress(doing, peer, exception) : Error(StoreErrorKind.Unavailable, doing, $"{peer}: {Innermost(exception).Message}", exception);
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
        HttpStatusCode.Unauthorized => Denied(doing, settings.IsAnonymous ? "the server wants credentials" : "the server does not accept the token", $"{said}: {answer.Message}", answer),
        HttpStatusCode.Forbidden => Denied(doing, "the credentials lack the right", $"{said}: {answer.Message}", answer),
        HttpStatusCode.Gone => Error(StoreErrorKind.Unavailable, doing, "the upload's session is over; it must begin anew", answer),
        _ => OfStatus(answer.Status, doing, said, answer),
    };

    private StoreException Of(TokenResponseException refused, string doing)
    {
        var said = string.Join(": ", new[] { refused.Error?.Error, refused.Error?.ErrorDescription }.Where(part => !string.IsNullOrEmpty(part)));
        return refused.StatusCode >= HttpStatusCode.InternalServerError || refused.StatusCode == HttpStatusCode.TooManyRequests
            ? Error(StoreErrorKind.Unavailable, doing, $"the token endpoint answered {(int)refused.StatusCode!}", refused)
            : Denied(doing, "no token was given for the credentials", said, refused);
    }
}
