using System.IO.Compression;
using System.Text;
using ModelFs.GcsFake;
using ModelFs.Models;

namespace ModelFs.Stores.Gcs.Tests;

/// <summary>What goes wrong between a store and its server, and what is said of it.</summary>
[TestFixture]
internal sealed class GcsFailureTests
{
    private static StoreDeadlines Short => new(TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(500));

    [Test]
    public async Task A_missing_bucket_is_created_unless_that_is_refused()
    {
        var bucket = GcsServers.NewBucket();
        await using var refusing = await GcsServers.OnEmulatorAsync(bucket, options => options with { CreateIfMissing = false });
        var failure = await StoreConversations.FailureOf(() => refusing.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.NotFound));
        Assert.That(failure.Message, Does.Contain(bucket).And.Contain("refused"));

        await using var creating = await GcsServers.OnEmulatorAsync(bucket);
        await creating.OpenAsync(CancellationToken.None);
        await refusing.OpenAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_bucket_that_somebody_else_creates_meanwhile_is_no_error()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        server.Faults.Add(request => request.Method == "POST", GcsFault.LoseAnswer);
        var bucket = GcsServers.NewBucket();
        await using var first = GcsServers.On(server.Endpoint, bucket: bucket);
        Assert.That(await StoreConversations.FailureKindOf(() => first.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.Unavailable));

