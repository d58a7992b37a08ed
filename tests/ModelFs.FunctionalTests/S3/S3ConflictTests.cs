using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Two mounts on one bucket change one model, and how firmly the server says who was first.</summary>
internal sealed class S3ConflictTests : ConflictContract
{
    private readonly string _bucket = $"t{Guid.NewGuid():N}";

    protected override string Address => Url(CephServer.Endpoint);

    protected override IReadOnlyDictionary<string, string?> Credentials => CephServer.Owner;

    [SetUp]
    public void A_server_is_there()
    {
        if (CephServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    [Test]
    [Promise("O4")]
    public void Status_says_which_conditions_this_server_does_not_check()
    {
        Put("bert:A");
        var mount = Mount(new MountSettings { Environment = Credentials }, Address);
        Eventually.True(() => mount.Status().Condition("replace") != "unproven", "the server was asked");
        var status = mount.Status();
        var found = new[] { "create", "replace", "delete", "inParts" }.Select(status.Condition).ToList();
        Assert.That(found, Is.EqualTo(["atomic", "atomic", "checked-before", "checked-before"]), "what Ceph's gateway does");
        Assert.That(MountedStore.Modelfs(["status", mount.Root]).Output, Does.Contain("the store itself does not check uploads in parts, deletions"));
    }

    [Test]
    [Promise("O1")]
    [Promise("O4")]
    public void Of_two_small_changes_of_a_large_model_which_the_server_puts_together_without_a_look_one_is_a_conflict()
    {
        var settings = new MountSettings { Settle = "600", Environment = Credentials };
        var winner = Mount(settings, Address);
        Actor.Run("/bin/cp", "-a", Tree("bert:kib=40000"), winner.Root);
        winner.Sync("bert");
        var loser = Mount(settings, Address, mountName: "second", cacheName: "second-cache");
        File.WriteAllText(winner.At("bert", "theirs.txt"), "theirs");
        File.WriteAllText(loser.At("bert", "mine.txt"), "mine");
        winner.Sync("bert");
        Assert.That(winner.Log, Does.Match("published bert.tar.gz: .* [1-9][0-9]{7} bytes of the archive as they were"), "the second publish was put together of parts");
        Assert.That(MountedStore.Modelfs(["sync", loser.Root, "bert"]).ExitCode, Is.Not.Zero);
        var kept = Actor.Run("/bin/ls", loser.At(".modelfs", "conflicts")).Output.Trim();
        Assert.That(File.ReadAllText(loser.At(".modelfs", "conflicts", kept, "mine.txt")), Is.EqualTo("mine"));
        Fetch("bert");
        AssertArchiveHolds("bert", winner.At("bert"));
    }

    [Test]
    [Promise("O3")]
    public void An_upload_without_an_answer_is_recognised_after_further_changes()
    {
        Put("bert:A");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(new MountSettings { Settle = "600", Environment = Credentials, More = ["--fetch-deadline", "2"] }, Url(proxy.Endpoint));
        File.WriteAllText(mount.At("bert", "notes.txt"), "first");
        var lost = LoseAnswersOfUploads(proxy);
        Assert.That(MountedStore.Modelfs(["sync", mount.Root, "bert"]).ExitCode, Is.EqualTo(1));
        Assert.That(lost(), Is.GreaterThan(0), "no answer was lost: this test has shown nothing");
        proxy.Fault = _ => null;
        File.WriteAllText(mount.At("bert", "notes.txt"), "second");
        mount.Sync("bert");
        AssertOurs(mount);
    }

    [Test]
    [Promise("O3")]
    public void An_upload_whose_answer_met_no_daemon_any_more_is_recognised_by_the_next_mount()
    {
        Put("bert:A");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var settings = new MountSettings { Settle = "600", Environment = Credentials, More = ["--fetch-deadline", "2"] };
        var mount = Mount(settings, Url(proxy.Endpoint));
        var (daemon, keeper) = mount.ProcessIds();
        File.WriteAllText(mount.At("bert", "notes.txt"), "first");
        var lost = LoseAnswersOfUploads(proxy);
        using var sync = MountedStore.StartModelfs(["sync", mount.Root, "bert"]);
        Eventually.True(() => lost() > 0, "the server has the upload");
        Signals.Send(keeper, Signals.Kill);
        Signals.Send(daemon, Signals.Kill);
        Eventually.True(() => !Signals.IsAlive(daemon) && !Signals.IsAlive(keeper), "both are dead");
        proxy.Fault = _ => null;
        var again = Mount(settings, Url(proxy.Endpoint));
        File.WriteAllText(again.At("bert", "notes.txt"), "second");
        again.Sync("bert");
        AssertOurs(again);
    }

    protected override void Put(string model)
    {
        Pack(model);
        S3Fixture.Client("put", _bucket, StoreFolder, "");
    }

    protected override void Fetch(string model) => S3Fixture.Client("get", _bucket, model + ".tar.gz", ArchiveOf(model));

    protected override IReadOnlyList<string> StoredKeys() => S3Fixture.Client("list", _bucket).Lines;

    private static Func<int> LoseAnswersOfUploads(FaultProxy proxy)
    {
        var lost = 0;
        proxy.Fault = line =>
        {
            if (!line.StartsWith("PUT ", StringComparison.Ordinal) || !line.Contains("/bert.tar.gz", StringComparison.Ordinal))
            {
                return null;
            }

            Interlocked.Increment(ref lost);
            return ProxyFault.LostAnswer;
        };
        return () => Volatile.Read(ref lost);
    }

    private string Url(string endpoint) => $"s3://{_bucket}?endpoint={endpoint}&region=us-east-1";

    private void AssertOurs(MountedStore mount)
    {
        Assert.That(Actor.Run("/bin/ls", mount.At(".modelfs", "conflicts")).Output, Is.Empty);
        Assert.That(mount.Status().Warnings, Is.Empty);
        Fetch("bert");
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("second"));
        AssertArchiveHolds("bert", mount.At("bert"));
    }
}
