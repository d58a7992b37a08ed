using System.Net;

namespace ModelFs.Stores.Gcs;

/// <summary>An answer of the server other than success.</summary>
/// <param name="status">Of the answer.</param>
/// <param name="reason">The server's own word for it, for example <c>rateLimitExceeded</c>; empty if it gave none.</param>
/// <param name="message">The server's sentence, or that of the status.</param>
internal sealed class GcsAnswerException(HttpStatusCode status, string reason, string message) : Exception(message)
{
    internal HttpStatusCode Status => status;

    internal string Reason => reason;

    /// <summary>Whether the bucket, and not an object in it, is missing.</summary>
    internal bool IsOfBucket => status == HttpStatusCode.NotFound && Message.Contains("bucket", StringComparison.OrdinalIgnoreCase) && !Message.StartsWith("No such object", StringComparison.OrdinalIgnoreCase);
}
