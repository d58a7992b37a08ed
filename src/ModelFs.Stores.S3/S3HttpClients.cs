using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Amazon.Runtime;

namespace ModelFs.Stores.S3;

/// <summary>The one HTTP client of a store: its connections, its trust, its proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).</summary>
internal sealed class S3HttpClients : HttpClientFactory, IDisposable
{
    private readonly HttpClient _client;

    /// <summary>Makes the client.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    internal S3HttpClients(StoreOptions options)
    {
        var tls = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (options.CaFile is not null)
        {
            tls.CertificateChainPolicy = TrustedAuthorities.Only(options.CaFile);
        }

        // An archive must arrive as it is stored: no decompression. Redirects are the SDK's, which signs them anew.
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = PromptConnection.ConnectAsync,
            ConnectTimeout = options.Deadlines.Connect,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
            SslOptions = tls,
            UseCookies = false,
        };

        // Deadlines watch progress, not the whole call: a big archive takes as long as it takes.
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc/>
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    /// <inheritdoc/>
    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();
}
