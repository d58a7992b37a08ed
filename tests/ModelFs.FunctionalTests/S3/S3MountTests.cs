using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>The walk from the kernel to a real S3 server and back.</summary>
internal sealed class S3MountTests : S3Fixture
{
    [Test]
    [Promise("S1")]
    public void Models_are_listed_read_changed_and_seen_by_other_clients()
    {
        Upload("", "bert:A:odd=yes", "default___moodbot:B");
        var mount = Mount(AsOwner(), Url());
        Assert.That(Directory.GetDirectories(mount.Root).Select(Path.GetFileName), Is.EquivalentTo(["bert", "default"]));
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert:odd=yes"));
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        var local = Tree("trained", "second");
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        Download("bert");
        Download("trained");
        AssertArchiveHolds("bert", copy);
        AssertArchiveHolds("trained", local);
        Assert.That(Client("list", Bucket).Lines, Is.EquivalentTo(["bert.tar.gz", "default___moodbot.tar.gz", "trained.tar.gz"]));
    }

    [Test]
    [Promise("S1")]
    public void A_prefix_is_a_store_of_its_own()
    {
        Upload("team/nlu/", "bert:A");
        Upload("", "other:A");
        var mount = Mount(AsOwner(), $"s3://{Bucket}/team/nlu?endpoint={CephServer.Endpoint}&region=us-east-1");
        Assert.That(Directory.GetDirectories(mount.Root).Select(Path.GetFileName), Is.EqualTo(["bert"]));
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Actor.Run("/bin/cp", "-r", mount.At("bert"), mount.At("copied"));
        mount.Unmount();
        Assert.That(Client("list", Bucket).Lines, Does.Contain("team/nlu/copied.tar.gz"));
    }

    [Test]
    [Promise("S2")]
    public void Two_thousand_five_hundred_models_are_listed_over_several_pages_and_not_fetched()
    {
        Pack("one:B");
        Client("fill", Bucket, ArchiveOf("one"), "2500");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        Assert.That(Actor.Bash($"ls {mount.Root} | wc -l; ls -l {mount.Root} | grep -c model_").Lines, Is.EqualTo(["2500", "2500"]));
        Assert.That(proxy.Requests($"GET /{Bucket}/model_"), Is.Zero);
        Assert.That(File.Exists(mount.At("model_02499", "metadata.json")), Is.True);
        Assert.That(proxy.Requests($"GET /{Bucket}/model_02499.tar.gz"), Is.EqualTo(1));
    }

    [Test]
    [Promise("F1")]
    public void Sixty_four_readers_cost_one_download_from_S3()
    {
        Upload("", "one:A:kib=2000", "many:A:kib=2000");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        File.ReadAllBytes(mount.At("one", "intent_classifier.pkl"));
        Actor.Bash($"for n in $(seq 64); do sha256sum {mount.At("many", "intent_classifier.pkl")} & done; wait");
        Assert.That(proxy.Requests($"GET /{Bucket}/one.tar.gz"), Is.Positive);
        Assert.That(proxy.Requests($"GET /{Bucket}/many.tar.gz"), Is.EqualTo(proxy.Requests($"GET /{Bucket}/one.tar.gz")));
    }

    [Test]
    [Promise("N8")]
    public void A_model_that_boto3_uploads_appears_without_remount_and_a_newer_one_is_taken()
    {
        Upload("", "bert:A:seed=1");
        var mount = Mount(AsOwner("--switch-after", "0.5"), Url());
        var before = File.ReadAllBytes(mount.At("bert", "intent_classifier.pkl"));
        Upload("", "bert:A:seed=2", "late:B");
        Eventually.True(() => File.Exists(mount.At("late", "metadata.json")), "the late model is there");
        Eventually.True(() => !File.ReadAllBytes(mount.At("bert", "intent_classifier.pkl")).SequenceEqual(before), "the newer revision is taken", pause: TimeSpan.FromSeconds(2));
    }

    [Test]
    [Promise("S1")]
    public void A_big_model_goes_up_in_parts_and_comes_back_whole()
    {
        var local = Tree("big:kib=100000");
        var mount = Mount(AsOwner(), Url());
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Unmount();
        Download("big");
        AssertArchiveHolds("big", local);
        var again = Mount(AsOwner(), Url(), cacheName: "fresh");
        TreeSnapshot.AssertEqual(again.At("big"), local);
    }

    [Test]
    [Promise("S1")]
    public void Nothing_is_published_to_S3_when_nothing_changed()
    {
        Upload("", "bert:A");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        Actor.Python("import sys; open(sys.argv[1], 'r+b').close()", mount.At("bert", "metadata.json"));
        mount.Unmount();
        // What the mount learns about the server's conditions goes to a hidden key.
        var publishes = proxy.Requests("PUT ", "bert") + proxy.Requests("POST ", "bert");
        Assert.That(publishes, Is.Zero);
    }
}
