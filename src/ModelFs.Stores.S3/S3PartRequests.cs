using Amazon.S3.Model;
using ModelFs.Models;

namespace ModelFs.Stores.S3;

/// <summary>The requests that give an upload one part. None is repeated here.</summary>
internal static class S3PartRequests
{
    /// <summary>A server copies a part before it answers.</summary>
    private const int CopyPatience = 4;

    /// <summary>Sends a part.</summary>
    /// <param name="connection">To the server.</param>
    /// <param name="key">That is uploaded.</param>
    /// <param name="upload">Its id.</param>
    /// <param name="content">Has the part's bytes.</param>
    /// <param name="part">Its number, and where it lies in the content.</param>
    /// <param name="inChunks">See <see cref="S3Connection.SendBodyAsync"/>.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    internal static Task<PartETag> SendPartAsync(
        this S3Connection connection, string key, string upload, IPublishContent content, PlannedPart part, bool inChunks, CancellationToken cancellationToken) =>
        connection.CallAsync(
            async (client, deadline) =>
            {
                var source = connection.MustHold(content, part.Length, inChunks) ? await HeldContent.ReadAsync(content, part.Offset, part.Length, deadline).ConfigureAwait(false) : content;
                using var body = new UploadStream(source, part.Offset, part.Length, deadline);
                var request = new UploadPartRequest
                {
                    BucketName = connection.Settings.Bucket,
                    Key = connection.Settings.Prefix + key,
                    UploadId = upload,
                    PartNumber = part.Number,
                    PartSize = part.Length,
                    InputStream = body,
                    UseChunkEncoding = inChunks,
                    DisablePayloadSigning = connection.LeavesBodyUnsigned ? true : null,
                    RequestPayer = connection.Payer,
                };
                var response = await client.UploadPartAsync(request, deadline.Token).ConfigureAwait(false);
                return new PartETag(part.Number, response.ETag);
            },
            $"publishing {key}",
            cancellationToken);

    /// <summary>Has the server copy a part.</summary>
    /// <param name="connection">To the server.</param>
    /// <param name="key">That is uploaded.</param>
    /// <param name="upload">Its id.</param>
    /// <param name="number">Of the part.</param>
    /// <param name="source">What is copied.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.RevisionChanged"/> when the source is not there any more, as it was.</exception>
    internal static async Task<PartETag> CopyPartAsync(
        this S3Connection connection, string key, string upload, int number, CopySource source, CancellationToken cancellationToken)
    {
        var doing = $"publishing {key}";
        var settings = connection.Settings;
        var request = new CopyPartRequest
        {
            SourceBucket = settings.Bucket,
            SourceKey = settings.Prefix + source.Key,
            DestinationBucket = settings.Bucket,
            DestinationKey = settings.Prefix + key,
            UploadId = upload,
            PartNumber = number,
            FirstByte = source.Offset,
            LastByte = source.Offset + source.Length - 1,
            ETagToMatch = source.Revision is { } revision ? [$"\"{revision.Value}\""] : null,
            RequestPayer = connection.Payer,
        };
        try
        {
            var response = await connection.CallAsync((client, deadline) => client.CopyPartAsync(request, deadline.Token), doing, cancellationToken, CopyPatience).ConfigureAwait(false);

            // A copy that fails after its answer began is told inside of an answer of success.
            return string.IsNullOrEmpty(response.ETag)
                ? throw connection.Errors.Error(StoreErrorKind.Unavailable, doing, $"the server gave no ETag for the copied part {number}")
                : new PartETag(number, response.ETag);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.PreconditionFailed or StoreErrorKind.NotFound)
        {
            throw connection.Errors.Error(StoreErrorKind.RevisionChanged, doing, $"revision {source.Revision} of {source.Key}, of which parts stay, was replaced or deleted", failure);
        }
    }
}

/// <summary>What the server copies.</summary>
/// <param name="Key">In the store.</param>
/// <param name="Revision">That it must still have; null for an object that nobody else knows.</param>
/// <param name="Offset">In bytes.</param>
/// <param name="Length">In bytes.</param>
internal readonly record struct CopySource(string Key, StoreRevision? Revision, long Offset, long Length)
{
    internal static CopySource Of(StoredObject source, long offset, long length) => new(source.Key, source.Revision, offset, length);
}
