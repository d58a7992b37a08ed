using Amazon.S3.Model;
using ModelFs.Models;

namespace ModelFs.Stores.S3;

/// <summary>
/// Finds out which conditions a server keeps, by requests that it must refuse: on a hidden object below the store's prefix, which is no
/// model and is removed again.
/// </summary>
/// <param name="connection">To the server.</param>
internal sealed class S3ConditionProbe(S3Connection connection)
{
    /// <summary>Names that begin so are the store's own and never listed.</summary>
    internal const string OwnPrefix = ".modelfs-";

    private const string ProbePrefix = OwnPrefix + "probe-";
    private const string Doing = "finding out which conditions the server keeps";

    /// <summary>An ETag that no object has.</summary>
    private static readonly StoreRevision Wrong = new("00000000000000000000000000000000");

    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(1);

    private readonly string _key = connection.Settings.Prefix + ProbePrefix + Guid.NewGuid().ToString("N");
    private readonly List<string> _versions = [];
    private readonly List<string> _uploads = [];
    private bool _wantsBareETags;
    private bool _refusesMatches;

    private string Bucket => connection.Settings.Bucket;

    /// <summary>Asks the server.</summary>
    /// <exception cref="StoreException">It could not be asked; nothing is known.</exception>
    internal async Task<S3ConditionProof> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Who may not delete could not clean up: then nothing is written, and conditions count as weak.
            await DeleteAsync(_key, SentCondition.Nothing, cancellationToken).ConfigureAwait(false);
            await RemoveLeftoversAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.AccessDenied or StoreErrorKind.Rejected)
        {
            return S3ConditionProof.Weak;
        }

        try
        {
            return await AskAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.AccessDenied or StoreErrorKind.Rejected)
        {
            return S3ConditionProof.Weak;
        }
        finally
        {
            await CleanUpAsync().ConfigureAwait(false);
        }
    }

    private async Task<S3ConditionProof> AskAsync(CancellationToken cancellationToken)
    {
        string etag;
        try
        {
            etag = await PutAsync(SentCondition.Of(PublishCondition.Absent, bare: false), cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (S3Conditions.IsNotImplemented(failure))
        {
            return S3ConditionProof.Weak with { RefusesConditions = true };
        }

        var putCreate = await IsRefusedAsync(() => PutAsync(SentCondition.Of(PublishCondition.Absent, bare: false), cancellationToken)).ConfigureAwait(false);
        var putReplace = await PutReplaceAsync(etag, cancellationToken).ConfigureAwait(false);
        var completeCreate = await IsRefusedAsync(() => CompleteAsync(PublishCondition.Absent, cancellationToken)).ConfigureAwait(false);
        var completeReplace = !_refusesMatches && await IsRefusedAsync(() => CompleteAsync(PublishCondition.Matches(Wrong), cancellationToken)).ConfigureAwait(false);
        var delete = !_refusesMatches
            && await IsRefusedAsync(() => DeleteAsync(_key, SentCondition.Of(PublishCondition.Matches(Wrong), _wantsBareETags), cancellationToken)).ConfigureAwait(false);
        return new S3ConditionProof(
            Name(putCreate), Name(putReplace), Name(completeCreate), Name(completeReplace), Name(delete), _wantsBareETags, _refusesMatches, RefusesConditions: false);
    }

    private static ConditionSupport Name(bool isRefused) => isRefused ? ConditionSupport.Atomic : ConditionSupport.CheckedBefore;

    /// <summary>A right ETag must be accepted, with quotes or without, and a wrong one of the same form refused.</summary>
    private async Task<bool> PutReplaceAsync(string etag, CancellationToken cancellationToken)
    {
        var right = PublishCondition.Matches(S3Store.RevisionOf(etag));
        if (await IsRefusedAsync(() => PutAsync(SentCondition.Of(right, bare: false), cancellationToken)).ConfigureAwait(false))
        {
            if (await IsRefusedAsync(() => PutAsync(SentCondition.Of(right, bare: true), cancellationToken)).ConfigureAwait(false))
            {
                _refusesMatches = true;
                return false;
            }

            _wantsBareETags = true;
        }

        return await IsRefusedAsync(() => PutAsync(SentCondition.Of(PublishCondition.Matches(Wrong), _wantsBareETags), cancellationToken)).ConfigureAwait(false);
    }

    private static async Task<bool> IsRefusedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            await call().ConfigureAwait(false);
            return false;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed)
        {
            return true;
        }
        catch (StoreException failure) when (S3Conditions.IsNotImplemented(failure))
        {
            return false;
        }
    }

    private async Task<string> PutAsync(SentCondition condition, CancellationToken cancellationToken)
    {
        var request = new PutObjectRequest
        {
            BucketName = Bucket,
            Key = _key,
            ContentBody = "ModelFs finds out which conditions this server keeps. This object can be deleted.",
            UseChunkEncoding = false,
            IfNoneMatch = condition.IfNoneMatch,
            IfMatch = condition.IfMatch,
            RequestPayer = connection.Payer,
        };
        S3Publisher.Encrypt(request, connection.Settings);
        var response = await connection.CallAsync((client, deadline) => client.PutObjectAsync(request, deadline.Token), Doing, cancellationToken).ConfigureAwait(false);
        Note(response.VersionId);
        return response.ETag;
    }

    private async Task<string?> CompleteAsync(PublishCondition condition, CancellationToken cancellationToken)
    {
        var begin = new InitiateMultipartUploadRequest { BucketName = Bucket, Key = _key, RequestPayer = connection.Payer };
        S3MultipartUpload.Encrypt(begin, connection.Settings);
        var upload = (await connection.CallAsync((client, deadline) => client.InitiateMultipartUploadAsync(begin, deadline.Token), Doing, cancellationToken).ConfigureAwait(false)).UploadId;
        _uploads.Add(upload);
        using var body = new MemoryStream([1]);
        var send = new UploadPartRequest { BucketName = Bucket, Key = _key, UploadId = upload, PartNumber = 1, PartSize = 1, InputStream = body, UseChunkEncoding = false, RequestPayer = connection.Payer };
        var part = await connection.CallAsync((client, deadline) => client.UploadPartAsync(send, deadline.Token), Doing, cancellationToken).ConfigureAwait(false);
        var sent = SentCondition.Of(condition, _wantsBareETags);
        var complete = new CompleteMultipartUploadRequest
        {
            BucketName = Bucket,
            Key = _key,
            UploadId = upload,
            PartETags = [new PartETag(1, part.ETag)],
            IfNoneMatch = sent.IfNoneMatch,
            IfMatch = sent.IfMatch,
            RequestPayer = connection.Payer,
        };
        var response = await connection.CallAsync((client, deadline) => client.CompleteMultipartUploadAsync(complete, deadline.Token), Doing, cancellationToken).ConfigureAwait(false);
        _uploads.Remove(upload);
        Note(response.VersionId);
        return response.ETag;
    }

    private async Task<bool> DeleteAsync(string key, SentCondition condition, CancellationToken cancellationToken, string? version = null)
    {
        var request = new DeleteObjectRequest { BucketName = Bucket, Key = key, VersionId = version, IfMatch = condition.IfMatch, RequestPayer = connection.Payer };
        var response = await connection.CallAsync((client, deadline) => client.DeleteObjectAsync(request, deadline.Token), Doing, cancellationToken).ConfigureAwait(false);
        if (version is null)
        {
            Note(response.VersionId);
        }

        return true;
    }

    private void Note(string? version)
    {
        if (!string.IsNullOrEmpty(version) && version != "null")
        {
            _versions.Add(version);
        }
    }

    /// <summary>Removes what a daemon that died in the middle of its probe, or of a bridge, left.</summary>
    private async Task RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = Bucket, Prefix = connection.Settings.Prefix + OwnPrefix, RequestPayer = connection.Payer };
        var page = await connection.CallAsync((client, deadline) => client.ListObjectsV2Async(request, deadline.Token), Doing, cancellationToken).ConfigureAwait(false);
        var old = connection.Options.TimeProvider.GetUtcNow().UtcDateTime - LeftoverAge;
        foreach (var left in page.S3Objects ?? [])
        {
            if (left.LastModified?.ToUniversalTime() < old)
            {
                await DeleteAsync(left.Key, SentCondition.Nothing, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Never throws; what stays is removed by a later probe. In a bucket with versions the probe's own go, too.</summary>
    private async Task CleanUpAsync()
    {
        try
        {
            foreach (var upload in _uploads)
            {
                var abort = new AbortMultipartUploadRequest { BucketName = Bucket, Key = _key, UploadId = upload, RequestPayer = connection.Payer };
                await connection.CallAsync((client, deadline) => client.AbortMultipartUploadAsync(abort, deadline.Token), Doing, CancellationToken.None).ConfigureAwait(false);
            }

            await DeleteAsync(_key, SentCondition.Nothing, CancellationToken.None).ConfigureAwait(false);
            foreach (var version in _versions)
            {
                await DeleteAsync(_key, SentCondition.Nothing, CancellationToken.None, version).ConfigureAwait(false);
            }
        }
        catch (StoreException failure)
        {
            Log.ProbeNotRemoved(connection.Logger, Bucket, _key, failure.Message);
        }
    }
}
