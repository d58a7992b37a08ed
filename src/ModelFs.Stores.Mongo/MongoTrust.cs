using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>Which certificates a store trusts.</summary>
internal static class MongoTrust
{
    /// <summary>TLS 1.2 and later; with a CA file only the authorities in it. The host's name is checked as always.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    internal static SslSettings Settings(string? caFile)
    {
        var settings = new SslSettings { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CheckCertificateRevocation = false };
        if (caFile is not null)
        {
            var authorities = TrustedAuthorities.Only(caFile).CustomTrustStore;
            settings.ServerCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None
                && certificate is X509Certificate2 server
                && EndsIn(authorities, server);
        }

        return settings;
    }

    private static bool EndsIn(X509Certificate2Collection authorities, X509Certificate2 server)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        return chain.Build(server);
    }
}
