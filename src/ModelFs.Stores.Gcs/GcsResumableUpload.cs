using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace ModelFs.Stores.Gcs;

/// <summary>An upload in chunks, which goes on after a broken connection where the server says it has got to.</summary>
/// <param name="connection">To the server.</param>
/// <param name="addresses">Of the store.</param>
internal sealed class GcsResumableUpload(GcsConnection connection, GcsAddresses addresses)
{
    /// <summary>Every chunk but the last must be a multiple of this.</summary>
    private const long ChunkStep = 256 * 1024;

    /// <summary>Failures in a row, without a byte more at the server.</summary>
    private const int FailuresMax = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private long ChunkBytes => Math.Max(ChunkStep, connection.Options.UploadPartBytes / ChunkStep * ChunkStep);

    /// <summary>Uploads an archive. The condition is checked by the server when the last byte is there.</summary>
    internal async Task<ObjectResource> SendAsync(string key, NewObject described, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        var doing = $"publishing {key}";
        var session = await BeginAsync(key, described, content.Length, condition, doing, cancellationToken).ConfigureAwait(false);
        try
        {
            return await SendChunksAsync(key, session, content, doing, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await CancelAsync(key, session).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<ObjectResource> SendChunksAsync(string key, Uri session, IPublishContent content, string doing, CancellationToken cancellationToken)
    {
        var state = new SessionState(0, null);
        var furthest = 0L;
        var failures = 0;
        while (true)
        {
            try
            {
                state = failures == 0
                    ? await SendChunkAsync(session, content, state.Received, doing, cancellationToken).ConfigureAwait(false)
                    : await AskAndSendAsync(session, content, doing, cancellationToken).ConfigureAwait(false);
                if (state.Finished is not null)
                {
                    return state.Finished;
                }

                if (state.Received <= furthest)
                {
                    throw connection.Errors.Error(StoreErrorKind.Unavailable, doing, $"the server kept {state.Received} bytes of {content.Length} and takes no more");
                }

                furthest = state.Received;
                failures = 0;
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable && !IsSessionLost(failure) && failures + 1 < FailuresMax)
            {
                failures++;
                Log.UploadResumed(connection.Logger, connection.Settings.Bucket, key, furthest, failure.Message);
                await Task.Delay(FirstPause * Math.Pow(2, failures - 1), connection.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>After a failure only the server knows which bytes it has, and whether it has finished.</summary>
    private async Task<SessionState> AskAndSendAsync(Uri session, IPublishContent content, string doing, CancellationToken cancellationToken)
    {
        var state = await AskAsync(session, content.Length, doing, cancellationToken).ConfigureAwait(false);
        return state.Finished is not null ? state : await SendChunkAsync(session, content, state.Received, doing, cancellationToken).ConfigureAwait(false);
    }

    private Task<SessionState> SendChunkAsync(Uri session, IPublishContent content, long offset, string doing, CancellationToken cancellationToken)
    {
        var length = Math.Min(ChunkBytes, content.Length - offset);
        return length == 0
            ? AskAsync(session, content.Length, doing, cancellationToken)
            : connection.CallAsync(
                deadline =>
                {
                    var chunk = new ArchiveContent(content, offset, length, deadline);
                    chunk.Headers.ContentRange = new ContentRangeHeaderValue(offset, offset + length - 1, content.Length);
                    return new HttpRequestMessage(HttpMethod.Put, session) { Content = chunk };
                },
                ReadStateAsync,
                doing,
                cancellationToken);
    }

    private Task<SessionState> AskAsync(Uri session, long length, string doing, CancellationToken cancellationToken) =>
        connection.CallAsync(
            _ =>
            {
                var nothing = new ByteArrayContent([]);
                nothing.Headers.ContentRange = new ContentRangeHeaderValue(length);
                return new HttpRequestMessage(HttpMethod.Put, session) { Content = nothing };
            },
            ReadStateAsync,
            doing,
            cancellationToken);

    private Task<Uri> BeginAsync(string key, NewObject described, long length, PublishCondition condition, string doing, CancellationToken cancellationToken) =>
        connection.CallAsync(
            _ =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, addresses.Upload("resumable", key, condition))
                {
                    Content = JsonContent.Create(described, GcsJson.Default.NewObject, new MediaTypeHeaderValue("application/json", "utf-8")),
                };
                request.Headers.Add("X-Upload-Content-Type", GcsPublisher.ContentType);
                request.Headers.Add("X-Upload-Content-Length", length.ToString(CultureInfo.InvariantCulture));
                return request;
            },
            (response, _) => response.Headers.Location is { IsAbsoluteUri: true } session
                ? Task.FromResult(session)
                : throw connection.Errors.Error(StoreErrorKind.Rejected, doing, "the server began an upload without saying where it goes on"),
            doing,
            cancellationToken);

    /// <summary>Drops what was sent; never throws, for it runs when something failed already.</summary>
    private async Task CancelAsync(string key, Uri session)
    {
        try
        {
            await connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Delete, session), (_, _) => Task.FromResult(true), $"cancelling the upload of {key}", CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException failure)
        {
            // 499 is how the server says that it is cancelled; a session that is over needs no cancelling.
            if (failure.InnerException is not GcsAnswerException { Status: (HttpStatusCode)499 or HttpStatusCode.NotFound or HttpStatusCode.Gone })
            {
                Log.CancelFailed(connection.Logger, connection.Settings.Bucket, key, failure.Message);
            }
        }
    }

    private static async Task<SessionState> ReadStateAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.PermanentRedirect)
        {
            return new SessionState(0, await GcsPublisher.ReadAsync(response, cancellationToken).ConfigureAwait(false));
        }

        // Without a Range the server has no byte yet.
        var range = response.Headers.TryGetValues("Range", out var values) && RangeHeaderValue.TryParse(values.First(), out var parsed) ? parsed.Ranges.First() : null;
        return new SessionState(range?.To + 1 ?? 0, null);
    }

    private static bool IsSessionLost(StoreException failure) =>
        failure.InnerException is GcsAnswerException { Status: HttpStatusCode.NotFound or HttpStatusCode.Gone };

    /// <summary>How far an upload is: the bytes that the server has, or the object.</summary>
    private readonly record struct SessionState(long Received, ObjectResource? Finished);
}
