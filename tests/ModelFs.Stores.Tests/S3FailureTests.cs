using System.Net;
using System.Net.Sockets;

namespace ModelFs.Stores.Tests;

/// <summary>What goes wrong between a user and an S3 server, and what the user is told.</summary>
[TestFixture]
internal sealed class S3FailureTests
{
    private static readonly StoreDeadlines Short = new(TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(500));

    [Test]
    public async Task A_missing_bucket_is_created()
    {
        var bucket = S3Stores.NewBucket();
        await using var refusing = S3Stores.Of(bucket, new StoreOptions { Environment = CephServer.Owner, CreateIfMissing = false });
        var failure = await StoreConversations.FailureOf(() => refusing.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.NotFound));
        Assert.That(failure.Message, Does.Contain(bucket).And.Contain("refused"));

        await using var creating = S3Stores.Of(bucket);
        await creating.OpenAsync(CancellationToken.None);
        await refusing.OpenAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_wrong_secret_is_denied_naming_where_it_came_from()
    {
        var failure = await FailureWith(CephServer.Credentials("TESTACCESSKEY", "not-the-secret"));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("secret key is wrong").And.Contain("AWS_ACCESS_KEY_ID").And.Not.Contain("not-the-secret"));
    }

    [Test]
    public async Task An_unknown_key_is_denied_naming_where_it_came_from()
    {
        var failure = await FailureWith(CephServer.Credentials("NOBODY", "secret"));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("does not know the access key").And.Contain("AWS_ACCESS_KEY_ID"));
    }

    [Test]
    public async Task A_user_without_rights_is_denied()
    {
        var bucket = S3Stores.NewBucket();
        await using var owner = S3Stores.Of(bucket);
        await owner.OpenAsync(CancellationToken.None);
        var stored = await owner.PutAsync("m.tar.gz", [1]);

        await using var stranger = S3Stores.Of(bucket, new StoreOptions { Environment = CephServer.Stranger });
        var failure = await StoreConversations.FailureOf(() => stranger.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.ListingDenied));
        Assert.That(failure.Message, Does.Contain(bucket).And.Contain("lack the right").And.Contain("AWS_ACCESS_KEY_ID"));
        Assert.That(await StoreConversations.FailureKindOf(() => stranger.GetAsync(stored)), Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(await StoreConversations.FailureKindOf(() => stranger.PutAsync("m.tar.gz", [2])), Is.EqualTo(StoreErrorKind.AccessDenied));
    }

    [Test]
    public async Task A_user_who_may_not_create_buckets_is_denied_a_missing_one()
    {
        await using var store = S3Stores.New(new StoreOptions { Environment = CephServer.Stranger });
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.AccessDenied));
    }

    [Test]
    public async Task An_anonymous_user_is_denied()
    {
        var bucket = S3Stores.NewBucket();
        await using var owner = S3Stores.Of(bucket);
        await owner.OpenAsync(CancellationToken.None);
        await using var anonymous = new S3.S3StoreFactory().Create(StoreUrl.Parse($"s3://{bucket}?endpoint={CephServer.Endpoint}&anonymous=true"), new StoreOptions { Environment = _ => null });
        var failure = await StoreConversations.FailureOf(() => anonymous.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.ListingDenied));
        Assert.That(failure.Message, Does.Contain("anonymous"));
    }

    [Test]
    public async Task Without_credentials_every_place_that_was_looked_at_is_named()
    {
        await using var store = S3Stores.At("http://127.0.0.1:1", "bucket", new StoreOptions { Environment = CephServer.Credentials("", "") });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("AWS_ACCESS_KEY_ID").And.Contain("AWS_WEB_IDENTITY_TOKEN_FILE").And.Contain("/nonexistent/.aws/credentials").And.Contain("AWS_CONTAINER_CREDENTIALS").And.Contain("instance metadata"));
    }

    [Test]
    public async Task A_metadata_service_that_never_answers_is_given_up_and_named()
    {
        await using var metadata = new ScriptedServer(_ => Task.Delay(Timeout.Infinite));
        var environment = (string name) => name switch
        {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT" => metadata.Endpoint,
            "HOME" => "/nonexistent",
            _ => null,
        };
        await using var store = S3Stores.At("http://127.0.0.1:1", "bucket", new StoreOptions { Environment = name => environment(name) });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("no answer from 127.0.0.1"));
    }

    [Test]
    public async Task Without_a_region_aws_is_not_guessed()
    {
        await using var store = new S3.S3StoreFactory().Create(StoreUrl.Parse("s3://bucket"), new StoreOptions { Environment = CephServer.Credentials("k", "s") });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain("?region=").And.Contain("AWS_REGION"));
    }

    [Test]
    public async Task Keys_rotated_in_the_shared_credentials_file_are_taken_up()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "credentials");
        var owner = CephServer.Owner;
        await File.WriteAllTextAsync(file, "[models]\naws_access_key_id = NOBODY\naws_secret_access_key = old\n");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        await using var store = S3Stores.New(new StoreOptions
        {
            Environment = name => name switch
            {
                "AWS_SHARED_CREDENTIALS_FILE" => file,
                "AWS_PROFILE" => "models",
                _ => null,
            },
        });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Message, Does.Contain("'models'").And.Contain(file));

        await File.WriteAllTextAsync(file, $"[models]\naws_access_key_id = {owner("AWS_ACCESS_KEY_ID")}\naws_secret_access_key = {owner("AWS_SECRET_ACCESS_KEY")}\n");
        await store.OpenAsync(CancellationToken.None);
        Assert.That(await store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_refused_connection_is_unavailable()
    {
        await using var store = S3Stores.At("http://127.0.0.1:1", "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s") });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("http://127.0.0.1:1").And.Contain("refused"));
    }

    [Test]
    public async Task A_name_that_does_not_resolve_is_an_error_that_names_it()
    {
        await using var store = S3Stores.At("http://no-such-host.invalid", "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s") });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured).Or.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("no-such-host.invalid"));
    }

    [Test]
    public async Task A_server_that_never_answers_is_unavailable_after_the_deadline()
    {
        await using var server = new ScriptedServer(_ => Task.Delay(Timeout.Infinite));
        await using var store = S3Stores.At(server.Endpoint, "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s"), Deadlines = Short });
        var calls = new Func<Task>[]
        {
            () => store.OpenAsync(CancellationToken.None),
            () => store.StatAsync("m", CancellationToken.None),
            () => store.PutAsync("m", new byte[100_000]),
            () => store.DeleteAsync("m", null, CancellationToken.None),
            () => store.GetAsync(new StoredObject("m", new("e"), 10, default)),
        };
        foreach (var call in calls)
        {
            var failure = await StoreConversations.FailureOf(call);
            Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
            Assert.That(failure.Message, Does.Contain("no progress").And.Contain("0.5 s"));
        }
    }

    [Test]
    public async Task A_body_that_stalls_is_unavailable_after_the_deadline()
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await stream.WriteAsync("HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\nETag: \"e\"\r\n\r\nhalf"u8.ToArray());
            await Task.Delay(Timeout.Infinite);
        });
        await using var store = S3Stores.At(server.Endpoint, "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s"), Deadlines = Short });
        var failure = await StoreConversations.FailureOf(() => store.GetAsync(new StoredObject("m", new("e"), 1000, default)));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("no progress"));
    }

    [Test]
    public async Task A_body_that_is_cut_is_never_taken_for_its_end()
    {
        await using var server = new ScriptedServer(stream =>
            stream.WriteAsync("HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\nETag: \"e\"\r\nConnection: close\r\n\r\nhalf"u8.ToArray()).AsTask());
        await using var store = S3Stores.At(server.Endpoint, "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s") });
        Assert.That(await StoreConversations.FailureKindOf(() => store.GetAsync(new StoredObject("m", new("e"), 1000, default))), Is.EqualTo(StoreErrorKind.Unavailable));
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nabcd", StoreErrorKind.Rejected)]
    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nabcd", StoreErrorKind.Rejected)]
    [TestCase("HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\nETag: \"other\"\r\n\r\nab", StoreErrorKind.RevisionChanged)]
    [TestCase("HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", StoreErrorKind.Unavailable)]
    [TestCase("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n", StoreErrorKind.RevisionChanged)]
    [TestCase("complete nonsense\r\n\r\n", StoreErrorKind.Unavailable)]
    public async Task An_answer_that_is_not_the_range_asked_for_is_refused(string answer, StoreErrorKind kind)
    {
        await using var server = new ScriptedServer(stream => stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer)).AsTask());
        await using var store = S3Stores.At(server.Endpoint, "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s") });
        Assert.That(await StoreConversations.FailureKindOf(() => store.GetAsync(new StoredObject("m", new("e"), 4, default), 0, 2)), Is.EqualTo(kind));
    }

    [Test]
    public async Task A_private_authority_is_refused_unless_it_is_named()
    {
        await using var store = S3Stores.At(CephServer.TlsEndpoint, S3Stores.NewBucket(), new StoreOptions { Environment = CephServer.Owner });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain("not trusted").And.Contain("--ca-file"));
    }

    [Test]
    public async Task Another_authority_than_the_named_one_is_refused()
    {
        await using var store = S3Stores.At(CephServer.TlsEndpoint, S3Stores.NewBucket(), new StoreOptions { Environment = CephServer.Owner, CaFile = CephServer.OtherCaFile });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain("not trusted").And.Contain(CephServer.OtherCaFile));
    }

    [Test]
    public async Task A_certificate_for_another_host_is_refused()
    {
        var endpoint = CephServer.TlsEndpoint.Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal);
        using var forwarder = new Forwarder(new Uri(endpoint), new Uri(CephServer.TlsEndpoint));
        await using var store = S3Stores.At(endpoint, S3Stores.NewBucket(), new StoreOptions { Environment = CephServer.Owner, CaFile = CephServer.CaFile });
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.Misconfigured));
    }

    [Test]
    public void A_ca_file_that_is_missing_or_empty_is_refused()
    {
        using var folder = new TemporaryFolder();
        var empty = Path.Combine(folder.Path, "empty.pem");
        File.WriteAllText(empty, "");
        foreach (var file in new[] { empty, Path.Combine(folder.Path, "missing.pem") })
        {
            Assert.That(
                () => S3Stores.At("https://127.0.0.1:1", "bucket", new StoreOptions { CaFile = file, Environment = _ => null }),
                Throws.InstanceOf<StoreException>().With.Message.Contains(file).And.Property("Kind").EqualTo(StoreErrorKind.Misconfigured));
        }
    }

    private static async Task<StoreException> FailureWith(Func<string, string?> environment)
    {
        await using var store = S3Stores.New(new StoreOptions { Environment = environment });
        return await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
    }

    /// <summary>Carries connections of one address to another, so that a server answers under a name that its certificate lacks.</summary>
    private sealed class Forwarder : IDisposable
    {
        private readonly TcpListener _listener;
        private readonly CancellationTokenSource _stop = new();

        public Forwarder(Uri from, Uri to)
        {
            _listener = new TcpListener(IPAddress.Parse(from.Host), from.Port);
            _listener.Start();
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                    var server = new TcpClient();
                    await server.ConnectAsync(to.Host, to.Port, _stop.Token);
                    _ = client.GetStream().CopyToAsync(server.GetStream(), _stop.Token);
                    _ = server.GetStream().CopyToAsync(client.GetStream(), _stop.Token);
                }
            });
        }

        public void Dispose()
        {
            _stop.Cancel();
            _listener.Dispose();
            _stop.Dispose();
        }
    }
}
