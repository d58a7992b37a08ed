using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>The versions of a bucket that has versioning. A past revision's id is its version id.</summary>
/// <param name="connection">To the server.</param>
/// <param name="publisher">Restores.</param>
/// <param name="statAsync">Looks a key up.</param>
/// <remarks>
/// The version <c>null</c> of a bucket whose versioning was off, or is suspended, can be replaced; its id holds the ETag, too. A restore
/// goes through this program, because servers do not agree on the conditions of a copy, and sends the bytes as any publish does.
/// </remarks>
internal sealed class S3History(S3Connection connection, S3Publisher publisher, Func<string, CancellationToken, Task<StoredObject?>> statAsync) : IObjectHistory
{
    private const string NullVersion = "null";
    private const string NullPrefix = "null-";

    private S3Settings Settings => connection.Settings;

    /// <inheritdoc/>
    public async Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
    {
        var current = await statAsync(key, cancellationToken).ConfigureAwait(false);
        var past = new List<PastRevision>();
        DateTimeOffset? ended = null;
        var isDeletion = false;
        await foreach (var version in VersionsAsync(key, cancellationToken).ConfigureAwait(false))
        {
            var modified = new DateTimeOffset(version.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch);
            if (version.IsDeleteMarker != true && version.IsLatest != true)
            {
                past.Add(new PastRevision(key, IdOf(version), version.Size ?? 0, modified, ended, isDeletion));
            }

            (ended, isDeletion) = (modified, version.IsDeleteMarker == true);
        }

        return new ObjectPast(current, past, await WhyNotKeptAsync(past, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        await RequireAsync(source, cancellationToken).ConfigureAwait(false);
        if (length == 0)
        {
            return Stream.Null;
        }

        var doing = $"reading version {source.Id} of {source.Key}";
        var deadline = new ProgressDeadline(connection.Options.Deadlines.NoProgress, connection.Options.TimeProvider, cancellationToken);
        GetObjectResponse? response = null;
        try
        {
            response = await connection.CallAsync((client, _) => client.GetObjectAsync(RangeOf(source, offset, length), deadline.Token), doing, cancellationToken).ConfigureAwait(false);
            if (response.ContentLength != length || (length != source.Length && response.HttpStatusCode != HttpStatusCode.PartialContent))
            {
                throw connection.Errors.Error(StoreErrorKind.Rejected, doing, $"the server answered a range of {length} bytes with {(int)response.HttpStatusCode} and {response.ContentLength} bytes");
            }

            deadline.Pause();
            return new S3ReadStream(response, length, deadline, connection.Errors, doing);
        }
        catch (Exception exception)
        {
            response?.Dispose();
            deadline.Cancel();
            deadline.Dispose();
            throw IsGone(exception) ? Gone(source, exception) : exception;
        }
    }

    /// <inheritdoc/>
    public async Task<StoredObject> RestoreAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
    {
        await RequireAsync(source, cancellationToken).ConfigureAwait(false);
        return await publisher.PublishAsync(source.Key, new RevisionContent(this, source, cancellationToken), condition, cancellationToken).ConfigureAwait(false);
    }

    private static string IdOf(S3ObjectVersion version) => version.VersionId == NullVersion ? NullPrefix + S3Store.RevisionOf(version.ETag).Value : version.VersionId;

    private static string VersionOf(PastRevision source) => source.Id.StartsWith(NullPrefix, StringComparison.Ordinal) ? NullVersion : source.Id;

    private static string? ETagOf(PastRevision source) => source.Id.StartsWith(NullPrefix, StringComparison.Ordinal) ? $"\"{source.Id[NullPrefix.Length..]}\"" : null;

    /// <summary>Servers answer an id that they never gave with 400, and an id that is gone with 404.</summary>
    private static bool IsGone(Exception failure) => failure is StoreException
    {
        Kind: StoreErrorKind.NotFound or StoreErrorKind.PreconditionFailed or StoreErrorKind.Rejected,
        InnerException: AmazonS3Exception { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.PreconditionFailed or HttpStatusCode.MethodNotAllowed },
    };

    private StoreException Gone(PastRevision source, Exception inner) =>
        connection.Errors.Error(StoreErrorKind.RevisionChanged, $"looking up {source.Key}", $"the bucket has no version {source.Id} of it any more", inner);

    private GetObjectRequest RangeOf(PastRevision source, long offset, long length) => new()
    {
        BucketName = Settings.Bucket,
        Key = Settings.Prefix + source.Key,
        VersionId = VersionOf(source),
        EtagToMatch = ETagOf(source),
        ByteRange = new ByteRange(offset, offset + length - 1),
        RequestPayer = connection.Payer,
    };

    /// <summary>Before a byte is sent anywhere: what is to be restored is there, and is the archive that was listed.</summary>
    private async Task RequireAsync(PastRevision source, CancellationToken cancellationToken)
    {
        var request = new GetObjectMetadataRequest
        {
            BucketName = Settings.Bucket,
            Key = Settings.Prefix + source.Key,
            VersionId = VersionOf(source),
            EtagToMatch = ETagOf(source),
            RequestPayer = connection.Payer,
        };
        try
        {
            var head = await connection.CallAsync(
                (client, deadline) => client.GetObjectMetadataAsync(request, deadline.Token), $"looking up version {source.Id} of {source.Key}", cancellationToken).ConfigureAwait(false);
            if (head.ContentLength != source.Length)
            {
                throw connection.Errors.Error(StoreErrorKind.RevisionChanged, $"looking up {source.Key}", $"version {source.Id} has {head.ContentLength} bytes, not {source.Length}");
            }
        }
        catch (StoreException failure) when (IsGone(failure))
        {
            throw Gone(source, failure);
        }
    }

    /// <summary>Versions and delete markers of one key, newest first. A server lists keys that begin alike one after the other, this one first.</summary>
    private async IAsyncEnumerable<S3ObjectVersion> VersionsAsync(string key, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListVersionsRequest { BucketName = Settings.Bucket, Prefix = Settings.Prefix + key };
        while (true)
        {
            var page = await connection.CallAsync(
                (client, deadline) => client.ListVersionsAsync(request, deadline.Token), $"listing the versions of {key} (it takes the right s3:ListBucketVersions)", cancellationToken).ConfigureAwait(false);
            foreach (var version in page.Versions ?? [])
            {
                if (version.Key == request.Prefix)
                {
                    yield return version;
                }
            }

            if (page.IsTruncated != true || page.NextKeyMarker != request.Prefix)
            {
                yield break;
            }

            (request.KeyMarker, request.VersionIdMarker) = (page.NextKeyMarker, page.NextVersionIdMarker);
        }
    }

    private async Task<string?> WhyNotKeptAsync(List<PastRevision> past, CancellationToken cancellationToken)
    {
        var request = new GetBucketVersioningRequest { BucketName = Settings.Bucket };
        try
        {
            var answer = await connection.CallAsync(
                (client, deadline) => client.GetBucketVersioningAsync(request, deadline.Token), "asking for the bucket's versioning", cancellationToken).ConfigureAwait(false);
            var status = answer.VersioningConfig?.Status;
            return status == VersionStatus.Enabled ? null
                : status == VersionStatus.Suspended ? $"versioning of the bucket {Settings.Bucket} is suspended: what is replaced or deleted from now on is lost. Resume it: {SwitchOn()}"
                : $"the bucket {Settings.Bucket} keeps no past versions: versioning is off. Switch it on: {SwitchOn()}";
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.AccessDenied or StoreErrorKind.Rejected)
        {
            // A version that has an id of its own was made under versioning.
            return past.Exists(revision => VersionOf(revision) != NullVersion) ? null
                : failure.Kind == StoreErrorKind.AccessDenied ? $"whether the bucket {Settings.Bucket} keeps past versions is not known: the credentials lack the right s3:GetBucketVersioning"
                : $"the bucket {Settings.Bucket} keeps no past versions: its server knows no versioning";
        }
    }

    private string SwitchOn() =>
        $"aws s3api put-bucket-versioning --bucket {Settings.Bucket} --versioning-configuration Status=Enabled"
        + (Settings.Endpoint is { } endpoint ? $" --endpoint-url {endpoint.GetLeftPart(UriPartial.Authority)}" : "");
}
