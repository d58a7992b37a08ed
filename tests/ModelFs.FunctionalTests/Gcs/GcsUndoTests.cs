using ModelFs.FunctionalTests.Harness;
using ModelFs.FunctionalTests.Undo;

namespace ModelFs.FunctionalTests.Gcs;

/// <summary>Undo with the generations of a bucket with versioning.</summary>
internal sealed class GcsVersionsUndoTests : GcsUndoContract
{
    protected override string Settings => """ "versioning":{"enabled":true},"softDeletePolicy":{"retentionDurationSeconds":"0"} """;
}

/// <summary>Undo with what a bucket as Google makes it by default keeps: deleted and replaced objects, for a week, which must be restored to be read.</summary>
internal sealed class GcsSoftDeleteUndoTests : GcsUndoContract
{
    protected override string Settings => """ "softDeletePolicy":{"retentionDurationSeconds":"604800"} """;

    [Test]
    [Promise("U4")]
    public void A_bucket_that_keeps_nothing_says_how_that_is_switched_on()
    {
        MakeBucket("plain", """ "softDeletePolicy":{"retentionDurationSeconds":"0"} """);
        var mount = Mount(new MountSettings { Environment = Credentials }, Address + "plain");
        Actor.Run("/bin/cp", "-a", Tree("bert"), mount.Root);
        mount.Sync();
        Publish(mount, "bert", "notes.txt", "second version");
        foreach (var place in new[] { mount.Root, Address + "plain" })
        {
            Assert.That(Undo("history", place, "bert").Output, Does.Contain("--versioning").And.Contain("--soft-delete-duration"));
        }

        Assert.That(History(mount.Root, "bert"), Has.Count.EqualTo(1));
    }
}

/// <summary>Undo with what a bucket of Google Cloud Storage keeps.</summary>
internal abstract class GcsUndoContract : UndoContract
{
    private readonly string _bucket = $"t{Guid.NewGuid():N}";

    /// <summary>Members of the bucket's description.</summary>
    protected abstract string Settings { get; }

    protected override string Address => $"gs://{_bucket}";

    protected override IReadOnlyDictionary<string, string?> Credentials => new Dictionary<string, string?>
    {
        ["STORAGE_EMULATOR_HOST"] = GcsServer.Endpoint,
        ["GOOGLE_APPLICATION_CREDENTIALS"] = null,
    };

    [SetUp]
    public void A_bucket_is_there()
    {
        if (GcsServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }

        MakeBucket("", Settings);
    }

    protected void MakeBucket(string suffix, string settings) => Actor.Run(
        "/usr/bin/curl", "-fsS", "-X", "POST", "-H", "Content-Type: application/json", "-d", $$"""{"name":"{{_bucket}}{{suffix}}",{{settings}}}""", $"{GcsServer.Endpoint}/storage/v1/b?project=p");
}
