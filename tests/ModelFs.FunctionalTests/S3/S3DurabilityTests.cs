using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>What programs hear of a bucket that does not take a change. The settle time is so long that only a close or a sync publishes.</summary>
internal sealed class S3DurabilityTests : S3Fixture
{
    private static readonly string[] s_remote = ["--durability", "remote", "--fetch-deadline", "2"];

    [TestCase(403, "AccessDenied", "EACCES")]
    [TestCase(403, "QuotaExceeded", "ENOSPC")]
    [TestCase(507, "InsufficientStorage", "ENOSPC")]
    [TestCase(400, "InvalidRequest", "EIO")]
    [TestCase(503, "SlowDown", "EIO")]
    [TestCase(0, "", "EIO")]
    [Promise("D3")]
    public void A_close_fails_as_the_bucket_s_refusal_says_and_the_change_is_published_later(int status, string code, string errno)
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = MountBert(proxy, s_remote);
        proxy.Fault = line => IsUpload(line) ? status == 0 ? ProxyFault.Cut : ProxyFault.Answer(status, code) : null;
        Assert.That(Actor.Errno(Write(mount.At("bert", "notes.txt"), "os.close(file)")), Is.EqualTo(errno));
        var model = mount.Status()["bert"];
        Assert.That(model.State, Is.EqualTo("failed"));
        Assert.That(model.Tries, Is.GreaterThan(0));
        Assert.That(model.LastError, Does.Contain("bert").And.Contain("s3://" + Bucket));
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("changed"), "the change is kept");

        proxy.Fault = _ => null;
        mount.Sync("bert");
        AssertPublished(mount);
        Assert.That(mount.Status()["bert"].LastError, Is.Null.Or.Empty);
    }

    [Test]
    [Promise("D3")]
    public void A_close_of_a_version_that_lost_against_the_bucket_is_ESTALE_and_the_version_is_kept()
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = MountBert(proxy, s_remote);
        Upload("", "bert:A:kib=4");
        Assert.That(Actor.Errno(Write(mount.At("bert", "notes.txt"), "os.close(file)")), Is.EqualTo("ESTALE"));
        var kept = Actor.Run("/bin/ls", mount.At(".modelfs", "conflicts")).Output.Trim();
        Assert.That(File.ReadAllText(mount.At(".modelfs", "conflicts", kept, "notes.txt")), Is.EqualTo("changed"));
    }

    [Test]
    [Promise("D3")]
    public void A_close_whose_answer_was_lost_succeeds_since_the_bucket_has_the_change()
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = MountBert(proxy, ["--durability", "remote"]);
        var lost = 0;
        proxy.Fault = line => IsUpload(line) && Interlocked.Exchange(ref lost, 1) == 0 ? ProxyFault.LostAnswer : null;
        Assert.That(Actor.Errno(Write(mount.At("bert", "notes.txt"), "os.close(file)")), Is.EqualTo("none"));
        Assert.That(lost, Is.EqualTo(1), "no answer was lost: this test has shown nothing");
        AssertPublished(mount);
        Assert.That(Actor.Run("/bin/ls", mount.At(".modelfs", "conflicts")).Output, Is.Empty);
    }

    [TestCase("local")]
    [TestCase("remote")]
    [Promise("D6")]
    public void Fsync_waits_for_the_store_in_neither_mode(string durability)
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = MountBert(proxy, ["--durability", durability]);
        var uploads = proxy.Requests("PUT", "bert.tar.gz");
        proxy.Fault = line => IsUpload(line) ? ProxyFault.Answer(403, "AccessDenied") : null;
        Assert.That(
            Actor.Errno(Write(mount.At("bert", "notes.txt"), $"os.fsync(file); os.fdatasync(file); os.fsync(os.open('{mount.At("bert")}', os.O_RDONLY)); os.sync(); os._exit(print('none', flush=True) or 0)")),
            Is.EqualTo("none"));
        Assert.That(proxy.Requests("PUT", "bert.tar.gz"), Is.EqualTo(uploads), "nothing was sent before");
        proxy.Fault = _ => null;
        mount.Sync("bert");
        AssertPublished(mount);
    }

    [Test]
    [Promise("D6")]
    public void With_local_a_close_succeeds_whatever_the_bucket_says_and_the_status_tells_the_reason()
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = MountBert(proxy, ["--durability", "local"]);
        proxy.Fault = line => IsUpload(line) ? ProxyFault.Answer(403, "AccessDenied") : null;
        Assert.That(Actor.Errno(Write(mount.At("bert", "notes.txt"), "os.close(file)")), Is.EqualTo("none"));
        var refused = MountedStore.Modelfs(["sync", mount.Root, "bert"]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("access denied"));
        Assert.That(mount.Status()["bert"].LastError, Does.Contain("access denied"));
        proxy.Fault = _ => null;
        mount.Sync("bert");
        AssertPublished(mount);
    }

    private static bool IsUpload(string line) => line.StartsWith("PUT ", StringComparison.Ordinal) && line.Contains("/bert.tar.gz", StringComparison.Ordinal);

    private static string Write(string path, string then) => $"file = os.open('{path}', os.O_WRONLY | os.O_CREAT); os.write(file, b'changed'); {then}";

    private MountedStore MountBert(FaultProxy proxy, IReadOnlyList<string> options)
    {
        Upload("", "bert:A");
        var mount = Mount(new MountSettings { Environment = CephServer.Owner, Settle = "600", More = options }, Url(proxy.Endpoint));
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        return mount;
    }

    private void AssertPublished(MountedStore mount)
    {
        Download("bert");
        AssertArchiveHolds("bert", mount.At("bert"));
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }
}
