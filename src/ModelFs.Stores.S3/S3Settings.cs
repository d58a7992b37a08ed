namespace ModelFs.Stores.S3;

/// <summary>What the URL of an S3 store says, checked: <c>s3://bucket[/prefix]?option=value&amp;…</c>.</summary>
/// <param name="Bucket">The bucket's name.</param>
/// <param name="Prefix">Empty, or ends with a slash; models' keys follow it.</param>
/// <param name="Endpoint">The server; null for AWS's own of the region.</param>
/// <param name="Region">As the URL or the environment names it; null when neither does.</param>
/// <param name="UsesPathStyle">Whether the bucket stands in the path and not in the host's name.</param>
/// <param name="Profile">The profile of the shared configuration that the URL names, or null.</param>
/// <param name="IsAnonymous">Whether requests are not signed at all.</param>
/// <param name="Encryption">The server-side encryption to ask for (<c>AES256</c>, <c>aws:kms</c>), or null.</param>
/// <param name="EncryptionKey">The KMS key's id or ARN, or null.</param>
/// <param name="StorageClass">The storage class of published archives, or null for the bucket's.</param>
/// <param name="IsRequesterPays">Whether the caller pays for requests.</param>
public sealed record S3Settings(
    string Bucket,
    string Prefix,
    Uri? Endpoint,
    string? Region,
    bool UsesPathStyle,
    string? Profile,
    bool IsAnonymous,
    string? Encryption,
    string? EncryptionKey,
    string? StorageClass,
    bool IsRequesterPays)
{
    private static readonly string[] KnownOptions =
        ["endpoint", "region", "path-style", "profile", "anonymous", "sse", "kms-key-id", "storage-class", "requester-pays"];

    /// <summary>Whether the server is not one of AWS.</summary>
    public bool IsCustomEndpoint => Endpoint is not null && !IsOfAws(Endpoint);

    /// <summary>Reads the settings from the URL, and from the standard variables what the URL leaves out.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/>, naming the part that is wrong.</exception>
    public static S3Settings Read(StoreUrl url, Func<string, string?> environment)
    {
        url.RequireOptionsAmong(KnownOptions);
        var slash = url.Place.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? url.Place : url.Place[..slash];
        var prefix = slash < 0 ? "" : url.Place[(slash + 1)..].TrimEnd('/');
        CheckBucket(bucket);

        var endpoint = ReadEndpoint(url, environment);
        return new S3Settings(
            bucket,
            prefix.Length == 0 ? "" : prefix + "/",
            endpoint,
            First(Option(url, "region"), environment("AWS_REGION"), environment("AWS_DEFAULT_REGION")) ?? RegionOf(endpoint),
            ReadFlag(url, "path-style") ?? (endpoint is not null && !IsOfAws(endpoint)),
            Option(url, "profile"),
            ReadFlag(url, "anonymous") ?? false,
            Option(url, "sse") ?? (Option(url, "kms-key-id") is null ? null : "aws:kms"),
            Option(url, "kms-key-id"),
            Option(url, "storage-class")?.ToUpperInvariant(),
            ReadFlag(url, "requester-pays") ?? false);
    }

    private static void CheckBucket(string bucket)
    {
        if (bucket.Contains('@', StringComparison.Ordinal))
        {
            throw Wrong("credentials don't belong into the URL of an S3 store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with ?profile=NAME");
        }

        if (bucket.Length is < 3 or > 255 || !bucket.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_'))
        {
            throw Wrong($"'{bucket}' can't be the name of a bucket: it takes 3 to 63 letters, digits, dots and hyphens; write s3://BUCKET/PREFIX");
        }
    }

    private static Uri? ReadEndpoint(StoreUrl url, Func<string, string?> environment)
    {
        string[] sources = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
        var source = Option(url, "endpoint") is not null ? "the option 'endpoint'" : Array.Find(sources, name => !string.IsNullOrEmpty(environment(name)));
        if (source is null)
        {
            return null;
        }

        var text = Option(url, "endpoint") ?? environment(source)!;
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https" && endpoint.UserInfo.Length == 0 && endpoint.Query.Length == 0
            ? endpoint
            : throw Wrong($"{source} is not an http:// or https:// URL without user and query, for example https://s3.example.org:9000");
    }

    private static bool? ReadFlag(StoreUrl url, string name) => Option(url, name)?.ToLowerInvariant() switch
    {
        null => null,
        "true" or "1" or "yes" => true,
        "false" or "0" or "no" => false,
        _ => throw Wrong($"the option '{name}' is true or false"),
    };

    private static bool IsOfAws(Uri endpoint) =>
        endpoint.Host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase) || endpoint.Host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase);

    /// <summary>The region in a name such as <c>s3.eu-central-1.amazonaws.com</c>.</summary>
    private static string? RegionOf(Uri? endpoint)
    {
        var labels = endpoint is not null && IsOfAws(endpoint) ? endpoint.Host.Split('.') : [];
        var at = Array.IndexOf(labels, "amazonaws");
        return at > 1 && labels[at - 1] is not "s3" ? labels[at - 1] : null;
    }

    private static string? Option(StoreUrl url, string name) => url.Options.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    private static string? First(params ReadOnlySpan<string?> values)
    {
        foreach (var value in values)
        {
            if (!string.IsNullOrEmpty(value))
            {
                return value;
            }
        }

        return null;
    }

    private static StoreException Wrong(string message) => new(StoreErrorKind.Misconfigured, message);
}
