using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary><c>modelfs doctor</c> on a bucket of a real server.</summary>
internal sealed class S3DoctorTests : S3Fixture
{
    [Test]
    [Promise("M6")]
    public void A_bucket_is_looked_at_and_left_as_it_was()
    {
        Upload("", "bert:A");
        var result = Doctor(CephServer.Owner);
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(result.Output, Does.Match("ok +store +s3://" + Bucket).And.Match("ok +clock").And.Match("warning +conditions +the store itself does not check uploads in parts, deletions").And.Contain("put-bucket-versioning"));
        Assert.That(Client("list", Bucket).Lines, Is.EqualTo(["bert.tar.gz"]));
    }

    [Test]
    [Promise("M6")]
    public void Wrong_keys_and_a_server_that_is_not_there_are_failures_with_what_to_do()
    {
        Upload("", "bert:A");
        var wrong = Doctor(CephServer.Credentials(CephServer.Owner["AWS_ACCESS_KEY_ID"]!, "no-such-secret"));
        Assert.That(wrong.ExitCode, Is.EqualTo(1));
        Assert.That(wrong.Output, Does.Match("FAILED +store").And.Contain("the secret key is wrong").And.Contain("check the credentials").And.Not.Contain("no-such-secret"));
        var gone = Doctor(CephServer.Owner, Url("http://127.0.0.1:1"));
        Assert.That(gone.ExitCode, Is.EqualTo(1));
        Assert.That(gone.Output, Does.Match("FAILED +store").And.Contain("check that the server runs"));
    }

    private ActorResult Doctor(IReadOnlyDictionary<string, string?> credentials, string? store = null) =>
        MountedStore.Modelfs(["doctor", store ?? Url(), "--cache-dir", Folder.At("cache")], credentials);
}
