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
    public void Missing_rights_fail_the_mount_and_name_the_bucket()
    {
        Upload("", "bert:A");
        AssertRefused(TryMount(new MountSettings { Environment = CephServer.Stranger }, Url()), Bucket);
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
