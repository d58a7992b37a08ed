using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Base of the tests on a real S3 server: a bucket of the test's own, filled and read by boto3.</summary>
internal abstract class S3Fixture : MountFixture
{
    protected string Bucket { get; } = $"t{Guid.NewGuid():N}";

    [SetUp]
    public void A_server_is_there()
    {
        if (CephServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    protected string Url(string? endpoint = null, string? bucket = null) => $"s3://{bucket ?? Bucket}?endpoint={endpoint ?? CephServer.Endpoint}&region=us-east-1";

    protected static MountSettings AsOwner(params IReadOnlyList<string> more) => new() { Environment = CephServer.Owner, More = more };

    /// <summary>Packs sample models and uploads them.</summary>
    protected void Upload(string prefix, params IEnumerable<string> models)
    {
        Pack(models);
        Client("put", Bucket, StoreFolder, prefix);
    }

    /// <summary>Runs boto3.</summary>
    internal static ActorResult Client(params IEnumerable<string> arguments)
    {
        using var running = Actor.Start("/usr/bin/python3", [RepositoryPaths.Actor("s3_client.py"), .. arguments], environment: CephServer.ClientEnvironment);
        return running.Wait(TimeSpan.FromSeconds(120)).Succeeded();
    }

    /// <summary>The bucket's archive, downloaded by boto3 to where the checks of archives look for it.</summary>
    protected void Download(string model) => Client("get", Bucket, model + ".tar.gz", ArchiveOf(model));
}
