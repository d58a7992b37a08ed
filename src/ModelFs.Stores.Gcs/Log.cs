using Microsoft.Extensions.Logging;

namespace ModelFs.Stores.Gcs;

/// <summary>What the Google Cloud Storage store tells its operator.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "gs://{Bucket} at {Server}: credentials from {Source}")]
    internal static partial void Connected(ILogger logger, string bucket, string server, string source);

    [LoggerMessage(2, LogLevel.Information, "Created the bucket gs://{Bucket} in project {Project}")]
    internal static partial void BucketCreated(ILogger logger, string bucket, string project);

    [LoggerMessage(3, LogLevel.Warning, "gs://{Bucket}: the upload of {Key} broke off after byte {Sent} and is resumed: {Reason}")]
    internal static partial void UploadResumed(ILogger logger, string bucket, string key, long sent, string reason);

    [LoggerMessage(4, LogLevel.Information, "gs://{Bucket}: the unfinished upload of {Key} could not be cancelled and expires within a week: {Reason}")]
    internal static partial void CancelFailed(ILogger logger, string bucket, string key, string reason);

    [LoggerMessage(6, LogLevel.Information, "gs://{Bucket}: conditions that the server was seen to keep: {Proof}")]
    internal static partial void ConditionsProven(ILogger logger, string bucket, GcsConditionProof proof);

    [LoggerMessage(7, LogLevel.Warning, "gs://{Bucket}: {Key}, made to find out which conditions the server keeps, could not be removed; it is no model and can be deleted: {Reason}")]
    internal static partial void ProbeNotRemoved(ILogger logger, string bucket, string key, string reason);

    [LoggerMessage(5, LogLevel.Information, "gs://{Bucket}: the token was refused and is requested anew")]
    internal static partial void TokenRenewed(ILogger logger, string bucket);
}
