using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Apis.Http;

namespace ModelFs.Stores.Gcs;

/// <summary>Connections of one store, to the storage and to the token endpoints alike: trust, proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), time to connect.</summary>
internal sealed class GcsHttpHandlers : HttpClientFactory
{
    private readonly StoreOptions _options;
    private readonly bool _usesProxy;
    private readonly X509ChainPolicy? _trust;

    /// <summary>Prepares the connections.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    internal GcsHttpHandlers(StoreOptions options)
        : this(options, usesProxy: true, options.CaFile is null ? null : TrustedAuthorities.Only(options.CaFile))
    {
    }

    private GcsHttpHandlers(StoreOptions options, bool usesProxy, X509ChainPolicy? trust)
    {
        _options = options;
        _usesProxy = usesProxy;
        _trust = trust;
    }

    /// <summary>The same without a proxy, for what is link-local.</summary>
    internal GcsHttpHandlers Direct() => new(_options, usesProxy: false, _trust);

    /// <summary>Makes a handler; the caller disposes of it.</summary>
    internal SocketsHttpHandler Create() => new()
    {
        // 308 is an answer of the upload protocol here, and an archive must arrive as it is stored.
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = PromptConnection.ConnectAsync,
        ConnectTimeout = _options.Deadlines.Connect,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = _trust },
        UseCookies = false,
        UseProxy = _usesProxy,
    };

    /// <inheritdoc/>
    protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => Create();
}
