using System.Net;

namespace ModelFs.Stores.S3;

/// <summary>Finds out quickly whether this machine has an instance metadata service, before anything waits for it.</summary>
internal sealed class InstanceMetadata(Func<string, string?> environment, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private string? _token;

    /// <summary>What was found, for messages.</summary>
    internal string State { get; private set; } = "not asked";

    private Uri Address => new(environment("AWS_EC2_METADATA_SERVICE_ENDPOINT") is { Length: > 0 } address ? address : "http://169.254.169.254/");

    /// <summary>Asks for a session token, for at most one second.</summary>
    internal async Task<bool> IsPresentAsync(CancellationToken cancellationToken)
    {
        if (string.Equals(environment("AWS_EC2_METADATA_DISABLED"), "true", StringComparison.OrdinalIgnoreCase))
        {
            State = "switched off by AWS_EC2_METADATA_DISABLED";
            return false;
        }

        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(Address, "latest/api/token"));
        request.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "60");
        _token = await AskAsync(request, cancellationToken).ConfigureAwait(false);
        State = _token is null ? $"no answer from {Address.Host} within {Patience.TotalSeconds} s" : "present";
        return _token is not null;
    }

    /// <summary>The machine's own region, or null.</summary>
    internal async Task<string?> RegionAsync(CancellationToken cancellationToken) =>
        await IsPresentAsync(cancellationToken).ConfigureAwait(false) ? await GetAsync("placement/region", cancellationToken).ConfigureAwait(false) : null;

    /// <summary>The keys of the machine's role, as JSON; null when it has none, or the service is not there.</summary>
    internal async Task<string?> RoleKeysAsync(CancellationToken cancellationToken)
    {
        const string Roles = "iam/security-credentials/";
        if (!await IsPresentAsync(cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var role = (await GetAsync(Roles, cancellationToken).ConfigureAwait(false))?.Split('\n')[0].Trim();
        var keys = string.IsNullOrEmpty(role) ? null : await GetAsync(Roles + role, cancellationToken).ConfigureAwait(false);
        State = keys is null ? "present, but this machine has no role" : "present";
        return keys;
    }

    private async Task<string?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, "latest/meta-data/" + path));
        request.Headers.Add("X-aws-ec2-metadata-token", _token);
        return await AskAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string?> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The service is link-local: never through a proxy.
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler);
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await client.SendAsync(request, either.Token).ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadAsStringAsync(either.Token).ConfigureAwait(false) : null;
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
