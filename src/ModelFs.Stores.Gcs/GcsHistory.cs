using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;

namespace ModelFs.Stores.Gcs;

/// <summary>Generations that a bucket with versioning keeps, and those that its soft delete policy keeps. A past revision's id is its generation.</summary>
/// <param name="connection">To the server.</param>
/// <param name="addresses">Of the store.</param>
/// <param name="statAsync">Looks a key up.</param>
/// <remarks>The server restores by itself, under a generation condition; no byte passes through this program.</remarks>
internal sealed class GcsHistory(GcsConnection connection, GcsAddresses addresses, Func<string, CancellationToken, Task<StoredObject?>> statAsync) : IObjectHistory
{
    /// <summary>A generation that was made later than this after another one ended did not replace it.</summary>
    private static readonly TimeSpan s_sameMoment = TimeSpan.FromSeconds(2);

    private string Bucket => connection.Settings.Bucket;

    /// <inheritdoc/>
    public async Task<ObjectPast> ListAsync(string key, CancellationToken cancellationToken)
    {
        var current = await statAsync(key, cancellationToken).ConfigureAwait(false);
        var (whyNotKept, softDeletes) = await KeepingAsync(cancellationToken).ConfigureAwait(false);
        var found = new SortedDictionary<long, PastRevision>();
        await foreach (var each in PagesAsync(key, softDeleted: false, cancellationToken).ConfigureAwait(false))
        {
            // A server that does not know the parameter lists what is live.
            if (each.TimeDeleted is { } ended)
            {
                found[each.Generation] = RevisionOf(key, each, ended);
            }
        }

        if (softDeletes)
        {
            await AddSoftDeletedAsync(key, found, cancellationToken).ConfigureAwait(false);
        }

        var newest = new List<PastRevision>();
        DateTimeOffset? successor = current?.LastModified;
        foreach (var each in found.Values.Reverse())
        {
            newest.Add(each with { WasDeleted = successor is not { } made || made > each.Ended + s_sameMoment });
            successor = each.Modified;
        }

        return new ObjectPast(current, newest, whyNotKept);
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(PastRevision source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        var doing = $"reading generation {source.Id} of {source.Key}";
        if (!source.IsReadable)
        {
            throw connection.Errors.Error(StoreErrorKind.Rejected, doing, "it is soft-deleted; its bytes can be had only by restoring it");
        }

        if (length == 0)
        {
            return Stream.Null;
        }

        var deadline = new ProgressDeadline(connection.Options.Deadlines.NoProgress, connection.Options.TimeProvider, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            response = await connection.OpenAsync(() => RangeOf(source, offset, length), deadline, doing, cancellationToken).ConfigureAwait(false);
            var got = response.Content.Headers.ContentLength;
            if ((got is not null && got != length) || (length != source.Length && response.StatusCode != HttpStatusCode.PartialContent))
            {
                throw connection.Errors.Error(StoreErrorKind.Rejected, doing, $"the server answered a range of {length} bytes with {(int)response.StatusCode} and {got} bytes");
            }

            var body = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
            deadline.Pause();
            return new GcsReadStream(response, body, new GcsRange(offset, length), deadline, connection.Errors, doing);
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
        try
        {
            var restored = source.IsReadable
                ? await RewriteAsync(source, condition, cancellationToken).ConfigureAwait(false)
                : await PostAsync(addresses.SoftRestore(source.Key, source.Id, condition), GcsJson.Default.ObjectResource, source, cancellationToken).ConfigureAwait(false);
            return GcsStore.ObjectOf(source.Key, restored);
        }
        catch (StoreException failure) when (IsGone(failure))
        {
            throw Gone(source, failure);
        }
    }

    private static bool IsGone(Exception failure) =>
        failure is StoreException { Kind: StoreErrorKind.NotFound, InnerException: not GcsAnswerException { IsOfBucket: true } };

    private static PastRevision RevisionOf(string key, ObjectResource found, DateTimeOffset ended) =>
        new(key, found.Generation.ToString(CultureInfo.InvariantCulture), found.Size, found.TimeCreated, ended, WasDeleted: false);

    private StoreException Gone(PastRevision source, Exception inner) =>
        connection.Errors.Error(StoreErrorKind.RevisionChanged, $"looking up {source.Key}", $"the bucket has no generation {source.Id} of it any more", inner);

    private HttpRequestMessage RangeOf(PastRevision source, long offset, long length)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, addresses.PastMedia(source));
        request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        return request;
    }

