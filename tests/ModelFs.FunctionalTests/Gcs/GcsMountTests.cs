using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.Gcs;

/// <summary>The walk from the kernel to Google Cloud Storage's JSON API and back; curl is the other client.</summary>
internal sealed class GcsMountTests : MountFixture
{
    private readonly string _bucket = $"t{Guid.NewGuid():N}";

    private static IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["STORAGE_EMULATOR_HOST"] = GcsServer.Endpoint,
        ["GOOGLE_APPLICATION_CREDENTIALS"] = null,
    };

    private string Objects => $"{GcsServer.Endpoint}/storage/v1/b/{_bucket}/o";

    [SetUp]
    public void A_server_is_there()
    {
        if (GcsServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    [Test]
    [Promise("G1")]
    public void Models_are_listed_read_changed_created_and_seen_by_curl()
    {
        Curl("-X", "POST", "-H", "Content-Type: application/json", "-d", $$"""{"name":"{{_bucket}}"}""", $"{GcsServer.Endpoint}/storage/v1/b?project=p");
        Pack("bert:A:odd=yes", "default___moodbot:B");
        foreach (var model in new[] { "bert", "default___moodbot" })
        {
            Curl("-X", "POST", "-H", "Content-Type: application/x-tar", "--data-binary", "@" + ArchiveOf(model), $"{GcsServer.Endpoint}/upload/storage/v1/b/{_bucket}/o?uploadType=media&name={model}.tar.gz");
        }

        var mount = Mount(new MountSettings { Environment = Environment }, $"gs://{_bucket}");
        Assert.That(Directory.GetDirectories(mount.Root).Select(Path.GetFileName), Is.EquivalentTo(["bert", "default"]));
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert:odd=yes"));
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        var local = Tree("trained", "second");
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        foreach (var model in new[] { "bert", "trained" })
        {
            Curl("-o", ArchiveOf(model), $"{Objects}/{model}.tar.gz?alt=media");
        }

        AssertArchiveHolds("bert", copy);
        AssertArchiveHolds("trained", local);
        Assert.That(Curl(Objects + "?fields=items(name)").Output, Does.Contain("bert.tar.gz").And.Contain("default___moodbot.tar.gz").And.Contain("trained.tar.gz"));
    }

    [Test]
    [Promise("G1")]
    public void A_big_model_goes_up_in_chunks_and_comes_back_whole()
    {
        var local = Tree("big:kib=80000");
        var mount = Mount(new MountSettings { Environment = Environment }, $"gs://{_bucket}/team?project=p");
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Unmount();
        Curl("-o", ArchiveOf("big"), $"{Objects}/team%2Fbig.tar.gz?alt=media");
        AssertArchiveHolds("big", local);
        var again = Mount(new MountSettings { Environment = Environment }, $"gs://{_bucket}/team?project=p", cacheName: "fresh");
        TreeSnapshot.AssertEqual(again.At("big"), local);
    }

    [Test]
    [Promise("T3")]
    [Promise("M5")]
    public void Models_move_to_and_from_the_bucket_that_the_documentation_s_settings_name()
    {
        Pack("bert:D:odd=yes");
        var environment = new Dictionary<string, string?>(Environment) { ["BUCKET_NAME"] = _bucket, ["GOOGLE_CLOUD_PROJECT"] = "p" };
        MountedStore.Modelfs(["cp", StoreFolder + "/bert", $"gs://{_bucket}"], environment).Succeeded();
        Curl("-o", Folder.At("got.tar.gz"), $"{Objects}/bert.tar.gz?alt=media");
        Assert.That(File.ReadAllBytes(Folder.At("got.tar.gz")), Is.EqualTo(File.ReadAllBytes(ArchiveOf("bert"))));
        MountedStore.Modelfs(["push", Tree("trained"), "--storage", "gcs"], environment).Succeeded();
        MountedStore.Modelfs(["pull", "--storage", "gcs", "trained", Folder.At("got") + "/"], environment).Succeeded();
        TreeSnapshot.AssertEqual(Folder.At("got/trained"), Folder.At("local/trained"));

        var models = Folder.Create("models");
        MountedStore.Modelfs(["mount", "--storage", "gcs", models, "--cache-dir", Folder.At("cache")], environment).Succeeded();
        TreeSnapshot.AssertEqual(Path.Combine(models, "bert"), Tree("bert:odd=yes", "second"));
        MountedStore.Modelfs(["unmount", models]).Succeeded();
    }

    private static ActorResult Curl(params IEnumerable<string> arguments) => Actor.Run("/usr/bin/curl", ["-fsS", .. arguments]);
}

/// <summary>The same over TLS, with a token for a service account's key.</summary>
internal sealed class GcsTlsAndProxyTests : TlsAndProxyContract
{
    private readonly string _bucket = $"t{Guid.NewGuid():N}";

    protected override string TlsStore => $"gs://{_bucket}?endpoint={GcsServer.TlsEndpoint}&project=p";

    protected override IReadOnlyDictionary<string, string?> Credentials => new Dictionary<string, string?>
    {
        ["STORAGE_EMULATOR_HOST"] = null,
        ["GOOGLE_APPLICATION_CREDENTIALS"] = GcsServer.KeyFile,
    };

    protected override string AuthorityFile => GcsServer.CaFile;

    [SetUp]
    public void A_server_is_there()
    {
        if (GcsServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    protected override string ServerAuthority() => new Uri(GcsServer.TlsEndpoint).Authority;

    /// <summary>By the program itself, without a proxy: the token is the only key to this server.</summary>
    protected override void Upload(string model)
    {
        var mount = Mount(new MountSettings { Environment = Credentials, More = ["--ca-file", AuthorityFile] }, TlsStore, mountName: "uploading", cacheName: "uploading-cache");
        Actor.Run("/bin/cp", "-a", Tree(WithoutLayout(model)), mount.Root);
        mount.Unmount();
    }

    protected override IReadOnlyList<string> FilesOf(string model)
    {
        var mount = Mount(new MountSettings { Environment = Credentials, More = ["--ca-file", AuthorityFile] }, TlsStore, mountName: "reading", cacheName: "reading-cache");
        var files = Directory.GetFiles(mount.At(model)).Select(path => Path.GetFileName(path)).ToList();
        mount.Unmount();
        return files;
    }
}
