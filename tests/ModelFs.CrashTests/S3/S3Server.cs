using ModelFs.CrashTests.Kills;
using ModelFs.FunctionalTests.Harness;
using ModelFs.FunctionalTests.S3;

namespace ModelFs.CrashTests.S3;

/// <summary>One Ceph object gateway for all tests of this namespace.</summary>
[SetUpFixture]
internal sealed class S3Server : IDisposable
{
    private readonly CephServer _server = new();

    public static void RequireHere()
    {
        if (CephServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    [OneTimeSetUp]
    public void Start() => _server.Start();

    [OneTimeTearDown]
    public void Dispose() => _server.Dispose();
}

/// <summary>A bucket of its own, filled and read by boto3.</summary>
/// <param name="endpoint">The server's, or that of a proxy before it.</param>
internal sealed class S3CrashStore(string? endpoint = null) : CrashStore
{
    private readonly string _bucket = $"t{Guid.NewGuid():N}";

    public override string Url => UrlAt(endpoint ?? CephServer.Endpoint);

    public override IReadOnlyDictionary<string, string?> Environment => CephServer.Owner;

    public string UrlAt(string where) => $"s3://{_bucket}?endpoint={where}&region=us-east-1";

    public override void PutArchives(string folder) => Client("put", _bucket, folder);

    public override void Fetch(string folder)
    {
        Actor.Bash($"rm -rf '{folder}'; mkdir '{folder}'");
        Client("get-all", _bucket, folder);
    }

    private static ActorResult Client(params IEnumerable<string> arguments)
    {
        using var running = Actor.Start("/usr/bin/python3", [RepositoryPaths.Actor("s3_client.py"), .. arguments], environment: CephServer.ClientEnvironment);
        return running.Wait(TimeSpan.FromSeconds(120)).Succeeded();
    }
}
