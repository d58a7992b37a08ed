using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Private authorities and web proxies, the same for every kind of store that is reached over a network.</summary>
internal abstract class TlsAndProxyContract : MountFixture
{
    private const int ModelKib = 400;

    /// <summary>The store's address, which is spoken to by TLS.</summary>
    protected abstract string TlsStore { get; }

    /// <summary>Credentials, and nothing of the machine's own configuration.</summary>
    protected abstract IReadOnlyDictionary<string, string?> Credentials { get; }

    /// <summary>The authority of the server's certificate.</summary>
    protected abstract string AuthorityFile { get; }

    /// <summary>Puts a sample model into the store with a foreign client.</summary>
    protected abstract void Upload(string model);

    /// <summary>Files of a model, read from the store by a foreign client.</summary>
    protected abstract IReadOnlyList<string> FilesOf(string model);

    [Test]
    [Promise("S5")]
    public void Models_go_through_a_proxy_both_ways()
    {
        Upload($"bert:A:kib={ModelKib}");
        using var proxy = new ConnectProxy();
        var mount = Mount(With(("HTTPS_PROXY", proxy.Url), ("NO_PROXY", null)), TlsStore);
        File.ReadAllBytes(mount.At("bert", "intent_classifier.pkl"));
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        mount.Unmount();
        Assert.That(FilesOf("bert"), Does.Contain("notes.txt"));
        Assert.That(proxy.Refused, Is.Empty);
        Assert.That(proxy.Tunnels, Is.Not.Empty.And.All.EqualTo(ServerAuthority()));
        Assert.That(proxy.ToClients, Is.GreaterThan(ModelKib * 1000), "the fetch went through the proxy");
        Assert.That(proxy.ToServers, Is.GreaterThan(ModelKib * 1000), "the publish went through the proxy");
    }

    [Test]
    [Promise("S5")]
    public void A_server_that_NO_PROXY_names_is_reached_directly()
    {
        Upload("bert:A");
        using var proxy = new ConnectProxy();
        var listed = MountedStore.Modelfs(["ls", TlsStore, "--ca-file", AuthorityFile], With(("HTTPS_PROXY", proxy.Url), ("NO_PROXY", "example.org,127.0.0.1")).Environment).Succeeded();
        Assert.That(listed.Output, Does.Contain("bert"));
        Assert.That(proxy.Tunnels, Is.Empty);
    }

    [Test]
    [Promise("S5")]
    public void An_authority_in_SSL_CERT_FILE_is_trusted_and_none_is_not()
    {
        Upload("bert:A");
        var refused = MountedStore.Modelfs(["ls", TlsStore], With(("SSL_CERT_FILE", "/dev/null")).Environment);
        Assert.That(refused.ExitCode, Is.Not.Zero);
        Assert.That(refused.Error, Does.Contain("certificate").And.Contain("--ca-file"));
        Assert.That(MountedStore.Modelfs(["ls", TlsStore], With(("SSL_CERT_FILE", AuthorityFile)).Environment).Succeeded().Output, Does.Contain("bert"));
    }

    /// <summary>The description of a tree: that of an archive without its layout.</summary>
    protected static string WithoutLayout(string model) => model.Replace(":A", "", StringComparison.Ordinal);

    /// <summary>Host and port, as a proxy is told.</summary>
    protected abstract string ServerAuthority();

    private MountSettings With(params (string Name, string? Value)[] variables)
    {
        var environment = Credentials.ToDictionary();
        foreach (var name in new[] { "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR" })
        {
            environment[name] = null;
        }

        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        return new MountSettings { Environment = environment, More = ["--ca-file", AuthorityFile] };
    }
}
