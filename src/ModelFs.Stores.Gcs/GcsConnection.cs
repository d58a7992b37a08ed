using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ModelFs.Stores.Gcs;

/// <summary>How every request runs: its token, its deadline without progress, and what its errors mean.</summary>
/// <remarks>Credentials are looked for at the first request.</remarks>
internal sealed class GcsConnection : IDisposable
{
    private const int ErrorBytesMax = 64 * 1024;

    private readonly GcsHttpHandlers _handlers;
    private readonly HttpClient _client;
    private readonly SemaphoreSlim _connecting = new(1);
    private GcsCredentials? _credentials;

    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    internal GcsConnection(GcsSettings settings, StoreOptions options)
    {
        Settings = settings;
        Options = options;
        Errors = new GcsErrors(settings, options);
        Logger = options.LoggerFactory.CreateLogger<GcsStore>();
        _handlers = new GcsHttpHandlers(options);

        // Deadlines watch progress, not the whole call: a big archive takes as long as it takes.
        _client = new HttpClient(_handlers.Create()) { Timeout = Timeout.InfiniteTimeSpan };
    }

    internal GcsSettings Settings { get; }

    internal StoreOptions Options { get; }

    internal GcsErrors Errors { get; }

    internal ILogger Logger { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _connecting.Dispose();
    }

    /// <summary>The credentials, resolved once.</summary>
    internal async Task<GcsCredentials> CredentialsAsync(CancellationToken cancellationToken)
    {
        if (_credentials is not null)
        {
            return _credentials;
        }

        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_credentials is null)
            {
                var resolved = await GcsCredentials.ResolveAsync(Settings, Options, _handlers, cancellationToken).ConfigureAwait(false);
                Errors.CredentialSource = resolved.Source;
                Log.Connected(Logger, Settings.Bucket, Errors.Server, resolved.Source);
                _credentials = resolved;
            }

            return _credentials;
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Sends a request and reads its whole answer under a deadline of its own.</summary>
    /// <param name="make">Makes the request; again when it must be repeated with another token.</param>
    /// <param name="read">Reads the answer, which is a success or a 308.</param>
    /// <param name="doing">For messages.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    internal async Task<T> CallAsync<T>(
        Func<ProgressDeadline, HttpRequestMessage> make, Func<HttpResponseMessage, CancellationToken, Task<T>> read, string doing, CancellationToken cancellationToken)
    {
        using var deadline = new ProgressDeadline(Options.Deadlines.NoProgress, Options.TimeProvider, cancellationToken);
        return await GuardAsync(
            async () =>
            {
                using var response = await SendAsync(() => make(deadline), deadline, doing).ConfigureAwait(false);
                return await read(response, deadline.Token).ConfigureAwait(false);
            },
            deadline,
            doing,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends a request and hands its answer out as soon as its head is there; the caller reads and disposes of it.</summary>
    internal Task<HttpResponseMessage> OpenAsync(Func<HttpRequestMessage> make, ProgressDeadline deadline, string doing, CancellationToken cancellationToken) =>
        GuardAsync(() => SendAsync(make, deadline, doing), deadline, doing, cancellationToken);

    private async Task<T> GuardAsync<T>(Func<Task<T>> call, ProgressDeadline deadline, string doing, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await call().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The contract: every failure is a StoreException.
        catch (Exception exception) when (exception is not StoreException)
#pragma warning restore CA1031
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Errors.From(exception, doing, deadline.HasPassed);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, ProgressDeadline deadline, string doing)
    {
        var credentials = await CredentialsAsync(deadline.Token).ConfigureAwait(false);
        for (var isRenewed = credentials.AreNone; ; isRenewed = true)
        {
            using var request = make();
            await AuthorizeAsync(credentials, request, deadline, doing).ConfigureAwait(false);
            deadline.Touch();
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            deadline.Touch();
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.PermanentRedirect)
            {
                return response;
            }

            using (response)
            {
                if (response.StatusCode != HttpStatusCode.Unauthorized || isRenewed)
                {
                    throw await ReadErrorAsync(response, deadline.Token).ConfigureAwait(false);
                }
            }

            // A token can be revoked before it expires: once, another one is asked for.
            Log.TokenRenewed(Logger, Settings.Bucket);
            await WithTokenEndpointAsync(
                async () =>
                {
                    await credentials.RenewAsync(deadline.Token).ConfigureAwait(false);
                    return true;
                },
                deadline,
                doing).ConfigureAwait(false);
        }
    }

    private async Task AuthorizeAsync(GcsCredentials credentials, HttpRequestMessage request, ProgressDeadline deadline, string doing)
    {
        // The session of an upload may be on another host, and its address is all it needs; a token is given only to the named server.
        if (credentials.AreNone || Uri.Compare(request.RequestUri, Settings.Endpoint, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) != 0)
        {
            return;
        }

        deadline.Touch();
        var token = await WithTokenEndpointAsync(() => credentials.TokenAsync(deadline.Token), deadline, doing).ConfigureAwait(false);
        token!.AddHeaders(request);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);
    }

    private async Task<T> WithTokenEndpointAsync<T>(Func<Task<T>> call, ProgressDeadline deadline, string doing)
    {
        try
        {
            // Google's library retries by itself, and not all of its waits follow a token.
            return await call().WaitAsync(deadline.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The contract: every failure is a StoreException. Which ones a credential throws depends on its kind.
        catch (Exception exception) when (exception is not StoreException && (deadline.HasPassed || exception is not OperationCanceledException))
#pragma warning restore CA1031
        {
            throw Errors.FromToken(exception, doing, deadline.HasPassed);
        }
    }

    private static async Task<GcsAnswerException> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var said = response.ReasonPhrase ?? "";
        var reason = "";
        try
        {
            await response.Content.LoadIntoBufferAsync(ErrorBytesMax, cancellationToken).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            if (text.StartsWith('{'))
            {
                var body = JsonSerializer.Deserialize(text, GcsJson.Default.ErrorAnswer)?.Error;
                said = body?.Message ?? said;
                reason = body?.Errors is [var first, ..] ? first.Reason ?? "" : "";
            }
            else if (text.Length is > 0 and < 200 && response.Content.Headers.ContentType?.MediaType == "text/plain")
            {
                // Media requests are refused with a bare sentence.
                said = text.Trim();
            }
        }
        catch (Exception exception) when (exception is JsonException or HttpRequestException or IOException)
        {
            // The status says enough.
        }

        return new GcsAnswerException(response.StatusCode, reason, said);
    }
}
