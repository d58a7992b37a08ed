using System.Security.Authentication;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace ModelFs.Stores.S3;

/// <summary>The keys of a role that the token service (STS) gives for a web identity or for other keys, asked for again before they expire.</summary>
/// <remarks>
/// The SDK's own classes reach the token service by a client of theirs, to which neither <see cref="StoreOptions.CaFile"/> nor a deadline applies. The service's address is the
/// region's, or what the standard variables say (AWS_ENDPOINT_URL_STS).
/// </remarks>
internal sealed class RoleCredentials : AWSCredentials, IDisposable
{
    /// <summary>How long before their end keys are replaced.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private readonly string _role;
    private readonly Func<Task<Credentials>> _askAsync;
    private readonly AmazonSecurityTokenServiceClient _service;
    private readonly StoreOptions _options;
    private readonly SemaphoreSlim _asking = new(1);
    private Credentials? _current;

    private RoleCredentials(string role, AmazonSecurityTokenServiceClient service, StoreOptions options, Func<AmazonSecurityTokenServiceClient, Task<Credentials>> askAsync)
    {
        _role = role;
        _service = service;
        _options = options;
        _askAsync = () => askAsync(service);
    }

    /// <summary>For the token in a file, which is read each time: its issuer replaces it.</summary>
    internal static RoleCredentials OfWebIdentity(string tokenFile, string role, string? session, TokenService service) =>
        new(role, service.Client(new AnonymousAWSCredentials()), service.Options, async client =>
        {
            var request = new AssumeRoleWithWebIdentityRequest
            {
                RoleArn = role,
                RoleSessionName = session ?? TokenService.SessionName,
                WebIdentityToken = (await File.ReadAllTextAsync(tokenFile).ConfigureAwait(false)).Trim(),
            };
            return (await client.AssumeRoleWithWebIdentityAsync(request).ConfigureAwait(false)).Credentials;
        });

    /// <summary>For keys that may take the role.</summary>
    internal static RoleCredentials Of(AWSCredentials source, string role, string? session, string? externalId, TokenService service) =>
        new(role, service.Client(source), service.Options, async client =>
            (await client.AssumeRoleAsync(new AssumeRoleRequest { RoleArn = role, RoleSessionName = session ?? TokenService.SessionName, ExternalId = externalId }).ConfigureAwait(false)).Credentials);

    /// <inheritdoc/>
    public void Dispose()
    {
        _service.Dispose();
        _asking.Dispose();
    }

    /// <inheritdoc/>
    public override ImmutableCredentials GetCredentials() => GetCredentialsAsync().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        await _asking.WaitAsync().ConfigureAwait(false);
        try
        {
            var now = _options.TimeProvider.GetUtcNow();
            if (_current is null || now >= EndOf(_current) - Ahead)
            {
                try
                {
                    _current = await AskAsync().ConfigureAwait(false);
                }
                catch (StoreException) when (_current is not null && now < EndOf(_current))
                {
                    // A service that is down for a moment costs nothing as long as the old keys are valid.
                }
            }

            return new ImmutableCredentials(_current!.AccessKeyId, _current.SecretAccessKey, _current.SessionToken);
        }
        finally
        {
            _asking.Release();
        }
    }

    private static DateTimeOffset EndOf(Credentials keys) => keys.Expiration is { } end ? new DateTimeOffset(end.ToUniversalTime()) : DateTimeOffset.MinValue;

    private async Task<Credentials> AskAsync()
    {
        try
        {
            return await _askAsync().WaitAsync(_options.Deadlines.NoProgress, _options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            throw Error(StoreErrorKind.Unavailable, $"no answer within {_options.Deadlines.NoProgress.TotalSeconds} s", exception);
        }
        catch (Exception exception) when (exception is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or UnauthorizedAccessException)
        {
            throw FromAnswer(exception);
        }
    }

    private StoreException FromAnswer(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException tls)
            {
                var trust = _options.CaFile is null ? "if it was issued by a private authority, name that with --ca-file" : $"only the authorities in {_options.CaFile} are trusted";
                return Error(StoreErrorKind.Misconfigured, $"its certificate is not trusted: {tls.Message} {trust}", exception);
            }
        }

        return exception switch
        {
            AmazonSecurityTokenServiceException { StatusCode: >= System.Net.HttpStatusCode.BadRequest and < System.Net.HttpStatusCode.InternalServerError } refused =>
                Error(StoreErrorKind.AccessDenied, $"{(int)refused.StatusCode} {refused.ErrorCode}: {refused.Message}", exception),
            FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException => Error(StoreErrorKind.AccessDenied, exception.Message, exception),
            _ => Error(StoreErrorKind.Unavailable, exception.Message, exception),
        };
    }

    private StoreException Error(StoreErrorKind kind, string what, Exception inner) => new(kind, $"the keys of role {_role} could not be had of the token service (STS): {what}", inner);
}
