using System.Security.Cryptography;
using System.Text.Json;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Http;

namespace ModelFs.Stores.Gcs;

/// <summary>A credential file (service account, authorized user, external account, impersonation), read anew when it changes: keys are rotated without a remount.</summary>
internal sealed class CredentialFile
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly string _source;
    private readonly string _scope;
    private readonly IHttpClientFactory _connections;
    private GoogleCredential _current;
    private DateTime _readAt;

    /// <summary>Reads the file.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when it can't be read or is no credential file.</exception>
    internal CredentialFile(string path, string source, string scope, IHttpClientFactory connections)
    {
        _path = path;
        _source = source;
        _scope = scope;
        _connections = connections;
        _readAt = File.GetLastWriteTimeUtc(path);
        (_current, Project) = Read();
    }

    /// <summary>The project that the file names, or null.</summary>
    internal string? Project { get; }

    /// <summary>What to ask for tokens.</summary>
    internal GoogleCredential Current()
    {
        lock (_lock)
        {
            var written = File.GetLastWriteTimeUtc(_path);
            if (written != _readAt)
            {
                _readAt = written;
                try
                {
                    (_current, _) = Read();
                }
                catch (StoreException)
                {
                    // A file that is being rewritten is incomplete for a moment: the last known credentials stand, until it changes again.
                }
            }

            return _current;
        }
    }

    private (GoogleCredential Credential, string? Project) Read()
    {
        try
        {
            var json = File.ReadAllText(_path);
            var head = JsonSerializer.Deserialize(json, GcsJson.Default.CredentialHead);
            if (head?.Type is not (JsonCredentialParameters.ServiceAccountCredentialType or JsonCredentialParameters.AuthorizedUserCredentialType
                or JsonCredentialParameters.ExternalAccountCredentialType or JsonCredentialParameters.ImpersonatedServiceAccountCredentialType))
            {
                throw Wrong(head?.Type is null ? "it has no 'type'" : $"its type '{head.Type}' is not known");
            }

            var credential = CredentialFactory.FromJson(json, head.Type);
            return (credential.CreateScoped(_scope).CreateWithHttpClientFactory(_connections), head.ProjectId ?? head.QuotaProjectId);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException and not StoreException)
        {
            throw Wrong(exception.Message.TrimEnd('.'), exception);
        }
        catch (JsonException exception)
        {
            // The parser's own message may quote the file.
            throw Wrong("it is not JSON", exception);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException or CryptographicException or NotSupportedException)
        {
            throw Wrong("a field is missing, or its private key can't be read", exception);
        }
    }

    private StoreException Wrong(string what, Exception? inner = null) => new(
        StoreErrorKind.Misconfigured,
        $"{_source} can't be used as credentials: {what}. It must be a key file of a service account, or what 'gcloud auth application-default login' or 'gcloud iam workload-identity-pools create-cred-config' writes",
        inner);
}
