using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>One Ceph object gateway for all S3 tests, started by <c>scripts/servers/ceph-rgw</c>.</summary>
[SetUpFixture]
internal sealed class CephServer : IDisposable
{
    private const int PackagesMissing = 3;
    private static readonly Dictionary<string, string> s_values = [];
    private TestFolder? _folder;

    public static string? WhyNot { get; private set; } = "the server was not started";

    public static string Endpoint => s_values["S3_ENDPOINT"];

    public static string TlsEndpoint => s_values["S3_TLS_ENDPOINT"];

    public static string CaFile => s_values["S3_CA_FILE"];

    public static string OtherCaFile => s_values["S3_OTHER_CA_FILE"];

    public static IReadOnlyDictionary<string, string?> Owner => Credentials(s_values["S3_ACCESS_KEY"], s_values["S3_SECRET_KEY"]);

    /// <summary>A user who has no right on the owner's buckets.</summary>
    public static IReadOnlyDictionary<string, string?> Stranger => Credentials(s_values["S3_OTHER_ACCESS_KEY"], s_values["S3_OTHER_SECRET_KEY"]);

    /// <summary>What boto3's side of the tests reads.</summary>
    public static IReadOnlyDictionary<string, string?> ClientEnvironment => s_values.ToDictionary(pair => pair.Key, pair => (string?)pair.Value);

    /// <summary>The standard credential variables, and nothing of the machine's own configuration.</summary>
    public static IReadOnlyDictionary<string, string?> Credentials(string accessKey, string secretKey) => new Dictionary<string, string?>
    {
        ["AWS_ACCESS_KEY_ID"] = accessKey,
        ["AWS_SECRET_ACCESS_KEY"] = secretKey,
        ["AWS_SESSION_TOKEN"] = null,
        ["AWS_PROFILE"] = null,
        ["AWS_REGION"] = null,
        ["AWS_DEFAULT_REGION"] = null,
        ["AWS_ENDPOINT_URL"] = null,
        ["AWS_ENDPOINT_URL_S3"] = null,
        ["AWS_CONFIG_FILE"] = "/dev/null",
        ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null",
    };

    [OneTimeSetUp]
    public void Start()
    {
        _folder = new TestFolder();
        var starting = Actor.Try(RepositoryPaths.Script("servers/ceph-rgw"), "start", _folder.At("ceph"), "--tls");
        if (starting.ExitCode == PackagesMissing)
        {
            WhyNot = "needs Ceph's object gateway: scripts/packages require test";
            return;
        }

        starting.Succeeded();
        foreach (var line in File.ReadAllLines(_folder.At("ceph/env")))
        {
            var (name, value) = (line[..line.IndexOf('=')], line[(line.IndexOf('=') + 1)..]);
            s_values[name] = value;
        }

        WhyNot = null;
    }

    /// <summary>Stops the server; does nothing the second time.</summary>
    [OneTimeTearDown]
    public void Dispose()
    {
        if (_folder is { } folder)
        {
            _folder = null;
            Actor.Try(RepositoryPaths.Script("servers/ceph-rgw"), "stop", folder.At("ceph"));
            folder.Dispose();
        }
    }
}
