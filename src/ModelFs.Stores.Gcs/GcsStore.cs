using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using ModelFs.Models;

namespace ModelFs.Stores.Gcs;

/// <summary>A bucket of Google Cloud Storage, or a prefix of one, by its JSON API (https://cloud.google.com/storage/docs/json_api/v1).</summary>
/// <remarks>A revision is the object's generation. A publish or a delete whose generation condition does not hold is refused by the server itself; see <see cref="GcsConditions"/>.</remarks>
public sealed class GcsStore : IModelStore
{
    /// <summary>5 TiB, the service's limit of one object.</summary>
    private const long ObjectBytesMax = 5L << 40;

    private const int KeysPerPage = 1000;

    private readonly StoreOptions _options;
    private readonly GcsConnection _connection;
    private readonly GcsAddresses _addresses;
    private readonly GcsPublisher _publisher;
    private readonly GcsConditions _conditions;
    private readonly GcsRangeChecks _rangeChecks = new();
    private volatile bool _isListingDenied;

    /// <summary>Makes the store without reaching it.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    public GcsStore(GcsSettings settings, StoreOptions options)
    {
        _options = options;
        _connection = new GcsConnection(settings, options);
        _addresses = new GcsAddresses(settings);
        _publisher = new GcsPublisher(_connection, _addresses);
        _conditions = new GcsConditions(_connection, _addresses, _publisher, StatAsync);
        History = new GcsHistory(_connection, _addresses, StatAsync);
    }

    /// <inheritdoc/>
    public string DisplayName => $"gs://{Settings.Bucket}/{Settings.Prefix}".TrimEnd('/');

    /// <inheritdoc/>
    public Uri? Server => Settings.Endpoint;

    /// <inheritdoc/>
    /// <remarks>Of a server that is not Google's, conditions are <see cref="ConditionSupport.Unproven"/> until <see cref="ProveConditionsAsync"/> or the first call that has one.</remarks>
    public StoreTraits Traits
    {
        get
        {
            var proof = _conditions.Proof;
            return new StoreTraits(proof.Create, proof.Replace, proof.Delete, ObjectBytesMax, _options.StreamsMax)
            {
                InPartsCondition = proof.InParts,
                Keeping = RevisionKeeping.Bucket,
            };
        }
    }

    /// <inheritdoc/>
    public IObjectHistory? History { get; }

    private GcsSettings Settings => _connection.Settings;

