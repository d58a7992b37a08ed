using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Keys, rights, buckets and certificates: a mount that can't be says what to do.</summary>
internal sealed class S3AccessTests : S3Fixture
{
    [Test]
    [Promise("S3")]
    public void A_wrong_secret_fails_the_mount_and_names_where_the_key_came_from()
    {
        Upload("", "bert:A");
        var mount = TryMount(new MountSettings { Environment = CephServer.Credentials("TESTACCESSKEY", "wrong-secret-of-the-test") }, Url());
        AssertRefused(mount, "AWS_ACCESS_KEY_ID");
        Assert.That(mount.Mounting.Error + mount.Log, Does.Not.Contain("wrong-secret-of-the-test"));
    }

    [Test]
    [Promise("S3")]
    public void Who_may_not_list_is_told_so_at_once_and_has_no_models_without_the_right_to_read()
    {
        Upload("", "bert:A");
        var mount = Mount(new MountSettings { Environment = CephServer.Stranger }, Url());
        Assert.That(mount.Mounting.Error, Does.Contain("warning").And.Contain(Bucket).And.Contain("may not be listed").And.Contain("AWS_ACCESS_KEY_ID"));
        Assert.That(() => File.ReadAllText(mount.At("bert", "metadata.json")), Throws.InstanceOf<DirectoryNotFoundException>());
        Assert.That(mount.Log, Does.Contain("may not be listed"));
    }

