using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Microsoft.Extensions.Logging;

namespace ModelFs.Stores.S3;

/// <summary>The SDK's client, made at the first call because credentials and region may have to be asked for; and how every call through it runs.</summary>
internal sealed class S3Connection(S3Settings settings, StoreOptions options) : IDisposable
{
    private const string DefaultRegion = "us-east-1";

    private readonly S3HttpClients _http = new(options);
    private readonly SemaphoreSlim _connecting = new(1);
    private AmazonS3Client? _client;
    private volatile bool _refusesChunks;

    internal S3Settings Settings => settings;

    internal StoreOptions Options => options;

    internal S3Errors Errors { get; } = new(settings, options);

    internal ILogger Logger { get; } = options.LoggerFactory.CreateLogger<S3Store>();

    /// <summary>The region in use; known after the first call.</summary>
    internal string Region { get; private set; } = settings.Region ?? DefaultRegion;

    /// <summary>Whether the body of an upload is left unsigned: TLS protects it already, and hashing costs a core.</summary>
    internal bool LeavesBodyUnsigned => settings.Endpoint is null || settings.Endpoint.Scheme == Uri.UriSchemeHttps;

    internal RequestPayer? Payer => settings.IsRequesterPays ? RequestPayer.Requester : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        _client?.Dispose();
        _http.Dispose();
        _connecting.Dispose();
    }

    /// <summary>Runs a call under the deadline without progress; every failure becomes a <see cref="StoreException"/>.</summary>
    /// <param name="call">Gets the client and the deadline, whose token it passes on.</param>
    /// <param name="doing">For messages.</param>
    /// <param name="patience">How many times the usual deadline an answer may take.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    internal async Task<T> CallAsync<T>(Func<AmazonS3Client, ProgressDeadline, Task<T>> call, string doing, CancellationToken cancellationToken, int patience = 1)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var deadline = new ProgressDeadline(options.Deadlines.NoProgress * patience, options.TimeProvider, cancellationToken);
        try
        {
            var client = _client ?? await ConnectAsync(deadline.Token).ConfigureAwait(false);
            deadline.Touch();

            // The SDK's own waits (credentials from a server that hangs) do not all follow a token.
            return await call(client, deadline).WaitAsync(deadline.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The contract: every failure is a StoreException. The SDK throws a dozen types.
        catch (Exception exception) when (exception is not StoreException)
#pragma warning restore CA1031
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Errors.From(exception, doing, deadline.HasPassed);
        }
    }

    /// <summary>
    /// Sends a body over plain http, signed chunk by chunk while it is read; a server that does not know that (OpenStack Swift answers 501) gets a
    /// signature of the whole, for which the body is read twice. Over TLS no body is signed.
    /// </summary>
    /// <param name="sendAsync">Gets whether to sign in chunks.</param>
    internal async Task<T> SendBodyAsync<T>(Func<bool, Task<T>> sendAsync)
    {
        if (LeavesBodyUnsigned || _refusesChunks)
        {
            return await sendAsync(LeavesBodyUnsigned).ConfigureAwait(false);
        }

        try
        {
            return await sendAsync(true).ConfigureAwait(false);
        }
        catch (StoreException failure) when (S3Conditions.IsNotImplemented(failure))
        {
            // It may have been the condition that the server does not know; then this fails, too, and is the caller's to judge.
            var answer = await sendAsync(false).ConfigureAwait(false);
            _refusesChunks = true;
            return answer;
        }
    }

    /// <summary>Whether a body is read into memory before it is signed as a whole and sent: see <see cref="HeldContent"/>.</summary>
    internal bool MustHold(IPublishContent content, long length, bool inChunks) =>
        !inChunks && !LeavesBodyUnsigned && content.Segments.Count > 0 && length <= options.SingleUploadBytesMax;

    private async Task<AmazonS3Client> ConnectAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_client is not null)
            {
                return _client;
            }

            var metadata = new InstanceMetadata(options.Environment, options.TimeProvider);
            var credentials = await S3Credentials.ResolveAsync(settings, metadata, new TokenService(_http, settings.Region ?? S3Credentials.RegionOfProfile(settings, options.Environment), options), cancellationToken).ConfigureAwait(false);
            Region = settings.Region
                ?? S3Credentials.RegionOfProfile(settings, options.Environment)
                ?? (settings.IsCustomEndpoint ? DefaultRegion : await metadata.RegionAsync(cancellationToken).ConfigureAwait(false))
                ?? throw new StoreException(StoreErrorKind.Misconfigured, $"no region for s3://{settings.Bucket}: name it with ?region=REGION in the URL, or set AWS_REGION");
            Errors.CredentialSource = credentials.Source;
            Log.Connected(Logger, settings.Bucket, Region, credentials.Source);
            _client = new AmazonS3Client(credentials.Value ?? new AnonymousAWSCredentials(), Configuration());
            return _client;
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Prepares the first read, without the server.</summary>
    internal void RehearseRead() => ReadRehearsal.Begin(Configuration());

    private AmazonS3Config Configuration()
    {
        var configuration = new AmazonS3Config
        {
            HttpClientFactory = _http,
            ForcePathStyle = settings.UsesPathStyle,
            IgnoreConfiguredEndpointUrls = true,

            // Ceph, MinIO and R2 refuse or ignore the SDK's default trailing checksums.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,

            // Retries belong to the decorator, which knows what may be repeated and for how long.
            MaxErrorRetry = 0,
            ThrottleRetries = false,
        };
        if (settings.Endpoint is not null)
        {
            configuration.ServiceURL = settings.Endpoint.ToString();
            configuration.AuthenticationRegion = Region;
        }
        else
        {
            configuration.RegionEndpoint = RegionEndpoint.GetBySystemName(Region);
        }

        return configuration;
    }
}
