using Amazon;
using Amazon.Runtime;
using Amazon.SecurityToken;

namespace ModelFs.Stores.S3;

/// <summary>How the token service (STS) is reached: with the trust and the proxy of the store.</summary>
/// <param name="Http">The store's HTTP client.</param>
/// <param name="Region">The store's region, or null.</param>
/// <param name="Options">Of the store.</param>
internal sealed record TokenService(S3HttpClients Http, string? Region, StoreOptions Options)
{
    /// <summary>What the service's own log calls who asks.</summary>
    internal const string SessionName = "modelfs";

    private const string DefaultRegion = "us-east-1";

    /// <summary>Makes a client; disposed of by the caller.</summary>
    internal AmazonSecurityTokenServiceClient Client(AWSCredentials credentials) => new(
        credentials,
        new AmazonSecurityTokenServiceConfig { HttpClientFactory = Http, RegionEndpoint = RegionEndpoint.GetBySystemName(Region ?? DefaultRegion), MaxErrorRetry = 2 });
}