    [Test]
    [Promise("S7")]
    public void Models_of_a_bucket_that_may_be_read_but_not_listed_are_found_by_their_names()
    {
        Upload("", "bert:A", "gpt:B");
        Client("let", Bucket, "s3:GetObject");
        var mount = Mount(new MountSettings { Environment = CephServer.Stranger, More = ["--list-ttl", "1"] }, Url());
        Assert.That(Directory.GetDirectories(mount.Root), Is.Empty);
        Assert.That(Directory.Exists(mount.At("nobody")), Is.False);
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));
        Assert.That(Directory.GetDirectories(mount.Root).Select(Path.GetFileName), Is.EqualTo(new[] { "bert" }), "what was asked for is listed");
        Assert.That(mount.Status().Warnings, Has.One.Contains("may not be listed"));

        // A newer version, a model that comes late and one that goes are noticed without a listing.
        Pack("bert:A:kib=3", "late:B");
        Client("put", Bucket, StoreFolder);
        Client("delete", Bucket, "gpt.tar.gz");
        Eventually.True(() => Directory.Exists(mount.At("late")), "a model that came late is found");
        var newer = TreeSnapshot.Of(Tree("bert:kib=3", "newer"));
        Eventually.True(() => TreeSnapshot.Of(mount.At("bert")).SequenceEqual(newer), "the newer version is shown", pause: TimeSpan.FromSeconds(3));
        Assert.That(Directory.Exists(mount.At("gpt")), Is.False);

        Client("let", Bucket, "s3:GetObject", "s3:ListBucket");
        Eventually.True(() => Directory.GetDirectories(mount.Root).Length == 2 && mount.Status().Warnings.Count == 0, "the right to list is noticed", pause: TimeSpan.FromMilliseconds(300));
    }

    [Test]
    [Promise("S7")]
    public void Models_of_a_bucket_that_may_not_be_listed_are_changed_made_and_pulled()
    {
        Upload("", "bert:A");
        Client("let", Bucket, "s3:GetObject", "s3:PutObject");
        var mount = Mount(new MountSettings { Environment = CephServer.Stranger }, Url());
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Directory.CreateDirectory(mount.At("made"));
        File.WriteAllText(mount.At("made", "metadata.json"), "{}");
        mount.Unmount();
        Download("bert");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
        Download("made");
        Assert.That(MembersOf("made"), Does.Contain("metadata.json"));

        var pulled = MountedStore.Modelfs(["pull", Url(), "made", Folder.At("pulled")], CephServer.Stranger);
        Assert.That(pulled.ExitCode, Is.Zero, pulled.Error);
        Assert.That(File.ReadAllText(Folder.At("pulled/metadata.json")), Is.EqualTo("{}"));
        var listed = MountedStore.Modelfs(["ls", Url()], CephServer.Stranger);
        Assert.That(listed.ExitCode, Is.EqualTo(1));
        Assert.That(listed.Error, Does.Contain("lack the right").And.Contain(Bucket));
    }

    [Test]
    [Promise("S7")]
    public void A_name_that_can_not_be_asked_for_is_an_error_and_no_absence()
    {
        Upload("", "bert:A", "gpt:A");
        Client("let", Bucket, "s3:GetObject");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(new MountSettings { Environment = CephServer.Stranger, More = ["--fetch-deadline", "3"] }, Url(proxy.Endpoint));
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));
        proxy.GoDown();
        Assert.That(() => File.ReadAllText(mount.At("gpt", "metadata.json")), Throws.InstanceOf<IOException>().And.Not.InstanceOf<DirectoryNotFoundException>());
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert", "again"));
        proxy.ComeUp();
        Eventually.True(() => File.Exists(mount.At("gpt", "metadata.json")), "it is found once the store is back");
    }

    [Test]
    [Promise("S7")]
    public void Models_of_projects_are_found_by_their_names_with_the_layout_of_projects()
    {
        Pack("bert:B");
        Client("put-as", Bucket, ArchiveOf("bert"), "team___bert.tar.gz");
        Client("let", Bucket, "s3:GetObject");
        var mount = Mount(new MountSettings { Environment = CephServer.Stranger, More = ["--layout", "project"] }, Url());
        TreeSnapshot.AssertEqual(mount.At("team", "bert"), Tree("bert"));
        Assert.That(Directory.GetDirectories(mount.Root).Select(Path.GetFileName), Is.EqualTo(new[] { "team" }));
        Assert.That(Directory.Exists(mount.At("team", "nobody")), Is.False);
    }

    [Test]
    [Promise("S3")]
    public void No_credentials_at_all_are_explained()
    {
        var environment = CephServer.Credentials("", "").ToDictionary();
        (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_EC2_METADATA_DISABLED"]) = (null, null, "true");
        AssertRefused(TryMount(new MountSettings { Environment = environment }, Url()), "AWS_ACCESS_KEY_ID");
    }

    [Test]
    [Promise("S4")]
    public void A_missing_bucket_is_created_unless_that_is_refused()
    {
        AssertRefused(TryMount(AsOwner("--no-create-bucket"), Url()), Bucket);
        Assert.That(Client("buckets").Lines, Does.Not.Contain(Bucket));
        var mount = Mount(AsOwner(), Url());
        Assert.That(Directory.GetDirectories(mount.Root), Is.Empty);
        Assert.That(Client("buckets").Lines, Does.Contain(Bucket));
    }

    [Test]
    [Promise("S5")]
    public void TLS_with_a_private_authority_works_and_an_unknown_one_is_refused()
    {
        Upload("", "bert:A");
        AssertRefused(TryMount(AsOwner(), Url(CephServer.TlsEndpoint)), "certificate");
        AssertRefused(TryMount(AsOwner("--ca-file", CephServer.OtherCaFile), Url(CephServer.TlsEndpoint)), "certificate");
        var mount = Mount(AsOwner("--ca-file", CephServer.CaFile), Url(CephServer.TlsEndpoint));
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        mount.Unmount();
        Download("bert");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("S5")]
    public void The_token_service_is_reached_with_the_store_s_authorities_and_through_the_proxy()
    {
        using var proxy = new ConnectProxy();
        var token = Folder.At("token");
        File.WriteAllText(token, "identity-token");
        var environment = CephServer.Credentials("", "").ToDictionary();
        (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) = (null, null);
        (environment["AWS_WEB_IDENTITY_TOKEN_FILE"], environment["AWS_ROLE_ARN"]) = (token, "arn:aws:iam::123456789012:role/models");
        (environment["HTTPS_PROXY"], environment["NO_PROXY"], environment["no_proxy"]) = (proxy.Url, null, null);

        // The server at this address gives no roles and says so: by TLS that was accepted, through the proxy.
        environment["AWS_ENDPOINT_URL_STS"] = CephServer.TlsEndpoint;
        var refused = MountedStore.Modelfs(["ls", Url(), "--ca-file", CephServer.CaFile], environment);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("token service").And.Contain("role/models").And.Not.Contain("certificate").And.Not.Contain("identity-token"));
        Assert.That(proxy.Tunnels, Is.Not.Empty.And.All.EqualTo(new Uri(CephServer.TlsEndpoint).Authority));

        var untrusted = MountedStore.Modelfs(["ls", Url(), "--ca-file", CephServer.OtherCaFile], environment);
        Assert.That(untrusted.Error, Does.Contain("token service").And.Contain("certificate is not trusted"));
    }

    [Test]
    [Promise("S6")]
    public void An_endpoint_that_is_down_fails_the_mount_and_is_named()
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        proxy.GoDown();
        AssertRefused(TryMount(AsOwner(), Url(proxy.Endpoint)), new Uri(proxy.Endpoint).Authority);
    }

    private static void AssertRefused(MountedStore mount, string remedy)
    {
        Assert.That(mount.Mounting.ExitCode, Is.EqualTo(1));
        Assert.That(mount.Mounting.Error, Does.Contain(remedy).IgnoreCase);
        Assert.That(MountTable.IsMounted(mount.Root), Is.False);
    }
}

/// <summary>Trust and proxies on the real S3 server.</summary>
internal sealed class S3TlsAndProxyTests : TlsAndProxyContract
{
    private readonly string _bucket = $"t{Guid.NewGuid():N}";

    protected override string TlsStore => $"s3://{_bucket}?endpoint={CephServer.TlsEndpoint}&region=us-east-1";

    protected override IReadOnlyDictionary<string, string?> Credentials => CephServer.Owner;

    protected override string AuthorityFile => CephServer.CaFile;

    [SetUp]
    public void A_server_is_there()
    {
        if (CephServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    protected override string ServerAuthority() => new Uri(CephServer.TlsEndpoint).Authority;

    protected override void Upload(string model)
    {
        Pack(model);
        S3Fixture.Client("put", _bucket, StoreFolder);
    }

    protected override IReadOnlyList<string> FilesOf(string model)
    {
        S3Fixture.Client("get", _bucket, model + ".tar.gz", ArchiveOf(model));
        return MembersOf(model);
    }
}
