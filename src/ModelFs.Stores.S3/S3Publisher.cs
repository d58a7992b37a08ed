using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>
/// Uploads an archive under a condition, in the way that keeps the condition best: by one request, or in parts, of which the server copies
/// those that it has already.
/// </summary>
/// <param name="connection">To the server.</param>
/// <param name="conditions">Sends and checks the condition.</param>
/// <param name="statAsync">Looks a key up.</param>
internal sealed class S3Publisher(S3Connection connection, S3Conditions conditions, Func<string, CancellationToken, Task<StoredObject?>> statAsync)
{
    /// <summary>AWS may take minutes to put many parts together.</summary>
    private const int CompletePatience = 8;

    /// <summary>The protocol's limit of an upload by one request.</summary>
    private const long PutBytesMax = 5L << 30;

    /// <summary>So often a large upload by one request may break before it goes in parts, which are repeated one by one.</summary>
    private const int BrokenPutsMax = 2;

    private readonly S3MultipartUpload _multipart = new(connection);
    private readonly ConcurrentDictionary<string, int> _brokenPuts = new(StringComparer.Ordinal);
    private volatile bool _canCopyParts = true;

    /// <summary>Whether the server is asked to copy parts; false once it has refused.</summary>
    internal bool CanCopyParts => _canCopyParts;

    private S3Settings Settings => connection.Settings;

    private StoreOptions Options => connection.Options;

