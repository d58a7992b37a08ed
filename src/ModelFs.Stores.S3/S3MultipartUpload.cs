using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>The steps of an upload in parts, short of its completion.</summary>
/// <param name="connection">To the server.</param>
internal sealed class S3MultipartUpload(S3Connection connection)
{
    private const int AttemptsMax = 3;

    /// <summary>A server copies a part before it answers.</summary>
    private const int CopyPatience = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private S3Settings Settings => connection.Settings;

    /// <summary>Begins the upload.</summary>
    /// <returns>Its id.</returns>
    internal async Task<string> BeginAsync(string key, CancellationToken cancellationToken)
    {
        var request = new InitiateMultipartUploadRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, RequestPayer = connection.Payer };
        Encrypt(request, Settings);
        if (Settings.StorageClass is not null)
        {
            request.StorageClass = new S3StorageClass(Settings.StorageClass);
        }

        return (await connection.CallAsync((client, deadline) => client.InitiateMultipartUploadAsync(request, deadline.Token), $"publishing {key}", cancellationToken).ConfigureAwait(false)).UploadId;
    }

    /// <summary>Asks for the encryption that the store's address names.</summary>
    internal static void Encrypt(InitiateMultipartUploadRequest request, S3Settings settings)
    {
        if (settings.Encryption is not null)
        {
            request.ServerSideEncryptionMethod = new ServerSideEncryptionMethod(settings.Encryption);
            request.ServerSideEncryptionKeyManagementServiceKeyId = settings.EncryptionKey;
        }
    }

    /// <summary>Sends or copies all parts, several at once.</summary>
    internal async Task<List<PartETag>> SendPartsAsync(string key, string upload, IPublishContent content, IEnumerable<PlannedPart> plan, CancellationToken cancellationToken)
    {
        var parts = new ConcurrentBag<PartETag>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = connection.Options.StreamsMax, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            plan,
            parallel,
            async (part, token) => parts.Add(await SendAsync(key, upload, content, part, token).ConfigureAwait(false))).ConfigureAwait(false);
        return [.. parts.OrderBy(part => part.PartNumber)];
    }

    /// <summary>Removes what was sent; never throws, for it runs when something failed already.</summary>
    internal async Task AbortAsync(string key, string upload)
    {
        var request = new AbortMultipartUploadRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, UploadId = upload, RequestPayer = connection.Payer };
        try
        {
            await connection.CallAsync((client, deadline) => client.AbortMultipartUploadAsync(request, deadline.Token), $"aborting the upload of {key}", CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException failure)
        {
            Log.AbortFailed(connection.Logger, Settings.Bucket, key, failure.Message);
        }
    }

    /// <summary>A part is sent a few times before the whole upload is given up: hours of sent parts are worth it.</summary>
    private async Task<PartETag> SendAsync(string key, string upload, IPublishContent content, PlannedPart part, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return part.SourceOffset is { } sourceOffset
                    ? await CopyOnceAsync(key, upload, content.Source!, part, sourceOffset, cancellationToken).ConfigureAwait(false)
                    : await connection.SendBodyAsync(inChunks => SendOnceAsync(key, upload, content, part, inChunks, cancellationToken)).ConfigureAwait(false);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable && attempt < AttemptsMax)
            {
                Log.PartRepeated(connection.Logger, Settings.Bucket, part.Number, key, failure.Message);
                await Task.Delay(FirstPause * Math.Pow(2, attempt - 1), connection.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private Task<PartETag> SendOnceAsync(string key, string upload, IPublishContent content, PlannedPart part, bool inChunks, CancellationToken cancellationToken) =>
        connection.CallAsync(
            async (client, deadline) =>
            {
                var source = connection.MustHold(content, part.Length, inChunks) ? await HeldContent.ReadAsync(content, part.Offset, part.Length, deadline).ConfigureAwait(false) : content;
                using var body = new UploadStream(source, part.Offset, part.Length, deadline);
                var request = new UploadPartRequest
                {
                    BucketName = Settings.Bucket,
                    Key = Settings.Prefix + key,
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

    private async Task<PartETag> CopyOnceAsync(string key, string upload, StoredObject source, PlannedPart part, long sourceOffset, CancellationToken cancellationToken)
    {
        var doing = $"publishing {key}";
        var request = new CopyPartRequest
        {
            SourceBucket = Settings.Bucket,
            SourceKey = Settings.Prefix + source.Key,
            DestinationBucket = Settings.Bucket,
            DestinationKey = Settings.Prefix + key,
            UploadId = upload,
            PartNumber = part.Number,
            FirstByte = sourceOffset,
            LastByte = sourceOffset + part.Length - 1,
            ETagToMatch = [$"\"{source.Revision.Value}\""],
            RequestPayer = connection.Payer,
        };
        try
        {
            var response = await connection.CallAsync((client, deadline) => client.CopyPartAsync(request, deadline.Token), doing, cancellationToken, CopyPatience).ConfigureAwait(false);

            // A copy that fails after its answer began is told inside of an answer of success.
            return string.IsNullOrEmpty(response.ETag)
                ? throw connection.Errors.Error(StoreErrorKind.Unavailable, doing, $"the server gave no ETag for the copied part {part.Number}")
                : new PartETag(part.Number, response.ETag);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.PreconditionFailed or StoreErrorKind.NotFound)
        {
            throw connection.Errors.Error(StoreErrorKind.RevisionChanged, doing, $"revision {source.Revision} of {source.Key}, of which parts stay, was replaced or deleted", failure);
        }
    }
}
