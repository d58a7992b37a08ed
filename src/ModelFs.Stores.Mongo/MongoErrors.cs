using System.Net.Sockets;
using System.Security.Authentication;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>What the server's and the network's errors mean: one map, with messages that name the remedy.</summary>
/// <param name="settings">Of the store.</param>
/// <param name="options">Of the store.</param>
internal sealed class MongoErrors(MongoSettings settings, StoreOptions options)
{
    private const int Unauthorized = 13;
    private const int AuthenticationFailed = 18;
    private const int OutOfDiskSpace = 14031;
    private const int AtlasError = 8000;

    /// <summary>Makes the store's error of whatever a call threw.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="heartbeat">Why the server can't be reached, if the driver knows; it tells no more than a timeout otherwise.</param>
    /// <param name="doing">What the call was for, for example <c>reading bert.tar.gz</c>.</param>
    /// <param name="deadlinePassed">Whether the call was given up for lack of progress.</param>
    internal StoreException From(Exception exception, Exception? heartbeat, string doing, bool deadlinePassed)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case StoreException already:
                    return already;
                case MongoAuthenticationException:
                    return Denied(doing, "the server does not accept the user or the password", exception);
                case MongoCommandException answer when OfCode(answer.Code, answer.Message, doing, exception) is { } known:
                    return known;
                case MongoWriteException { WriteError: { } error } when OfCode(error.Code, error.Message, doing, exception) is { } known:
                    return known;
                case MongoCommandException or MongoWriteException or MongoBulkWriteException:
                    return Error(StoreErrorKind.Rejected, doing, cause.Message, exception);
                case MongoConfigurationException:
                    return Error(StoreErrorKind.Misconfigured, doing, $"the address can't be used: {cause.Message}", exception);
                case AuthenticationException or SocketException or ProxyException:
                    return OfNetwork(cause, doing, exception);
                default:
                    continue;
            }
        }

        for (var cause = heartbeat; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException or SocketException or ProxyException)
            {
                return OfNetwork(cause, doing, exception);
            }
        }

        return deadlinePassed
            ? Error(StoreErrorKind.Unavailable, doing, $"the server made no progress for {options.Deadlines.NoProgress.TotalSeconds} s", exception)
            : Error(StoreErrorKind.Unavailable, doing, exception is TimeoutException ? $"no usable server within {options.Deadlines.Connect.TotalSeconds} s{Because(heartbeat)}" : exception.Message, exception);
    }

    private static string Because(Exception? heartbeat) => heartbeat is null ? "" : $": {heartbeat.GetBaseException().Message}";

    /// <summary>Makes an error with this store's manner of speaking.</summary>
    internal StoreException Error(StoreErrorKind kind, string doing, string what, Exception? inner = null) =>
        new(kind, $"{settings.DisplayName}: {doing}: {what}", inner);

    private StoreException? OfCode(int code, string message, string doing, Exception inner) => code switch
    {
        AuthenticationFailed => Denied(doing, "the server does not accept the user or the password", inner),
        Unauthorized or AtlasError => Denied(doing, $"the user lacks the right ({message})", inner),
        OutOfDiskSpace => Error(StoreErrorKind.QuotaExceeded, doing, "the server has no space left", inner),
        _ => null,
    };

    private StoreException OfNetwork(Exception cause, string doing, Exception inner) => cause switch
    {
        ProxyException => Error(StoreErrorKind.Unavailable, doing, cause.Message, inner),
        AuthenticationException => Error(StoreErrorKind.Misconfigured, doing, $"the server's certificate is not trusted: {cause.Message} {options.TrustAdvice}", inner),
        SocketException { SocketErrorCode: SocketError.HostNotFound } => Error(StoreErrorKind.Misconfigured, doing, "there is no host of that name; check the address", inner),
        _ => Error(StoreErrorKind.Unavailable, doing, $"the server can't be reached: {cause.Message}", inner),
    };

    private StoreException Denied(string doing, string what, Exception inner) => Error(
        StoreErrorKind.AccessDenied,
        doing,
        $"access denied: {what}. Credentials come from the store's address; check them, authSource, and the user's rights on the collection and on those that start with its name and '.modelfs'",
        inner);
}
