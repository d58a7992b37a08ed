using Google.Apis.Auth.OAuth2;

namespace ModelFs.Stores.Gcs;

/// <summary>The metadata server of Google's machines: finds out quickly whether there is one, before anything waits for it.</summary>
internal sealed class MetadataServer(GcsHttpHandlers handlers, Func<string, string?> environment, TimeProvider time)
{
    private const string FlavorHeader = "Metadata-Flavor";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // It is link-local: never through a proxy.
    private readonly GcsHttpHandlers _handlers = handlers.Direct();

    /// <summary>What was found, for messages.</summary>
    internal string State { get; private set; } = "not asked";

    private string Host => environment("GCE_METADATA_HOST") is { Length: > 0 } host ? host : "169.254.169.254";

    /// <summary>Asks, for at most one second.</summary>
    internal async Task<bool> IsPresentAsync(CancellationToken cancellationToken)
    {
        if (string.Equals(environment("NO_GCE_CHECK"), "true", StringComparison.OrdinalIgnoreCase))
        {
            State = "switched off by NO_GCE_CHECK";
            return false;
        }

        var isPresent = await AskAsync("/", cancellationToken).ConfigureAwait(false) is not null;
        State = isPresent ? "present" : $"no answer from {Host} within {Patience.TotalSeconds} s";
        return isPresent;
    }

    /// <summary>The machine's project, or null.</summary>
    internal Task<string?> ProjectAsync(CancellationToken cancellationToken) => AskAsync("/computeMetadata/v1/project/project-id", cancellationToken);

    /// <summary>The account that the machine runs as.</summary>
    internal GoogleCredential Credential() => new ComputeCredential(
        new ComputeCredential.Initializer($"http://{Host}/computeMetadata/v1/instance/service-accounts/default/token") { HttpClientFactory = _handlers }).ToGoogleCredential();

    private async Task<string?> AskAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Host}{path}");
        request.Headers.Add(FlavorHeader, "Google");
        using var client = new HttpClient(_handlers.Create());
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await client.SendAsync(request, either.Token).ConfigureAwait(false);

            // Some networks answer for every address; only the real server says this.
            var isGenuine = response.IsSuccessStatusCode && response.Headers.TryGetValues(FlavorHeader, out var flavor) && flavor.Contains("Google");
            return isGenuine ? await response.Content.ReadAsStringAsync(either.Token).ConfigureAwait(false) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
