using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>The steps of an upload in parts, short of its completion.</summary>
/// <param name="connection">To the server.</param>
internal sealed class S3MultipartUpload(S3Connection connection)
{
    private const int PartsMax = 10_000;
    private const int AttemptsMax = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private S3Settings Settings => connection.Settings;

    /// <summary>Begins the upload.</summary>
    /// <returns>Its id.</returns>
    internal async Task<string> BeginAsync(string key, CancellationToken cancellationToken)
    {
        var request = new InitiateMultipartUploadRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, RequestPayer = connection.Payer };
        if (Settings.Encryption is not null)
        {
            request.ServerSideEncryptionMethod = new ServerSideEncryptionMethod(Settings.Encryption);
            request.ServerSideEncryptionKeyManagementServiceKeyId = Settings.EncryptionKey;
        }

        if (Settings.StorageClass is not null)
        {
            request.StorageClass = new S3StorageClass(Settings.StorageClass);
        }

        return (await connection.CallAsync((client, deadline) => client.InitiateMultipartUploadAsync(request, deadline.Token), $"publishing {key}", cancellationToken).ConfigureAwait(false)).UploadId;
    }

    /// <summary>Sends all parts, several at once.</summary>
    internal async Task<List<PartETag>> SendPartsAsync(string key, string upload, IPublishContent content, CancellationToken cancellationToken)
    {
        var partBytes = PartBytes(content.Length);
        var count = (int)((content.Length + partBytes - 1) / partBytes);
        var parts = new ConcurrentBag<PartETag>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = connection.Options.StreamsMax, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            parallel,
            async (index, token) =>
            {
                var offset = index * partBytes;
                parts.Add(await SendAsync(key, upload, content, index + 1, offset, Math.Min(partBytes, content.Length - offset), token).ConfigureAwait(false));
            }).ConfigureAwait(false);
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

    /// <summary>The configured size, or whole MiB enough that the parts do not exceed their number.</summary>
    private long PartBytes(long length)
    {
        const long Step = 1 << 20;
        var needed = (length + PartsMax - 1) / PartsMax;
        return Math.Max(connection.Options.UploadPartBytes, (needed + Step - 1) / Step * Step);
    }

    /// <summary>A part is sent a few times before the whole upload is given up: hours of sent parts are worth it.</summary>
    private async Task<PartETag> SendAsync(string key, string upload, IPublishContent content, int number, long offset, long length, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SendOnceAsync(key, upload, content, number, offset, length, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable && attempt < AttemptsMax)
            {
                Log.PartRepeated(connection.Logger, Settings.Bucket, number, key, failure.Message);
                await Task.Delay(FirstPause * Math.Pow(2, attempt - 1), connection.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private Task<PartETag> SendOnceAsync(string key, string upload, IPublishContent content, int number, long offset, long length, CancellationToken cancellationToken) =>
        connection.CallAsync(
            async (client, deadline) =>
            {
                using var body = new UploadStream(content, offset, length, deadline);
                var request = new UploadPartRequest
                {
                    BucketName = Settings.Bucket,
                    Key = Settings.Prefix + key,
                    UploadId = upload,
                    PartNumber = number,
                    PartSize = length,
                    InputStream = body,
                    DisablePayloadSigning = connection.LeavesBodyUnsigned ? true : null,
                    RequestPayer = connection.Payer,
                };
                var response = await client.UploadPartAsync(request, deadline.Token).ConfigureAwait(false);
                return new PartETag(number, response.ETag);
            },
            $"publishing {key}",
            cancellationToken);
}
