using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.Gcs;

/// <summary>One stand-in for Google Cloud Storage for all its tests, started by <c>scripts/servers/gcs-fake</c>.</summary>
[SetUpFixture]
internal sealed class GcsServer : IDisposable
{
    private const int Variables = 4;
    private static readonly Dictionary<string, string> s_values = [];
    private TestFolder? _folder;
    private KeptServer? _server;

    public static string? WhyNot { get; private set; } = "the server was not started";

    /// <summary>Plain http, without tokens.</summary>
    public static string Endpoint => s_values["STORAGE_EMULATOR_HOST"];

    /// <summary>Https, with tokens.</summary>
    public static string TlsEndpoint => s_values["GCS_TLS_ENDPOINT"];

    public static string CaFile => s_values["GCS_CA_FILE"];

    public static string KeyFile => s_values["GOOGLE_APPLICATION_CREDENTIALS"];

    [OneTimeSetUp]
    public void Start()
    {
        _folder = new TestFolder();
        (_server, WhyNot) = KeptServer.Start(Variables, RepositoryPaths.Script("servers/gcs-fake"), _folder.At("gcs"));
        foreach (var line in _server?.Lines ?? [])
        {
            s_values[line[..line.IndexOf('=')]] = line[(line.IndexOf('=') + 1)..];
        }
    }

    [OneTimeTearDown]
    public void Dispose()
    {
        _server?.Dispose();
        _server = null;
        _folder?.Dispose();
        _folder = null;
    }
}
