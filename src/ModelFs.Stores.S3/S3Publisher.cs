using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>Uploads an archive under a condition: small ones by one request, larger ones in parts.</summary>
/// <param name="connection">To the server.</param>
/// <param name="conditions">Sends and checks the condition.</param>
/// <param name="statAsync">Looks a key up.</param>
internal sealed class S3Publisher(S3Connection connection, S3Conditions conditions, Func<string, CancellationToken, Task<StoredObject?>> statAsync)
{
    /// <summary>AWS may take minutes to put many parts together.</summary>
    private const int CompletePatience = 8;

    private readonly S3MultipartUpload _multipart = new(connection);

    private S3Settings Settings => connection.Settings;

    /// <summary>Publishes as <see cref="IModelStore.PublishAsync"/> says.</summary>
    internal async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        var doing = $"publishing {key}";
        await conditions.RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
        var etag = content.Length <= connection.Options.SingleUploadBytesMax
            ? await conditions.SendAsync(key, condition, doing, sent => PutAsync(key, content, sent, cancellationToken), cancellationToken).ConfigureAwait(false)
            : await InPartsAsync(key, content, condition, doing, cancellationToken).ConfigureAwait(false);
        return await ConfirmAsync(key, content, etag, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string?> PutAsync(string key, IPublishContent content, SentCondition condition, CancellationToken cancellationToken) =>
        await connection.CallAsync(
            async (client, deadline) =>
            {
                using var body = new UploadStream(content, 0, content.Length, deadline);
                var request = new PutObjectRequest
                {
                    BucketName = Settings.Bucket,
                    Key = Settings.Prefix + key,
                    InputStream = body,
                    AutoCloseStream = false,
                    DisablePayloadSigning = connection.LeavesBodyUnsigned ? true : null,
                    IfNoneMatch = condition.IfNoneMatch,
                    IfMatch = condition.IfMatch,
                    RequestPayer = connection.Payer,
                };
                if (Settings.Encryption is not null)
                {
                    request.ServerSideEncryptionMethod = new ServerSideEncryptionMethod(Settings.Encryption);
                    request.ServerSideEncryptionKeyManagementServiceKeyId = Settings.EncryptionKey;
                }

                if (Settings.StorageClass is not null)
                {
                    request.StorageClass = new S3StorageClass(Settings.StorageClass);
                }

                return (await client.PutObjectAsync(request, deadline.Token).ConfigureAwait(false)).ETag;
            },
            $"publishing {key}",
            cancellationToken).ConfigureAwait(false);

    private async Task<string?> InPartsAsync(string key, IPublishContent content, PublishCondition condition, string doing, CancellationToken cancellationToken)
    {
        var upload = await _multipart.BeginAsync(key, cancellationToken).ConfigureAwait(false);
        try
        {
            var parts = await _multipart.SendPartsAsync(key, upload, content, cancellationToken).ConfigureAwait(false);

            // The upload took its time, and some servers ignore conditions here: look again.
            await conditions.RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            return await conditions.SendAsync(key, condition, doing, sent => CompleteAsync(key, upload, parts, sent, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await _multipart.AbortAsync(key, upload).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<string?> CompleteAsync(string key, string upload, List<PartETag> parts, SentCondition condition, CancellationToken cancellationToken)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = Settings.Bucket,
            Key = Settings.Prefix + key,
            UploadId = upload,
            PartETags = parts,
            IfNoneMatch = condition.IfNoneMatch,
            IfMatch = condition.IfMatch,
            RequestPayer = connection.Payer,
        };
        var response = await connection.CallAsync(
            (client, deadline) => client.CompleteMultipartUploadAsync(request, deadline.Token), $"publishing {key}", cancellationToken, CompletePatience).ConfigureAwait(false);
        return response.ETag;
    }

    /// <summary>Asks for the time, and for the ETag where the answer to the upload has none.</summary>
    private async Task<StoredObject> ConfirmAsync(string key, IPublishContent content, string? etag, CancellationToken cancellationToken)
    {
        var current = await statAsync(key, cancellationToken).ConfigureAwait(false);
        var revision = S3Store.RevisionOf(etag);
        var isOurs = current is not null && (revision.Value.Length == 0 ? current.Length == content.Length : current.Revision == revision);
        if (isOurs)
        {
            return current!;
        }

        // Somebody published in between; ours was there, and its revision is known unless the server kept it to itself.
        return revision.Value.Length > 0
            ? new StoredObject(key, revision, content.Length, connection.Options.TimeProvider.GetUtcNow())
            : throw connection.Errors.Error(StoreErrorKind.PreconditionFailed, $"publishing {key}", "another version replaced it at once");
    }
}
