using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>Addresses, certificates and servers that fail, each with the kind of error and the remedy.</summary>
[TestFixture]
internal sealed class MongoFailureTests
{
    private static readonly StoreOptions s_impatient = new() { Deadlines = new StoreDeadlines(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)) };

    [TestCase("mongodb://host", "names no database")]
    [TestCase("mongodb://host/", "names no database")]
    [TestCase("mongodb://user:p@ss/word@host", "names no database")]
    [TestCase("mongodb://host/db?collection=system.users", "can't be the name")]
    [TestCase("mongodb://host/db?collection=a$b", "can't be the name")]
    [TestCase("mongodb://host:port/db", "no MongoDB address")]
    public void An_address_that_can_not_be_right_is_refused_with_how_it_is_written(string address, string reason)
    {
        var failure = Assert.Throws<StoreException>(() => new MongoStoreFactory().Create(StoreUrl.Parse(address), new StoreOptions()))!;
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain(reason).And.Not.Contain("p@ss"));
    }

    [TestCase("mongodb://a,b:27018/rasa-test", "mongodb://a,b:27018/rasa-test", "models", "mongodb://a,b:27018/rasa-test?collection=models")]
    [TestCase("mongodb://u:secret@h/db?collection=x&tls=true", "mongodb://u:secret@h/db?tls=true", "x", "mongodb://h/db?collection=x")]
    [TestCase("mongodb://h/db?replicaSet=rs0&collection=x", "mongodb://h/db?replicaSet=rs0", "x", "mongodb://h/db?collection=x")]
    public void The_collection_is_ours_and_every_other_option_the_driver_s(string address, string connection, string collection, string shown)
    {
        var settings = MongoSettings.Read(StoreUrl.Parse(address));
        Assert.That(settings.ConnectionString, Is.EqualTo(connection));
        Assert.That(settings.Collection, Is.EqualTo(collection));
        Assert.That(settings.DisplayName, Is.EqualTo(shown));
    }

    [Test]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        await using var store = MongoStores.At($"mongodb://user:secret@127.0.0.1:{port}/db", s_impatient);
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("can't be reached").And.Not.Contain("secret"));
    }

    [Test]
    public async Task A_server_that_never_answers_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var store = MongoStores.At($"mongodb://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/db", s_impatient);
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.Unavailable));
    }

    [Test]
    public async Task A_collection_that_is_missing_is_refused_if_it_must_not_be_created()
    {
        await using var store = MongoStores.New(new StoreOptions { CreateIfMissing = false });
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.NotFound));
    }

    [Test]
    public async Task A_private_authority_is_trusted_when_it_is_named_and_only_then()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "server", "other" })
        {
            OpenSsl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", $"{folder.Path}/{name}.key", "-out", $"{folder.Path}/{name}.crt");
        }

        await File.WriteAllTextAsync(folder.Path + "/server.pem", await File.ReadAllTextAsync(folder.Path + "/server.key") + await File.ReadAllTextAsync(folder.Path + "/server.crt"));
        var (front, uri, problem) = MongoServer.Start("--tls", folder.Path + "/server.pem");
        if (uri is null)
        {
            Assert.Ignore($"no TLS server: {problem}");
        }

        try
        {
            await using var trusting = MongoStores.At(uri + "/db?tls=true", new StoreOptions { CaFile = folder.Path + "/server.crt" });
            await trusting.OpenAsync(CancellationToken.None);
            var published = await trusting.PutAsync("m.tar.gz", SampleModel.Pack());
            Assert.That(SampleModel.Unpack(await trusting.GetAsync(published)).Keys, Is.EquivalentTo(SampleModel.Files.Keys));

            foreach (var caFile in new[] { null, folder.Path + "/other.crt" })
            {
                await using var store = MongoStores.At(uri + "/db?tls=true", new StoreOptions { CaFile = caFile, Deadlines = new StoreDeadlines(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10)) });
                var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
                Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
                Assert.That(failure.Message, Does.Contain(caFile ?? "--ca-file"));
            }
        }
        finally
        {
            MongoServer.Stop(front);
        }
    }

    [Test]
    public void A_CA_file_that_is_none_is_refused_before_the_server_is_reached()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.Path + "/ca.pem", "no certificate");
        foreach (var path in new[] { folder.Path + "/ca.pem", folder.Path + "/missing.pem" })
        {
            var failure = Assert.Throws<StoreException>(() => MongoStores.At("mongodb://127.0.0.1/db", new StoreOptions { CaFile = path }))!;
            Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        }
    }

    private static void OpenSsl(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors);
    }
}
