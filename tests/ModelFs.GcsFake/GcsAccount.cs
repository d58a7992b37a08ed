using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace ModelFs.GcsFake;

/// <summary>A service account with a key generated for this run.</summary>
/// <param name="email">Its name.</param>
/// <param name="hasRights">Whether it may do anything with any bucket.</param>
public sealed class GcsAccount(string email, bool hasRights) : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);

    /// <summary>Its name.</summary>
    public string Email => email;

    internal bool HasRights => hasRights;

    /// <summary>What <c>gcloud iam service-accounts keys create</c> writes.</summary>
    public string KeyFile(string tokenEndpoint) => new JsonObject
    {
        ["type"] = "service_account",
        ["project_id"] = "fake-project",
        ["private_key_id"] = "fake-key",
        ["private_key"] = _key.ExportPkcs8PrivateKeyPem(),
        ["client_email"] = email,
        ["client_id"] = "1",
        ["token_uri"] = tokenEndpoint,
    }.ToJsonString();

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    internal bool HasSigned(byte[] data, byte[] signature) => _key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
}
