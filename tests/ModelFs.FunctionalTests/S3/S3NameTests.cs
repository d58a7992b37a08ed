using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Names in a bucket, and very many of them.</summary>
internal sealed class S3NameTests : S3Fixture
{
    private const int Many = 20_000;
    private const int KeysOfAPage = 1_000;

    /// <summary>What the daemon may take up at most with a listing of <see cref="Many"/> models, in MiB: its objects are about 1 KiB a model.</summary>
    private const int PeakMiBMax = 400;

    [Test]
    [Promise("N11")]
    public void Odd_names_of_a_bucket_are_listed_read_changed_and_made()
    {
        Pack("one:B");
        string[] names = [.. NameTests.Odd, NameTests.Longest(255)];
        Client(["put-as", Bucket, ArchiveOf("one"), .. names.Select(name => name + ".tar.gz"), .. NameTests.NotShown, "folder/bert.tar.gz"]);
        var mount = Mount(AsOwner(), Url());
        NameTests.AssertNames(mount, names);
        NameTests.UseAndMake(mount, NameTests.Odd);
        File.WriteAllText(mount.At(names[^1], "notes.txt"), "changed");
        mount.Unmount();
        Assert.That(Client("list", Bucket).Lines, Is.SupersetOf(NameTests.Odd.Select(name => name + "-new.tar.gz")));
        foreach (var name in NameTests.Odd)
        {
            Client("get", Bucket, name + ".tar.gz", ArchiveOf("got"));
            Assert.That(MembersOf("got"), Does.Contain("notes.txt"), name);
        }
    }

    [Test]
    [Promise("S2")]
    public void Twenty_thousand_models_are_listed_in_one_pass_and_refreshed_in_the_background()
    {
        Pack("one:B:kib=1");
        Client("fill", Bucket, ArchiveOf("one"), Many.ToString());
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var once = Mount(AsOwner("--list-ttl", "3600"), Url(proxy.Endpoint));
        Eventually.True(() => Directory.GetDirectories(once.Root).Length == Many, "all models are listed");
        Assert.That(proxy.Requests($"GET /{Bucket}/model_"), Is.Zero, "a listing fetches nothing");
        var status = File.ReadAllLines($"/proc/{once.ProcessIds().Daemon}/status");
        var peak = int.Parse(status.Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) / 1024;
        var pages = proxy.Requests($"GET /{Bucket}?") + proxy.Requests($"GET /{Bucket}/?");
        TestContext.Out.WriteLine($"{pages} listing requests; the daemon's peak was {peak} MiB");
        Assert.That(pages, Is.InRange(Many / KeysOfAPage, (Many / KeysOfAPage) + 2), "one pass, and what opening the store asks");
        Assert.That(peak, Is.LessThan(PeakMiBMax));
        once.Unmount();

        var mount = Mount(AsOwner("--list-ttl", "2"), Url(proxy.Endpoint));
        Eventually.True(() => Directory.GetDirectories(mount.Root).Length == Many, "all models are listed");
        // A listing that does not come to its end keeps nobody waiting.
        proxy.Stall();
        try
        {
            Eventually.StaysTrue(() => Directory.GetDirectories(mount.Root).Length == Many, "the last listing is shown while the next is under way", TimeSpan.FromSeconds(3));
        }
        finally
        {
            proxy.Flow();
        }

        Client("put-as", Bucket, ArchiveOf("one"), "late.tar.gz");
        Eventually.True(() => Directory.GetDirectories(mount.Root).Length == Many + 1, "a new model is listed");
        Assert.That(File.Exists(mount.At("model_19999", "metadata.json")), Is.True);
    }
}
