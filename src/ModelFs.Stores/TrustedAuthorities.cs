using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ModelFs.Stores;

/// <summary>The certificate authorities of <see cref="StoreOptions.CaFile"/>.</summary>
public static class TrustedAuthorities
{
    /// <summary>A chain must end in one of the file's certificates; the host's name is checked as always.</summary>
    /// <param name="caFile">A PEM file.</param>
    /// <exception cref="StoreException">The file can't be read, or holds no certificate (<see cref="StoreErrorKind.Misconfigured"/>).</exception>
    public static X509ChainPolicy Only(string caFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(caFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StoreException(StoreErrorKind.Misconfigured, $"the CA file {caFile} can't be read: {exception.Message}", exception);
        }

        return policy.CustomTrustStore.Count > 0
            ? policy
            : throw new StoreException(StoreErrorKind.Misconfigured, $"the CA file {caFile} holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)");
    }
}