    /// <summary>A large copy takes several calls; only the last one makes it live, under the condition.</summary>
    private async Task<ObjectResource> RewriteAsync(PastRevision source, PublishCondition condition, CancellationToken cancellationToken)
    {
        string? token = null;
        while (true)
        {
            var answer = await PostAsync(addresses.Rewrite(source.Key, source.Id, condition, token), GcsJson.Default.RewriteAnswer, source, cancellationToken).ConfigureAwait(false);
            if (answer is { Done: true, Resource: { } made })
            {
                return made;
            }

            token = answer.RewriteToken ?? throw connection.Errors.Error(StoreErrorKind.Rejected, $"restoring {source.Key}", "the server's answer to a copy holds neither a result nor a token to go on with");
        }
    }

    private Task<T> PostAsync<T>(Uri address, JsonTypeInfo<T> type, PastRevision source, CancellationToken cancellationToken) =>
        connection.CallAsync(
            _ => new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent([]) },
            async (response, token) => await response.Content.ReadFromJsonAsync(type, token).ConfigureAwait(false) ?? throw new InvalidDataException("the server's answer is empty"),
            $"restoring generation {source.Id} of {source.Key}",
            cancellationToken);

    private async Task AddSoftDeletedAsync(string key, SortedDictionary<long, PastRevision> found, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var each in PagesAsync(key, softDeleted: true, cancellationToken).ConfigureAwait(false))
            {
                if (each.SoftDeleteTime is { } ended)
                {
                    found.TryAdd(each.Generation, RevisionOf(key, each, ended) with { IsReadable = false });
                }
            }
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Rejected)
        {
            // The bucket has no such policy, or the server does not know of any.
        }
    }

    private async IAsyncEnumerable<ObjectResource> PagesAsync(string key, bool softDeleted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var name = connection.Settings.Prefix + key;
        string? pageToken = null;
        do
        {
            var address = addresses.Past(key, softDeleted, pageToken);
            var page = await connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Get, address),
                async (response, token) => await response.Content.ReadFromJsonAsync(GcsJson.Default.ObjectPage, token).ConfigureAwait(false) ?? throw new InvalidDataException("the server's answer is empty"),
                $"listing the generations of {key}",
                cancellationToken).ConfigureAwait(false);
            foreach (var each in page.Items ?? [])
            {
                if (each.Name == name)
                {
                    yield return each;
                }
            }

            // Names that begin alike come after this one.
            pageToken = page.Items is [.., var last] && last.Name != name ? null : page.NextPageToken;
        }
        while (!string.IsNullOrEmpty(pageToken));
    }

    /// <summary>What the bucket's settings say.</summary>
    private async Task<(string? WhyNotKept, bool SoftDeletes)> KeepingAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bucket = await connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Get, addresses.Keeping()),
                async (response, token) => await response.Content.ReadFromJsonAsync(GcsJson.Default.BucketResource, token).ConfigureAwait(false),
                "asking for the bucket's versioning",
                cancellationToken).ConfigureAwait(false);
            var softDeletes = bucket?.SoftDeletePolicy is { RetentionDurationSeconds: > 0 };
            return bucket?.Versioning is { Enabled: true } || softDeletes
                ? (null, softDeletes)
                : ($"the bucket {Bucket} keeps no past versions: it has neither versioning nor soft delete. Switch one on: gcloud storage buckets update gs://{Bucket} --versioning, or --soft-delete-duration=7d", false);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.AccessDenied)
        {
            return ($"whether the bucket {Bucket} keeps past versions is not known: the credentials lack the right storage.buckets.get", true);
        }
    }
}
