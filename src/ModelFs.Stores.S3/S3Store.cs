using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;
using ModelFs.Models;

namespace ModelFs.Stores.S3;

/// <summary>A bucket, or a prefix of one, of any server that speaks S3.</summary>
/// <remarks>
/// A revision is the ETag without its quotes. Conditions are sent to the server, but servers exist that ignore them without an error:
/// each is also checked by a look-up before, and no more than that is promised.
/// </remarks>
public sealed class S3Store : IModelStore
{
    /// <summary>10,000 parts of 5 GiB would be more; this is the protocol's limit of one object.</summary>
    private const long ObjectBytesMax = 5L << 40;

    private readonly S3Connection _connection;
    private readonly S3Conditions _conditions;
    private readonly S3Publisher _publisher;
    private readonly StoreOptions _options;
    private volatile bool _isListingDenied;

    /// <summary>Makes the store without reaching it.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    public S3Store(S3Settings settings, StoreOptions options)
    {
        _options = options;
        _connection = new S3Connection(settings, options);
        _conditions = new S3Conditions(_connection, StatAsync);
        _publisher = new S3Publisher(_connection, _conditions, StatAsync);
        History = new S3History(_connection, _publisher, StatAsync);
    }

    /// <inheritdoc/>
    public string DisplayName => $"s3://{Settings.Bucket}/{Settings.Prefix}".TrimEnd('/');

    /// <inheritdoc/>
    public Uri? Server => Settings.Endpoint ?? new Uri($"https://s3.{Settings.Region ?? "us-east-1"}.amazonaws.com");

    /// <inheritdoc/>
    /// <remarks>Conditions are <see cref="ConditionSupport.Unproven"/> until <see cref="ProveConditionsAsync"/> or the first call that has one.</remarks>
    public StoreTraits Traits
    {
        get
        {
            var proof = _conditions.Proof;
            return new StoreTraits(proof.PutCreate, proof.PutReplace, proof.Delete, ObjectBytesMax, _options.StreamsMax)
            {
                InPartsCondition = (ConditionSupport)Math.Min((int)proof.CompleteCreate, (int)proof.CompleteReplace),
                Keeping = RevisionKeeping.Bucket,
                PartCopy = _publisher.CanCopyParts ? PartPlan.Limits : null,
            };
        }
    }

    /// <inheritdoc/>
    public IObjectHistory? History { get; }

    private S3Settings Settings => _connection.Settings;