        server.Faults.Add(request => request.Method == "GET", GcsFault.Answer(404, "notFound"));
        await using var second = GcsServers.On(server.Endpoint, bucket: bucket);
        await second.OpenAsync(CancellationToken.None);
        Assert.That(server.Requests.Count(request => request.StartsWith("POST", StringComparison.Ordinal)), Is.EqualTo(2), "the second creation was answered with a conflict");
    }

    [Test]
    public async Task Without_a_project_a_missing_bucket_is_not_created_and_the_remedy_named()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        await using var store = new GcsStoreFactory().Create(StoreUrl.Parse($"gs://nowhere?endpoint={server.Endpoint}&anonymous=true"), new StoreOptions { Environment = _ => null });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain("?project=").And.Contain("GOOGLE_CLOUD_PROJECT"));
    }

    [Test]
    public async Task Damaged_bytes_are_an_error_and_the_last_of_them_is_never_handed_out()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        await using var store = GcsServers.On(server.Endpoint);
        await store.OpenAsync(CancellationToken.None);
        var stored = await store.PutAsync("m.tar.gz", BytesContent.Random(300_000, seed: 51));
        server.Faults.Add(request => request.Query["alt"] == "media", GcsFault.Corrupt);
        var failure = await StoreConversations.FailureOf(() => store.GetAsync(stored));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Rejected));
        Assert.That(failure.Message, Does.Contain("checksum"));
    }

    [Test]
    public async Task An_archive_that_was_uploaded_with_a_content_encoding_is_read_as_it_is_stored()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        await using var store = GcsServers.On(server.Endpoint, bucket: "encoded");
        await store.OpenAsync(CancellationToken.None);
        using var packed = new MemoryStream();
        await using (var deflating = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflating.Write(BytesContent.Random(5000, seed: 52));
        }

        using var client = new HttpClient();
        using var body = new ByteArrayContent(packed.ToArray());
        using var uploaded = await client.PostAsync(new Uri($"{server.Endpoint}/upload/storage/v1/b/encoded/o?uploadType=media&name=m.tar.gz&contentEncoding=gzip"), body);
        var stored = await store.StatAsync("m.tar.gz", CancellationToken.None);
        Assert.That(await store.GetAsync(stored!), Is.EqualTo(packed.ToArray()));
        Assert.That(await store.GetAsync(stored!, 10, 20), Is.EqualTo(packed.ToArray()[10..30]));
    }

    [TestCase(401, "authError", StoreErrorKind.AccessDenied)]
    [TestCase(403, "forbidden", StoreErrorKind.AccessDenied)]
    [TestCase(403, "rateLimitExceeded", StoreErrorKind.Unavailable)]
    [TestCase(403, "quotaExceeded", StoreErrorKind.QuotaExceeded)]
    [TestCase(400, "userProjectMissing", StoreErrorKind.Misconfigured)]
    [TestCase(400, "invalid", StoreErrorKind.Rejected)]
    [TestCase(408, "requestTimeout", StoreErrorKind.Unavailable)]
    [TestCase(412, "conditionNotMet", StoreErrorKind.PreconditionFailed)]
    [TestCase(429, "rateLimitExceeded", StoreErrorKind.Unavailable)]
    [TestCase(500, "internalError", StoreErrorKind.Unavailable)]
    [TestCase(501, "notImplemented", StoreErrorKind.Rejected)]
    [TestCase(503, "backendError", StoreErrorKind.Unavailable)]
    public async Task A_status_has_one_meaning(int status, string reason, StoreErrorKind kind)
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        server.Faults.Add(_ => true, GcsFault.Answer(status, reason), times: 2);
        await using var store = GcsServers.On(server.Endpoint);
        Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m", [1])), Is.EqualTo(kind));
    }

    [Test]
    public async Task A_refused_connection_is_unavailable()
    {
        await using var store = GcsServers.On("http://127.0.0.1:1");
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("http://127.0.0.1:1").And.Contain("refused"));
    }

    [Test]
    public async Task A_server_that_never_answers_is_unavailable_after_the_deadline()
    {
        await using var server = new ScriptedServer(_ => Task.Delay(Timeout.Infinite));
        await using var store = GcsServers.On(server.Endpoint, with: options => options with { Deadlines = Short });
        var calls = new Func<Task>[]
        {
            () => store.OpenAsync(CancellationToken.None),
            () => store.StatAsync("m", CancellationToken.None),
            () => store.PutAsync("m", new byte[100_000]),
            () => store.DeleteAsync("m", null, CancellationToken.None),
            () => store.GetAsync(new StoredObject("m", new StoreRevision("1"), 10, default)),
        };
        foreach (var call in calls)
        {
            var failure = await StoreConversations.FailureOf(call);
            Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
            Assert.That(failure.Message, Does.Contain("no progress").And.Contain("0.5 s"));
        }
    }

    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\n\r\nhalf", true, StoreErrorKind.Unavailable)]
    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nhalf", false, StoreErrorKind.Unavailable)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nabcd", false, StoreErrorKind.Rejected)]
    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n\r\nabcd", false, StoreErrorKind.Rejected)]
    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\nContent-Range: bytes 5-1004/2000\r\n\r\nabcd", false, StoreErrorKind.Rejected)]
    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\nx-goog-generation: 2\r\n\r\nabcd", false, StoreErrorKind.RevisionChanged)]
    [TestCase("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, StoreErrorKind.RevisionChanged)]
    [TestCase("complete nonsense\r\n\r\n", false, StoreErrorKind.Unavailable)]
    public async Task An_answer_that_is_not_the_range_asked_for_is_refused(string answer, bool stalls, StoreErrorKind kind)
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
            await Task.Delay(stalls ? Timeout.Infinite : 0);
        });
        await using var store = GcsServers.On(server.Endpoint, with: options => stalls ? options with { Deadlines = Short } : options);
        Assert.That(await StoreConversations.FailureKindOf(() => store.GetAsync(new StoredObject("m", new StoreRevision("1"), 2000, default), 0, 1000)), Is.EqualTo(kind));
    }

    [Test]
    public async Task A_private_authority_is_refused_unless_it_is_named()
    {
        var server = await GcsServers.GuardedAsync();
        var environment = GcsServers.Credentials(GcsServers.NewFile(server.Owner.KeyFile(server.TokenEndpoint)));
        await using var store = GcsServers.On(server.Endpoint, environment);
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain("not trusted").And.Contain("--ca-file"));

        await using var other = await GcsFakeServer.StartAsync(new GcsFakeOptions { UsesTls = true });
        var file = GcsServers.NewFile(other.AuthorityPem);
        await using var wrong = GcsServers.On(server.Endpoint, environment, with: options => options with { CaFile = file });
        Assert.That((await StoreConversations.FailureOf(() => wrong.OpenAsync(CancellationToken.None))).Message, Does.Contain("not trusted").And.Contain(file));
    }

    [Test]
    public void A_ca_file_that_is_missing_or_empty_is_refused()
    {
        foreach (var file in new[] { GcsServers.NewFile(""), "/nonexistent/ca.pem" })
        {
            Assert.That(
                () => GcsServers.On("https://127.0.0.1:1", with: options => options with { CaFile = file }),
                Throws.InstanceOf<StoreException>().With.Message.Contains(file).And.Property("Kind").EqualTo(StoreErrorKind.Misconfigured));
        }
    }

    [TestCase("gs://bucket?projct=x", "'projct'")]
    [TestCase("gs://KEY@bucket", "GOOGLE_APPLICATION_CREDENTIALS")]
    [TestCase("gs://Bucket", "lower-case")]
    [TestCase("gs://bucket?endpoint=localhost:4443", "http://")]
    [TestCase("gs://bucket?endpoint=http://h/path", "without path")]
    [TestCase("gs://bucket?anonymous=maybe", "true or false")]
    public void A_wrong_setting_is_refused(string text, string part) =>
        Assert.That(() => GcsSettings.Read(StoreUrl.Parse(text), _ => null), Throws.InstanceOf<StoreException>().With.Message.Contains(part).And.Message.Not.Contains("KEY@"));

    [TestCase("localhost:4443", "http://localhost:4443")]
    [TestCase("https://localhost:4443/", "https://localhost:4443")]
    public void An_emulator_is_named_by_the_standard_variable(string host, string endpoint)
    {
        var settings = GcsSettings.Read(StoreUrl.Parse("gs://bucket/a/b/"), name => name == "STORAGE_EMULATOR_HOST" ? host : null);
        Assert.That((settings.Endpoint.GetLeftPart(UriPartial.Authority), settings.IsEmulator, settings.Prefix), Is.EqualTo((endpoint, true, "a/b/")));
        Assert.That(GcsSettings.Read(StoreUrl.Parse("gs://bucket?endpoint=http://other"), _ => host).IsEmulator, Is.False, "the URL wins");
        Assert.That(GcsSettings.Read(StoreUrl.Parse("gs://bucket"), _ => null).Endpoint.Host, Is.EqualTo("storage.googleapis.com"));
    }
}
