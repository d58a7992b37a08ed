using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.Mongo;

/// <summary>Fronts of MongoDB's protocol for all its tests, one of them with TLS, started by <c>scripts/servers/mongo-front</c>.</summary>
[SetUpFixture]
internal sealed class MongoServer : IDisposable
{
    private static string s_endpoint = "";
    private static string s_tlsEndpoint = "";
    private static string s_caFile = "";
    private readonly List<KeptServer> _servers = [];
    private TestFolder? _folder;

    public static string? WhyNot { get; private set; } = "the server was not started";

    /// <summary>Without a database.</summary>
    public static string Endpoint => s_endpoint;

    public static string TlsEndpoint => s_tlsEndpoint;

    public static string CaFile => s_caFile;

    [OneTimeSetUp]
    public void Start()
    {
        _folder = new TestFolder();
        s_caFile = _folder.At("server.crt");
        Actor.Run(
            "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", _folder.At("server.key"), "-out", s_caFile);
        File.WriteAllText(_folder.At("server.pem"), File.ReadAllText(_folder.At("server.key")) + File.ReadAllText(s_caFile));
        s_endpoint = Front();
        s_tlsEndpoint = Front("--tls", _folder.At("server.pem"));
    }

    [OneTimeTearDown]
    public void Dispose()
    {
        _servers.ForEach(server => server.Dispose());
        _servers.Clear();
        _folder?.Dispose();
        _folder = null;
    }

    private string Front(params IEnumerable<string> arguments)
    {
        (var server, WhyNot) = KeptServer.Start(1, RepositoryPaths.Script("servers/mongo-front"), arguments);
        if (server is not null)
        {
            _servers.Add(server);
        }

        return server?.Lines[0] ?? "";
    }
}