    /// <inheritdoc/>
    /// <remarks>One listing of one key proves address, credentials and the right to read, without the rights that looking at the bucket itself takes.</remarks>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        _connection.RehearseRead();
        try
        {
            await ListPageAsync(null, 1, "opening", cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException missing) when (missing.Kind == StoreErrorKind.NotFound)
        {
            if (!_options.CreateIfMissing)
            {
                throw new StoreException(StoreErrorKind.NotFound, missing.Message + ", and creating it was refused", missing);
            }

            await CreateBucketAsync(cancellationToken).ConfigureAwait(false);
            await ListPageAsync(null, 1, "opening", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task ProveConditionsAsync(CancellationToken cancellationToken) => _conditions.ProveAsync(cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? continuation = null;
        do
        {
            var page = await ListPageAsync(continuation, 1000, "listing", cancellationToken).ConfigureAwait(false);
            foreach (var found in page.S3Objects ?? [])
            {
                if (found.Key.Length > Settings.Prefix.Length && !found.Key.AsSpan(Settings.Prefix.Length).StartsWith(S3ConditionProbe.OwnPrefix, StringComparison.Ordinal))
                {
                    yield return new StoredObject(found.Key[Settings.Prefix.Length..], RevisionOf(found.ETag), found.Size ?? 0, WholeSeconds(found.LastModified));
                }
            }

            continuation = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (continuation is not null);
    }

    /// <inheritdoc/>
    public async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        var request = new GetObjectMetadataRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, RequestPayer = _connection.Payer };
        try
        {
            var head = await _connection.CallAsync((client, deadline) => client.GetObjectMetadataAsync(request, deadline.Token), $"looking up {key}", cancellationToken).ConfigureAwait(false);
            return new StoredObject(key, RevisionOf(head.ETag), head.ContentLength, WholeSeconds(head.LastModified));
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return null;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.AccessDenied && _isListingDenied)
        {
            if (await IsDeniedAsync(key, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        if (length == 0)
        {
            // No range has no bytes; the pin is still kept.
            var current = await StatAsync(source.Key, cancellationToken).ConfigureAwait(false);
            return current?.Revision == source.Revision ? Stream.Null : throw Changed(source.Key, null);
        }

        var doing = $"reading {source.Key}";
        var bodyDeadline = new ProgressDeadline(_options.Deadlines.NoProgress, _options.TimeProvider, cancellationToken);
        GetObjectResponse? response = null;
        try
        {
            response = await _connection.CallAsync((client, _) => client.GetObjectAsync(RangeOf(source, offset, length), bodyDeadline.Token), doing, cancellationToken).ConfigureAwait(false);
            CheckRange(response, source, length, doing);
            bodyDeadline.Pause();
            return new S3ReadStream(response, length, bodyDeadline, _connection.Errors, doing);
        }
        catch (Exception exception)
        {
            response?.Dispose();
            bodyDeadline.Cancel();
            bodyDeadline.Dispose();
            if (exception is StoreException { Kind: StoreErrorKind.PreconditionFailed or StoreErrorKind.NotFound } failure)
            {
                throw Changed(source.Key, failure);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
        _publisher.PublishAsync(key, content, condition, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        var doing = $"deleting {key}";
        var condition = PublishCondition.None;
        if (ifRevision is { } wanted)
        {
            if (await StatAsync(key, cancellationToken).ConfigureAwait(false) is null)
            {
                return;
            }

            condition = PublishCondition.Matches(wanted);
            await _conditions.ProveAsync(cancellationToken).ConfigureAwait(false);
            await _conditions.RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await _conditions.SendAsync(key, condition, doing, sent => DeleteAsync(key, sent, doing, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            // What is not there needs no deleting.
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        _conditions.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static StoreRevision RevisionOf(string? etag) => new((etag ?? "").Trim('"'));

    private Task<DeleteObjectResponse> DeleteAsync(string key, SentCondition condition, string doing, CancellationToken cancellationToken)
    {
        var request = new DeleteObjectRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, IfMatch = condition.IfMatch, RequestPayer = _connection.Payer };
        return _connection.CallAsync((client, deadline) => client.DeleteObjectAsync(request, deadline.Token), doing, cancellationToken);
    }

    private GetObjectRequest RangeOf(StoredObject source, long offset, long length) => new()
    {
        BucketName = Settings.Bucket,
        Key = Settings.Prefix + source.Key,
        EtagToMatch = $"\"{source.Revision.Value}\"",
        ByteRange = new ByteRange(offset, offset + length - 1),
        RequestPayer = _connection.Payer,
    };

    /// <summary>A server may ignore what it does not know: the answer must be of the revision and the range that were asked for.</summary>
    private void CheckRange(GetObjectResponse response, StoredObject source, long length, string doing)
    {
        if (RevisionOf(response.ETag) != source.Revision)
        {
            throw Changed(source.Key, null);
        }

        if (response.ContentLength != length || (length != source.Length && response.HttpStatusCode != HttpStatusCode.PartialContent))
        {
            throw _connection.Errors.Error(StoreErrorKind.Rejected, doing, $"the server answered a range of {length} bytes with {(int)response.HttpStatusCode} and {response.ContentLength} bytes");
        }
    }

    private StoreException Changed(string key, Exception? inner) =>
        _connection.Errors.Error(StoreErrorKind.RevisionChanged, $"reading {key}", "it was replaced or deleted since it was looked up", inner);

    /// <summary>
    /// Whether a key is refused although the credentials are right: to who may not list, servers answer so for every key that is not there. A look-up's answer has
    /// no body that tells the reasons apart, that of a read has.
    /// </summary>
    private async Task<bool> IsDeniedAsync(string key, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, ByteRange = new ByteRange(0, 0), RequestPayer = _connection.Payer };
        try
        {
            using var found = await _connection.CallAsync((client, deadline) => client.GetObjectAsync(request, deadline.Token), $"looking up {key}", cancellationToken).ConfigureAwait(false);
            return false;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound || IsRefusedRight(failure))
        {
            return true;
        }
    }

    /// <summary>The server knows who asks, and refuses; other codes tell of keys that are wrong or out of date.</summary>
    private static bool IsRefusedRight(StoreException failure) => failure.InnerException is AmazonS3Exception { ErrorCode: "AccessDenied" };

    private async Task<ListObjectsV2Response> ListPageAsync(string? continuation, int keysMax, string doing, CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request
        {
            BucketName = Settings.Bucket,
            Prefix = Settings.Prefix,
            ContinuationToken = continuation,
            MaxKeys = keysMax,
            RequestPayer = _connection.Payer,
        };
        try
        {
            var page = await _connection.CallAsync((client, deadline) => client.ListObjectsV2Async(request, deadline.Token), doing, cancellationToken).ConfigureAwait(false);
            _isListingDenied = false;
            return page;
        }
        catch (StoreException denied) when (IsRefusedRight(denied))
        {
            _isListingDenied = true;
            throw _connection.Errors.ListingDenied(doing, denied);
        }
    }

    /// <summary>us-east-1 is the one region that a LocationConstraint must not name.</summary>
    private async Task CreateBucketAsync(CancellationToken cancellationToken)
    {
        var request = new PutBucketRequest { BucketName = Settings.Bucket, UseClientRegion = false };
        if (!Settings.IsCustomEndpoint && _connection.Region != "us-east-1")
        {
            request.BucketRegionName = _connection.Region;
        }

        try
        {
            await _connection.CallAsync((client, deadline) => client.PutBucketAsync(request, deadline.Token), "creating the bucket", cancellationToken).ConfigureAwait(false);
            Log.BucketCreated(_connection.Logger, Settings.Bucket);
        }
        catch (StoreException failure) when (failure.InnerException is AmazonS3Exception { ErrorCode: "BucketAlreadyOwnedByYou" })
        {
            // Another daemon was faster.
        }
        catch (StoreException failure) when (failure.InnerException is AmazonS3Exception { ErrorCode: "BucketAlreadyExists" })
        {
            throw _connection.Errors.Error(StoreErrorKind.AccessDenied, "creating the bucket", "a bucket of that name belongs to somebody else; choose another name", failure);
        }
    }

    private static DateTimeOffset WholeSeconds(DateTime? time)
    {
        var utc = time?.ToUniversalTime() ?? DateTime.UnixEpoch;
        return new DateTimeOffset(utc.Ticks - (utc.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
    }
}
