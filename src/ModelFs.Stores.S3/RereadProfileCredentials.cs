using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;

namespace ModelFs.Stores.S3;

/// <summary>A profile's credentials, read anew when the shared credentials file changes: keys are rotated without a remount.</summary>
/// <param name="profiles">Where the profile is.</param>
/// <param name="name">Of the profile.</param>
/// <param name="file">Whose time is watched.</param>
internal sealed class RereadProfileCredentials(CredentialProfileStoreChain profiles, string name, string file) : AWSCredentials
{
    private readonly Lock _lock = new();
    private AWSCredentials? _current;
    private DateTime _readAt;

    /// <inheritdoc/>
    public override ImmutableCredentials GetCredentials() => Current().GetCredentials();

    /// <inheritdoc/>
    public override Task<ImmutableCredentials> GetCredentialsAsync() => Current().GetCredentialsAsync();

    private AWSCredentials Current()
    {
        lock (_lock)
        {
            var written = File.GetLastWriteTimeUtc(file);
            if (_current is null || written != _readAt)
            {
                // A file that is being rewritten may lack the profile for a moment: the last known credentials stand.
                _current = profiles.TryGetAWSCredentials(name, out var found) ? found : _current;
                _readAt = written;
            }

            return _current ?? throw new StoreException(StoreErrorKind.AccessDenied, $"the profile '{name}' is gone from {file}");
        }
    }
}
