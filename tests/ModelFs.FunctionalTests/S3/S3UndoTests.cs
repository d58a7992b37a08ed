using ModelFs.FunctionalTests.Harness;
using ModelFs.FunctionalTests.Undo;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Undo with the versions of a bucket on a real S3 server.</summary>
internal sealed class S3UndoTests : UndoContract
{
    private string _bucket = $"t{Guid.NewGuid():N}";

    protected override string Address => $"s3://{_bucket}?endpoint={CephServer.Endpoint}&region=us-east-1";

    protected override IReadOnlyDictionary<string, string?> Credentials => CephServer.Owner;

    [SetUp]
    public void A_bucket_with_versions_is_there()
    {
        if (CephServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }

        Client("versioning", "Enabled");
    }

    [Test]
    [Promise("U4")]
    public void A_bucket_without_versioning_says_how_it_is_switched_on()
    {
        _bucket += "plain";
        var mount = MountModel("bert");
        Publish(mount, "bert", "notes.txt", "second version");
        foreach (var place in new[] { mount.Root, Address })
        {
            Assert.That(Undo("history", place, "bert").Output, Does.Contain($"put-bucket-versioning --bucket {_bucket}").And.Contain("Status=Enabled"));
        }

        Assert.That(History(mount.Root, "bert"), Has.Count.EqualTo(1));
    }

    private void Client(string command, string argument)
    {
        using var running = Actor.Start("/usr/bin/python3", [RepositoryPaths.Actor("s3_client.py"), command, _bucket, argument], environment: CephServer.ClientEnvironment);
        running.Wait(TimeSpan.FromSeconds(120)).Succeeded();
    }
}
