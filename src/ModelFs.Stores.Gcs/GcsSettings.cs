namespace ModelFs.Stores.Gcs;

/// <summary>What the URL of a Google Cloud Storage store says, checked: <c>gs://bucket[/prefix]?option=value&amp;…</c>.</summary>
/// <param name="Bucket">The bucket's name.</param>
/// <param name="Prefix">Empty, or ends with a slash; models' keys follow it.</param>
/// <param name="Endpoint">The server, without a path; Google's own unless the URL or <c>STORAGE_EMULATOR_HOST</c> names another.</param>
/// <param name="IsEmulator">Whether <c>STORAGE_EMULATOR_HOST</c> named the server: it gets no credentials.</param>
/// <param name="IsAnonymous">Whether requests carry no token at all.</param>
/// <param name="Project">The project that a missing bucket is created in, or null for that of the credentials.</param>
/// <param name="Location">Where a missing bucket is created (<c>EU</c>, <c>us-east1</c>), or null for Google's default.</param>
/// <param name="StorageClass">The storage class of published archives, or null for the bucket's.</param>
/// <param name="UserProject">The project that pays for requests to a requester-pays bucket, or null.</param>
public sealed record GcsSettings(
    string Bucket,
    string Prefix,
    Uri Endpoint,
    bool IsEmulator,
    bool IsAnonymous,
    string? Project,
    string? Location,
    string? StorageClass,
    string? UserProject)
{
    /// <summary>Whether the server is Google's own, whose documentation holds for it.</summary>
    public bool IsGoogle => Endpoint.Host.EndsWith(".googleapis.com", StringComparison.OrdinalIgnoreCase);

    private const string EmulatorVariable = "STORAGE_EMULATOR_HOST";
    private static readonly Uri Google = new("https://storage.googleapis.com");
    private static readonly string[] KnownOptions = ["endpoint", "project", "location", "storage-class", "user-project", "anonymous"];

    /// <summary>Reads the settings from the URL, and from the standard variables what the URL leaves out.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/>, naming the part that is wrong.</exception>
    public static GcsSettings Read(StoreUrl url, Func<string, string?> environment)
    {
        url.RequireOptionsAmong(KnownOptions);
        var slash = url.Place.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? url.Place : url.Place[..slash];
        var prefix = slash < 0 ? "" : url.Place[(slash + 1)..].TrimEnd('/');
        CheckBucket(bucket);

        var endpoint = Option(url, "endpoint");
        var emulator = endpoint is null && environment(EmulatorVariable) is { Length: > 0 } host ? host : null;
        return new GcsSettings(
            bucket,
            prefix.Length == 0 ? "" : prefix + "/",
            endpoint is not null ? ReadEndpoint(endpoint, "the option 'endpoint'") : emulator is not null ? ReadEmulator(emulator) : Google,
            emulator is not null,
            ReadFlag(url, "anonymous") ?? false,
            Option(url, "project") ?? Variable(environment, "GOOGLE_CLOUD_PROJECT") ?? Variable(environment, "GCLOUD_PROJECT"),
            Option(url, "location"),
            Option(url, "storage-class")?.ToUpperInvariant(),
            Option(url, "user-project"));
    }

    private static void CheckBucket(string bucket)
    {
        if (bucket.Contains('@', StringComparison.Ordinal))
        {
            throw Wrong("credentials don't belong into the URL of a gs:// store: set GOOGLE_APPLICATION_CREDENTIALS to the path of a key file");
        }

        if (bucket.Length is < 3 or > 222 || !bucket.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or '_'))
        {
            throw Wrong($"'{bucket}' can't be the name of a bucket: it takes 3 to 63 lower-case letters, digits, hyphens, underscores and dots; write gs://BUCKET/PREFIX");
        }
    }

    /// <summary>Emulators are named with or without <c>http://</c>, and by some tools with a trailing path.</summary>
    private static Uri ReadEmulator(string host) =>
        ReadEndpoint((host.Contains("://", StringComparison.Ordinal) ? host : "http://" + host).TrimEnd('/'), EmulatorVariable);

    private static Uri ReadEndpoint(string text, string source) =>
        Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https" && endpoint.UserInfo.Length == 0 && endpoint.PathAndQuery == "/"
            ? endpoint
            : throw Wrong($"{source} is not an http:// or https:// URL of a host without path, user and query, for example http://localhost:4443");

    private static bool? ReadFlag(StoreUrl url, string name) => Option(url, name)?.ToLowerInvariant() switch
    {
        null => null,
        "true" or "1" or "yes" => true,
        "false" or "0" or "no" => false,
        _ => throw Wrong($"the option '{name}' is true or false"),
    };

    private static string? Option(StoreUrl url, string name) => url.Options.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    private static string? Variable(Func<string, string?> environment, string name) => environment(name) is { Length: > 0 } value ? value : null;

    private static StoreException Wrong(string message) => new(StoreErrorKind.Misconfigured, message);
}