    /// <summary>Publishes as <see cref="IModelStore.PublishAsync"/> says.</summary>
    internal async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        var doing = $"publishing {key}";
        if (condition != PublishCondition.None)
        {
            await conditions.ProveAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            var etag = await SendAsync(key, content, condition, doing, cancellationToken).ConfigureAwait(false);
            return await ConfirmAsync(key, content, etag, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.RevisionChanged)
        {
            // The segments' source was replaced; where the condition names it, this is what the caller wants to know.
            await conditions.RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks for the encryption that the store's address names.</summary>
    internal static void Encrypt(PutObjectRequest request, S3Settings settings)
    {
        if (settings.Encryption is not null)
        {
            request.ServerSideEncryptionMethod = new ServerSideEncryptionMethod(settings.Encryption);
            request.ServerSideEncryptionKeyManagementServiceKeyId = settings.EncryptionKey;
        }
    }

    private async Task<string?> SendAsync(string key, IPublishContent content, PublishCondition condition, string doing, CancellationToken cancellationToken)
    {
        var putKeeps = conditions.Proof.PutKeeps(condition);
        var isSmall = content.Length <= Options.SingleUploadBytesMax;
        if (!isSmall || !putKeeps)
        {
            // Nobody wants to send gigabytes for a condition that does not hold; and where the server checks nothing, this is the check.
            await conditions.RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
        }

        var partsKeep = conditions.Proof.CompleteKeeps(condition);
        if (Composed(content) is { } plan && (!isSmall || partsKeep))
        {
            try
            {
                return await InPartsAsync(key, content, plan, condition, doing, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.RevisionChanged || (failure.Kind == StoreErrorKind.Rejected && failure.InnerException is AmazonS3Exception))
            {
                if (failure.Kind == StoreErrorKind.RevisionChanged
                    && (await statAsync(content.Source!.Key, cancellationToken).ConfigureAwait(false))?.Revision != content.Source.Revision)
                {
                    throw;
                }

                // The server has no copies of parts, or (OpenStack Swift) can't pin them to the ETag of an object that was made of parts.
                Log.PartCopyRefused(connection.Logger, Settings.Bucket, failure.Message);
                _canCopyParts = false;
            }
        }

        return isSmall ? await PutAsync(key, content, condition, doing, cancellationToken).ConfigureAwait(false)
            : putKeeps && !partsKeep && content.Length <= PutBytesMax && _brokenPuts.GetValueOrDefault(key) < BrokenPutsMax
                ? await PutLargeAsync(key, content, condition, doing, cancellationToken).ConfigureAwait(false)
            : await InPartsAsync(key, content, PartPlan.Make(content.Length, [], Options.UploadPartBytes), condition, doing, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Parts of which the server copies some, if that saves a part's worth of bytes; otherwise null.</summary>
    private List<PlannedPart>? Composed(IPublishContent content)
    {
        if (!_canCopyParts || content.Source is null || content.Segments.Count == 0)
        {
            return null;
        }

        var plan = PartPlan.Make(content.Length, content.Segments, Options.UploadPartBytes, _multipart.CanBridge);
        return plan.Sum(part => part.Length - part.BytesSent) >= Options.UploadPartBytes ? plan : null;
    }

    /// <summary>By one request although it is large, because this server keeps conditions of such a request only.</summary>
    private async Task<string?> PutLargeAsync(string key, IPublishContent content, PublishCondition condition, string doing, CancellationToken cancellationToken)
    {
        try
        {
            var etag = await PutAsync(key, content, condition, doing, cancellationToken).ConfigureAwait(false);
            _brokenPuts.TryRemove(key, out _);
            return etag;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable)
        {
            if (_brokenPuts.AddOrUpdate(key, 1, (_, count) => count + 1) == BrokenPutsMax)
            {
                Log.GoesInParts(connection.Logger, Settings.Bucket, key, BrokenPutsMax);
            }

            throw;
        }
    }

    private Task<string?> PutAsync(string key, IPublishContent content, PublishCondition condition, string doing, CancellationToken cancellationToken) =>
        conditions.SendAsync(key, condition, doing, sent => connection.SendBodyAsync(inChunks => PutOnceAsync(key, content, sent, inChunks, cancellationToken)), cancellationToken);

    private async Task<string?> PutOnceAsync(string key, IPublishContent content, SentCondition condition, bool inChunks, CancellationToken cancellationToken) =>
        await connection.CallAsync(
            async (client, deadline) =>
            {
                var source = connection.MustHold(content, content.Length, inChunks) ? await HeldContent.ReadAsync(content, 0, content.Length, deadline).ConfigureAwait(false) : content;
                using var body = new UploadStream(source, 0, content.Length, deadline);
                var request = new PutObjectRequest
                {
                    BucketName = Settings.Bucket,
                    Key = Settings.Prefix + key,
                    InputStream = body,
                    AutoCloseStream = false,
                    UseChunkEncoding = inChunks,
                    DisablePayloadSigning = connection.LeavesBodyUnsigned ? true : null,
                    IfNoneMatch = condition.IfNoneMatch,
                    IfMatch = condition.IfMatch,
                    RequestPayer = connection.Payer,
                };
                Encrypt(request, Settings);
                if (Settings.StorageClass is not null)
                {
                    request.StorageClass = new S3StorageClass(Settings.StorageClass);
                }

                return (await client.PutObjectAsync(request, deadline.Token).ConfigureAwait(false)).ETag;
            },
            $"publishing {key}",
            cancellationToken).ConfigureAwait(false);

    private async Task<string?> InPartsAsync(
        string key, IPublishContent content, List<PlannedPart> plan, PublishCondition condition, string doing, CancellationToken cancellationToken)
    {
        var upload = await _multipart.BeginAsync(key, cancellationToken).ConfigureAwait(false);
        try
        {
            var parts = await _multipart.SendPartsAsync(key, upload, content, plan, cancellationToken).ConfigureAwait(false);
            if (!conditions.Proof.CompleteKeeps(condition))
            {
                // The upload took its time, and this server does not look at the condition: look again, just before.
                await conditions.RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            }

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
            ? new StoredObject(key, revision, content.Length, Options.TimeProvider.GetUtcNow())
            : throw connection.Errors.Error(StoreErrorKind.PreconditionFailed, $"publishing {key}", "another version replaced it at once");
    }
}