    /// <inheritdoc/>
    /// <remarks>One listing of one key proves address, credentials and the right to read, without the right to look at the bucket itself.</remarks>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ListPageAsync(null, 1, "opening", cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException missing) when (missing.Kind == StoreErrorKind.NotFound)
        {
            if (!_options.CreateIfMissing)
            {
                throw _connection.Errors.Error(StoreErrorKind.NotFound, "opening", $"there is no bucket '{Settings.Bucket}' at {_connection.Errors.Server}, and creating it was refused", missing);
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
        string? pageToken = null;
        do
        {
            var page = await ListPageAsync(pageToken, KeysPerPage, "listing", cancellationToken).ConfigureAwait(false);
            foreach (var found in page.Items ?? [])
            {
                if (found.Name?.Length > Settings.Prefix.Length && !found.Name.AsSpan(Settings.Prefix.Length).StartsWith(GcsConditions.OwnPrefix, StringComparison.Ordinal))
                {
                    yield return ObjectOf(found.Name[Settings.Prefix.Length..], found);
                }
            }

            pageToken = page.NextPageToken;
        }
        while (!string.IsNullOrEmpty(pageToken));
    }

    /// <inheritdoc/>
    public async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var found = await _connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Get, _addresses.Metadata(key)), GcsPublisher.ReadAsync, $"looking up {key}", cancellationToken).ConfigureAwait(false);
            return ObjectOf(key, found);
        }
        catch (StoreException failure) when (failure is { Kind: StoreErrorKind.NotFound, InnerException: not GcsAnswerException { IsOfBucket: true } })
        {
            return null;
        }
        catch (StoreException failure) when (_isListingDenied && IsRefusedRight(failure))
        {
            // To who may not list, the service answers so for every key that is not there.
            return null;
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
        HttpResponseMessage? response = null;
        try
        {
            response = await _connection.OpenAsync(() => RangeOf(source, offset, length), bodyDeadline, doing, cancellationToken).ConfigureAwait(false);
            CheckRange(response, source, offset, length, doing);
            var body = await response.Content.ReadAsStreamAsync(bodyDeadline.Token).ConfigureAwait(false);
            bodyDeadline.Pause();
            var checksum = ChecksumOf(response);
            var range = new GcsRange(offset, length) { Source = source, Checksum = checksum, Checks = checksum is null ? null : _rangeChecks };
            return new GcsReadStream(response, body, range, bodyDeadline, _connection.Errors, doing);
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
    public async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        await _conditions.RequireAsync(key, condition, isDelete: false, _publisher.GoesInParts(content), cancellationToken).ConfigureAwait(false);
        return ObjectOf(
            key,
            await ReplacedSource.AsConditionAsync(
                this, key, condition, () => _publisher.PublishAsync(key, content, condition, cancellationToken), cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        try
        {
            if (ifRevision is { } wanted)
            {
                await _conditions.RequireAsync(key, PublishCondition.Matches(wanted), isDelete: true, inParts: false, cancellationToken).ConfigureAwait(false);
            }

            await _connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Delete, _addresses.Deletion(key, ifRevision?.Value)), (_, _) => Task.FromResult(true), $"deleting {key}", cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure is { Kind: StoreErrorKind.NotFound, InnerException: not GcsAnswerException { IsOfBucket: true } })
        {
            // What is not there needs no deleting.
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed)
        {
            if (await StatAsync(key, cancellationToken).ConfigureAwait(false) is not null)
            {
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        _conditions.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static StoredObject ObjectOf(string key, ObjectResource found) =>
        new(key, new StoreRevision(found.Generation.ToString(CultureInfo.InvariantCulture)), found.Size, found.TimeCreated);

    private static string? HeaderOf(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    /// <summary>The header reads <c>crc32c=n03x6A==,md5=…</c>, in one line or in two.</summary>
    private static string? ChecksumOf(HttpResponseMessage response)
    {
        const string Name = "crc32c=";
        var hashes = HeaderOf(response, "x-goog-hash")?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        return Array.Find(hashes, hash => hash.StartsWith(Name, StringComparison.Ordinal))?[Name.Length..];
    }

    private HttpRequestMessage RangeOf(StoredObject source, long offset, long length)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _addresses.Media(source));
        request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);

        // Without this, an object that was uploaded with Content-Encoding: gzip comes inflated, and ignores the range.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        return request;
    }

    /// <summary>A server may ignore what it does not know: the answer must be of the generation and the range that were asked for.</summary>
    private void CheckRange(HttpResponseMessage response, StoredObject source, long offset, long length, string doing)
    {
        if (HeaderOf(response, "x-goog-generation") is { } generation && generation != source.Revision.Value)
        {
            throw Changed(source.Key, null);
        }

        var got = response.Content.Headers.ContentLength;
        var from = response.Content.Headers.ContentRange?.From ?? offset;
        if ((got is not null && got != length) || from != offset || (length != source.Length && response.StatusCode != HttpStatusCode.PartialContent))
        {
            throw _connection.Errors.Error(StoreErrorKind.Rejected, doing, $"the server answered a range of {length} bytes with {(int)response.StatusCode} and {got} bytes");
        }
    }

    private StoreException Changed(string key, Exception? inner) =>
        _connection.Errors.Error(StoreErrorKind.RevisionChanged, $"reading {key}", "it was replaced or deleted since it was looked up", inner);

    /// <summary>The server knows who asks, and refuses; a token that is wrong or out of date is 401.</summary>
    private static bool IsRefusedRight(StoreException failure) =>
        failure is { Kind: StoreErrorKind.AccessDenied, InnerException: GcsAnswerException { Status: HttpStatusCode.Forbidden } };

    private async Task<ObjectPage> ListPageAsync(string? pageToken, int keysMax, string doing, CancellationToken cancellationToken)
    {
        try
        {
            var page = await _connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Get, _addresses.Page(pageToken, keysMax)),
                async (response, token) => await response.Content.ReadFromJsonAsync(GcsJson.Default.ObjectPage, token).ConfigureAwait(false) ?? throw new InvalidDataException("the server's answer is empty"),
                doing,
                cancellationToken).ConfigureAwait(false);
            _isListingDenied = false;
            return page;
        }
        catch (StoreException denied) when (IsRefusedRight(denied))
        {
            _isListingDenied = true;
            throw new StoreException(StoreErrorKind.ListingDenied, denied.Message, denied);
        }
    }

    private async Task CreateBucketAsync(CancellationToken cancellationToken)
    {
        const string Doing = "creating the bucket";
        var credentials = await _connection.CredentialsAsync(cancellationToken).ConfigureAwait(false);
        var project = Settings.Project ?? credentials.ProjectId ?? (Settings.IsEmulator ? "modelfs" : null)
            ?? throw _connection.Errors.Error(StoreErrorKind.Misconfigured, Doing, "it does not exist, and no project to create it in is known; name one with ?project=PROJECT or GOOGLE_CLOUD_PROJECT");
        try
        {
            await _connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Post, _addresses.NewBucket(project)) { Content = JsonContent.Create(new NewBucket(Settings.Bucket, Settings.Location), GcsJson.Default.NewBucket) },
                (_, _) => Task.FromResult(true),
                Doing,
                cancellationToken).ConfigureAwait(false);
            Log.BucketCreated(_connection.Logger, Settings.Bucket, project);
        }
        catch (StoreException failure) when (failure.InnerException is GcsAnswerException { Status: HttpStatusCode.Conflict })
        {
            // Another daemon was faster, or it belongs to somebody else: reading it tells.
        }
    }
}
