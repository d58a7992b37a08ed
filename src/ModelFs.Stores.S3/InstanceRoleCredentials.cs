using System.Text.Json;
using Amazon.Runtime;

namespace ModelFs.Stores.S3;

/// <summary>The keys of the role that this machine has, asked for again before they expire.</summary>
/// <remarks>The SDK's own class asks while it is made, on the caller's thread, and shares state between all stores of a process.</remarks>
/// <param name="metadata">Of this machine.</param>
/// <param name="time">The clock.</param>
internal sealed class InstanceRoleCredentials(InstanceMetadata metadata, TimeProvider time) : AWSCredentials, IDisposable
{
    /// <summary>The service has the next keys at least five minutes before the old ones end.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(4);

    private readonly SemaphoreSlim _asking = new(1);
    private (ImmutableCredentials Keys, DateTimeOffset Expires)? _current;

    /// <inheritdoc/>
    public void Dispose() => _asking.Dispose();

    /// <inheritdoc/>
    public override ImmutableCredentials GetCredentials() => GetCredentialsAsync().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        await _asking.WaitAsync().ConfigureAwait(false);
        try
        {
            var now = time.GetUtcNow();
            if (_current is { } fresh && now < fresh.Expires - Ahead)
            {
                return fresh.Keys;
            }

            // A service that is down for a moment costs nothing as long as the old keys are valid.
            var next = await metadata.RoleKeysAsync(CancellationToken.None).ConfigureAwait(false);
            _current = next is not null ? Read(next)
                : _current is { } old && now < old.Expires ? old
                : throw new StoreException(StoreErrorKind.Unavailable, $"the instance metadata service gives no keys ({metadata.State})");
            return _current.Value.Keys;
        }
        finally
        {
            _asking.Release();
        }
    }

    private static (ImmutableCredentials Keys, DateTimeOffset Expires) Read(string answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            var keys = document.RootElement;
            string Text(string name) => keys.GetProperty(name).GetString() ?? "";
            return (new ImmutableCredentials(Text("AccessKeyId"), Text("SecretAccessKey"), Text("Token")), keys.GetProperty("Expiration").GetDateTimeOffset());
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            // What was answered may hold a secret; it is not repeated.
            throw new StoreException(StoreErrorKind.Rejected, "the instance metadata service's answer about the role's keys can't be understood", exception);
        }
    }
}
