using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ModelFs.Stores;

/// <summary>What the errors of a store behind HTTP mean, as far as they are the same for every such store: the network, trust, and plain status codes. Messages name the remedy.</summary>
/// <param name="place">The store as messages name it, for example <c>s3://bucket</c>.</param>
/// <param name="options">Of the store.</param>
public abstract class HttpStoreErrors(string place, StoreOptions options)
{
    /// <summary>Where the credentials in use came from; set once they are resolved.</summary>
    public string CredentialSource { get; set; } = "not resolved yet";

    /// <summary>The server as messages name it.</summary>
    public abstract string Server { get; }

    /// <summary>Makes an error with this store's manner of speaking.</summary>
    /// <param name="kind">What failed.</param>
    /// <param name="doing">What the call was for, for example <c>reading bert.tar.gz</c>.</param>
    /// <param name="what">What happened, and what to do.</param>
    /// <param name="inner">What was thrown.</param>
    public StoreException Error(StoreErrorKind kind, string doing, string what, Exception? inner = null) => new(kind, $"{place}: {doing}: {what}", inner);

    /// <summary>The cause of all.</summary>
    protected static Exception Innermost(Exception exception) => exception.InnerException is null ? exception : Innermost(exception.InnerException);

    /// <summary>The credentials do not suffice.</summary>
    protected StoreException Denied(string doing, string what, string said, Exception inner) => Error(
        StoreErrorKind.AccessDenied,
        doing,
        $"access denied: {what} ({said}). Credentials came from {CredentialSource}; check them and the rights on the bucket",
        inner);

    /// <summary>A call was given up for lack of progress. What was interrupted may call itself anything; the reason is this.</summary>
    protected StoreException NoProgress(string doing, string peer, Exception exception) =>
        Error(StoreErrorKind.Unavailable, doing, $"{peer} made no progress for {options.Deadlines.NoProgress.TotalSeconds} s", exception);

    /// <summary>What a cause means that lies in the network or in trust; null when it does not.</summary>
    /// <param name="cause">One of the exceptions inside of the one that was thrown.</param>
    /// <param name="doing">What the call was for.</param>
    /// <param name="peer">Who was called.</param>
    /// <param name="nameAdvice">What to check when there is no host of that name.</param>
    /// <param name="thrown">What was thrown.</param>
    protected StoreException? OfNetwork(Exception cause, string doing, string peer, string nameAdvice, Exception thrown) => cause switch
    {
        AuthenticationException => Error(StoreErrorKind.Misconfigured, doing, $"the certificate of {peer} is not trusted: {cause.Message} {options.TrustAdvice}", thrown),
        SocketException { SocketErrorCode: SocketError.HostNotFound } => Error(StoreErrorKind.Misconfigured, doing, $"there is no host of that name: {peer} ({thrown.Message}); {nameAdvice}", thrown),
        SocketException { SocketErrorCode: SocketError.OperationAborted } =>
            Error(StoreErrorKind.Unavailable, doing, $"{peer} took no connection within {options.Deadlines.Connect.TotalSeconds} s", thrown),
        SocketException => Error(StoreErrorKind.Unavailable, doing, $"{peer} can't be reached: {cause.Message}", thrown),
        _ => null,
    };

    /// <summary>What a status code means that the store's own map does not explain better.</summary>
    /// <param name="status">Of the answer.</param>
    /// <param name="doing">What the call was for.</param>
    /// <param name="said">Status and code, as the server gave them.</param>
    /// <param name="answer">What was thrown.</param>
    protected StoreException OfStatus(HttpStatusCode status, string doing, string said, Exception answer) => status switch
    {
        HttpStatusCode.NotFound => Error(StoreErrorKind.NotFound, doing, "there is no such object", answer),
        HttpStatusCode.PreconditionFailed => Error(StoreErrorKind.PreconditionFailed, doing, "the object in the store is not the expected one", answer),
        HttpStatusCode.InsufficientStorage => Error(StoreErrorKind.QuotaExceeded, doing, $"{Server} has no space left", answer),
        HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
        HttpStatusCode.NotImplemented => Error(StoreErrorKind.Rejected, doing, $"{Server} does not support this ({said})", answer),
        >= HttpStatusCode.InternalServerError => Error(StoreErrorKind.Unavailable, doing, $"{Server} answered {said}", answer),
        _ => Error(StoreErrorKind.Rejected, doing, $"{Server} answered {said}: {answer.Message}", answer),
    };
}
