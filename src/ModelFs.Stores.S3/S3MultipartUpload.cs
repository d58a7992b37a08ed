using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>The steps of an upload in parts, short of its completion.</summary>
/// <param name="connection">To the server.</param>
internal sealed class S3MultipartUpload(S3Connection connection)
{
    private const int AttemptsMax = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private S3Settings Settings => connection.Settings;

    private readonly S3Bridge _bridge = new(connection);

    /// <summary>Whether parts may be put together first (<see cref="PlannedPart.Pieces"/>).</summary>
    internal bool CanBridge => _bridge.IsAllowed;

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

        // Bridges take the most turns, and are begun first; the server copies the rest meanwhile.
        await Parallel.ForEachAsync(
            plan.OrderBy(part => part.Pieces.Count == 0),
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
                    ? await connection.CopyPartAsync(key, upload, part.Number, CopySource.Of(content.Source!, sourceOffset, part.Length), cancellationToken).ConfigureAwait(false)
                    : part.Pieces.Count > 0 ? await BridgeAsync(key, upload, content, part, cancellationToken).ConfigureAwait(false)
                    : await connection.SendBodyAsync(inChunks => connection.SendPartAsync(key, upload, content, part, inChunks, cancellationToken)).ConfigureAwait(false);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable && attempt < AttemptsMax)
            {
                Log.PartRepeated(connection.Logger, Settings.Bucket, part.Number, key, failure.Message);
                await Task.Delay(FirstPause * Math.Pow(2, attempt - 1), connection.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<PartETag> BridgeAsync(string key, string upload, IPublishContent content, PlannedPart part, CancellationToken cancellationToken)
    {
        if (await _bridge.TryCopyAsync(key, upload, content, part, cancellationToken).ConfigureAwait(false) is { } copied)
        {
            return copied;
        }

        // Its beginning is read from the server instead, and sent back.
        return await connection.SendBodyAsync(inChunks => connection.SendPartAsync(key, upload, content, part, inChunks, cancellationToken)).ConfigureAwait(false);
    }
}
