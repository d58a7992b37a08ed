using Microsoft.Extensions.Logging;

namespace ModelFs.Stores.S3;

/// <summary>What the S3 store tells its operator.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "s3://{Bucket} in region {Region}: credentials from {Source}")]
    internal static partial void Connected(ILogger logger, string bucket, string region, string source);

    [LoggerMessage(2, LogLevel.Information, "Created the bucket s3://{Bucket}")]
    internal static partial void BucketCreated(ILogger logger, string bucket);

    [LoggerMessage(3, LogLevel.Warning, "s3://{Bucket}: part {Part} of {Key} is sent again: {Reason}")]
    internal static partial void PartRepeated(ILogger logger, string bucket, int part, string key, string reason);

    [LoggerMessage(4, LogLevel.Warning, "s3://{Bucket}: the unfinished upload of {Key} could not be removed; a lifecycle rule AbortIncompleteMultipartUpload does: {Reason}")]
    internal static partial void AbortFailed(ILogger logger, string bucket, string key, string reason);

    [LoggerMessage(5, LogLevel.Information, "s3://{Bucket}: conditions that the server was seen to keep: {Proof}")]
    internal static partial void ConditionsProven(ILogger logger, string bucket, S3ConditionProof proof);

    [LoggerMessage(6, LogLevel.Warning, "s3://{Bucket}: {Key}, made to find out which conditions the server keeps, could not be removed; it is no model and can be deleted: {Reason}")]
    internal static partial void ProbeNotRemoved(ILogger logger, string bucket, string key, string reason);

    [LoggerMessage(7, LogLevel.Warning, "s3://{Bucket}: the server does not copy parts, archives are sent whole from now on: {Reason}")]
    internal static partial void PartCopyRefused(ILogger logger, string bucket, string reason);

    [LoggerMessage(8, LogLevel.Warning, "s3://{Bucket}: the upload of {Key} broke {Times} times; it goes in parts now, of which this server checks the condition only just before")]
    internal static partial void GoesInParts(ILogger logger, string bucket, string key, int times);

    [LoggerMessage(9, LogLevel.Warning, "s3://{Bucket}: parts can't be put together in hidden objects ({Prefix}…), small changes send more from now on: {Reason}")]
    internal static partial void BridgeRefused(ILogger logger, string bucket, string prefix, string reason);

    [LoggerMessage(10, LogLevel.Warning, "s3://{Bucket}: {Key}, of which a part of an archive was made, could not be removed; it is no model and can be deleted: {Reason}")]
    internal static partial void BridgeNotRemoved(ILogger logger, string bucket, string key, string reason);
}
