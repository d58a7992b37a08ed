using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using ModelFs.GcsFake;

namespace ModelFs.Stores.Gcs.Tests;

/// <summary>Where credentials come from, and how tokens are asked for: for real, at the fake's token endpoint, with generated keys.</summary>
[TestFixture]
internal sealed class GcsCredentialTests
{
    private GcsFakeServer _server = null!;

    [SetUp]
    public async Task StartAsync() => _server = await GcsFakeServer.StartAsync(new GcsFakeOptions { RequiresToken = true });

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task One_token_serves_many_requests()
    {
        await using var store = With(OwnerFile());
        await store.OpenAsync(CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => store.PutAsync($"m{i}", [1])));
        Assert.That(await store.AllAsync(), Has.Count.EqualTo(20));
        Assert.That(_server.TokensGiven, Is.EqualTo(1));
    }

    [Test]
    public async Task An_expired_token_is_replaced()
    {
        await using var hasty = await GcsFakeServer.StartAsync(new GcsFakeOptions { RequiresToken = true, TokenLifetime = TimeSpan.FromSeconds(1) });
        await using var store = GcsServers.On(hasty.Endpoint, GcsServers.Credentials(GcsServers.NewFile(hasty.Owner.KeyFile(hasty.TokenEndpoint))));
        await store.OpenAsync(CancellationToken.None);
        var before = hasty.TokensGiven;
        Assert.That(await store.AllAsync(), Is.Empty);
        Assert.That(hasty.TokensGiven, Is.GreaterThan(before), "a token that is about to expire is not used");
    }

    [Test]
    public async Task A_revoked_token_is_renewed_once()
    {
        await using var store = With(OwnerFile());
        await store.OpenAsync(CancellationToken.None);
        _server.RevokeTokens();
        var published = await store.PutAsync("m.tar.gz", [1, 2]);
        Assert.That(await store.GetAsync(published), Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(_server.TokensGiven, Is.EqualTo(2));
    }

    [Test]
    public async Task A_key_that_the_server_does_not_know_is_denied_naming_its_file()
    {
        using var impostor = new GcsAccount(_server.Owner.Email, hasRights: true);
        var file = GcsServers.NewFile(impostor.KeyFile(_server.TokenEndpoint));
        var failure = await FailureWith(file);
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("Invalid JWT Signature").And.Contain(file).And.Contain("GOOGLE_APPLICATION_CREDENTIALS").And.Not.Contain("PRIVATE KEY"));
    }

    [Test]
    public async Task An_account_without_rights_is_denied_naming_its_file()
    {
        var file = GcsServers.NewFile(_server.Stranger.KeyFile(_server.TokenEndpoint));
        var failure = await FailureWith(file);
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.ListingDenied));
        Assert.That(failure.Message, Does.Contain("lack the right").And.Contain("storage.objects.get").And.Contain(file));
    }

    [Test]
    public async Task An_anonymous_user_is_denied_where_a_token_is_wanted()
    {
        await using var store = GcsServers.On(_server.Endpoint);
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("anonymous"));
    }

    [Test]
    public async Task A_key_file_that_is_replaced_is_taken_up()
    {
        var file = GcsServers.NewFile(_server.Stranger.KeyFile(_server.TokenEndpoint));
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        await using var store = With(file);
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.ListingDenied));
        await File.WriteAllTextAsync(file, _server.Owner.KeyFile(_server.TokenEndpoint));
        await store.OpenAsync(CancellationToken.None);

        await File.WriteAllTextAsync(file, "{ half");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(1));
        Assert.That(await store.AllAsync(), Is.Empty, "a file that is being written does no harm");
    }

    [Test]
    public async Task The_token_of_another_identity_provider_is_exchanged()
    {
        var external = new JsonObject
        {
            ["type"] = "external_account",
            ["audience"] = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/p",
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
            ["token_url"] = _server.ExchangeEndpoint,
            ["credential_source"] = new JsonObject { ["file"] = GcsServers.NewFile("subject-token") },
        };
        await using var store = With(GcsServers.NewFile(external.ToJsonString()));
        await store.OpenAsync(CancellationToken.None);
        Assert.That(_server.TokensGiven, Is.EqualTo(1));
    }

    [Test]
    [NonParallelizable]
    public async Task The_token_of_a_user_is_asked_of_google_through_the_proxy()
    {
        var asked = new TaskCompletionSource<string>();
        await using var proxy = new ScriptedServer(async stream =>
        {
            asked.TrySetResult("asked");
            await stream.WriteAsync("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        });
        var user = new JsonObject { ["type"] = "authorized_user", ["client_id"] = "id", ["client_secret"] = "user-secret", ["refresh_token"] = "refresh-secret" };
        var file = GcsServers.NewFile(user.ToJsonString());
        var before = HttpClient.DefaultProxy;
        try
        {
            HttpClient.DefaultProxy = new WebProxy(new Uri(proxy.Endpoint), BypassOnLocal: true);
            var failure = await FailureWith(file);
            Assert.That(asked.Task.IsCompleted, Is.True);
            Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
            Assert.That(failure.Message, Does.Contain("the token endpoint").And.Contain("407").And.Not.Contain("secret"));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    [Test]
    public async Task The_file_of_gcloud_is_found()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "application_default_credentials.json"), _server.Owner.KeyFile(_server.TokenEndpoint));
        await using var store = GcsServers.On(_server.Endpoint, name => name == "CLOUDSDK_CONFIG" ? folder.Path : null);
        await store.OpenAsync(CancellationToken.None);
        Assert.That(_server.TokensGiven, Is.EqualTo(1));
    }

    [Test]
    public async Task The_machine_itself_has_credentials_and_a_project()
    {
        var environment = (string name) => name switch
        {
            "GCE_METADATA_HOST" => new Uri(_server.Endpoint).Authority,
            "HOME" => "/nonexistent",
            _ => null,
        };

        // The clock stands still: a slow machine must not look like one without a metadata server.
        var options = new StoreOptions { Environment = name => environment(name), TimeProvider = new FakeTimeProvider() };
        await using var store = new GcsStoreFactory().Create(StoreUrl.Parse($"gs://{GcsServers.NewBucket()}?endpoint={_server.Endpoint}"), options);
        await store.OpenAsync(CancellationToken.None);
        Assert.That(_server.Requests, Has.Some.Contains("project=fake-project"));
        Assert.That(_server.TokensGiven, Is.EqualTo(1));
    }

    [Test]
    public async Task Without_credentials_every_place_that_was_looked_at_is_named()
    {
        var failure = await FailureWith(null);
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain("GOOGLE_APPLICATION_CREDENTIALS").And.Contain("/nonexistent/.config/gcloud/application_default_credentials.json").And.Contain("NO_GCE_CHECK").And.Contain("anonymous=true"));
    }

    [Test]
    public async Task A_metadata_server_that_never_answers_is_given_up_and_named()
    {
        await using var silent = new ScriptedServer(_ => Task.Delay(Timeout.Infinite));
        var host = new Uri(silent.Endpoint).Authority;
        await using var store = GcsServers.On(_server.Endpoint, name => name == "GCE_METADATA_HOST" ? host : name == "HOME" ? "/nonexistent" : null);
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain($"no answer from {host}"));
    }

    [TestCase("not json, secret", "not JSON")]
    [TestCase("{}", "no 'type'")]
    [TestCase("""{"type":"gdch_service_account"}""", "'gdch_service_account'")]
    [TestCase("""{"type":"service_account","client_email":"a@b","private_key":"secret"}""", "private key")]
    [TestCase(null, "/nonexistent/key.json")]
    public async Task A_file_that_is_no_credential_is_refused_without_quoting_it(string? text, string part)
    {
        var failure = await FailureWith(text is null ? "/nonexistent/key.json" : GcsServers.NewFile(text));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain(part).And.Contain("GOOGLE_APPLICATION_CREDENTIALS").And.Not.Contain("secret"));
    }

    [Test]
    public async Task A_token_endpoint_that_is_down_is_unavailable_and_named()
    {
        var failure = await FailureWith(GcsServers.NewFile(_server.Owner.KeyFile("http://127.0.0.1:1/token")));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("the token endpoint can't be reached"));
    }

    [Test]
    public async Task A_token_endpoint_that_never_answers_is_given_up_after_the_deadline()
    {
        await using var silent = new ScriptedServer(_ => Task.Delay(Timeout.Infinite));
        var file = GcsServers.NewFile(_server.Owner.KeyFile(silent.Endpoint + "/token"));
        await using var store = GcsServers.On(
            _server.Endpoint, GcsServers.Credentials(file), with: options => options with { Deadlines = new StoreDeadlines(TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(500)) });
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("the token endpoint made no progress for 0.5 s"));
    }

    private string OwnerFile() => GcsServers.NewFile(_server.Owner.KeyFile(_server.TokenEndpoint));

    private IModelStore With(string? file) => GcsServers.On(_server.Endpoint, GcsServers.Credentials(file));

    private async Task<StoreException> FailureWith(string? file)
    {
        await using var store = With(file);
        return await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
    }
}
