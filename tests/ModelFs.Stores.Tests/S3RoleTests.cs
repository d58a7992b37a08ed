using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>Keys of roles, which a token service gives.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class S3RoleTests
{
    private const string Role = "arn:aws:iam::123456789012:role/models";

    private readonly RecordingServer _server = new(_ => RecordingServer.Answer("200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
    private readonly TemporaryFolder _folder = new();
    private readonly string? _stsBefore = Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL_STS");
    private int _given;

    private string TokenFile => Path.Combine(_folder.Path, "token");

    [OneTimeTearDown]
    public async Task TearDownAsync()
    {
        Environment.SetEnvironmentVariable("AWS_ENDPOINT_URL_STS", _stsBefore);
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [SetUp]
    public void A_token_is_there()
    {
        File.WriteAllText(TokenFile, "identity-token\n");
        _server.Requests.Clear();
        _given = 0;
    }

    [Test]
    public async Task A_web_identity_is_exchanged_for_the_role_s_keys()
    {
        await using var sts = Sts(TimeSpan.FromHours(1));
        await using var store = OfWebIdentity();
        await store.OpenAsync(CancellationToken.None);
        await store.StatAsync("m", CancellationToken.None);
        Assert.That(sts.Requests, Has.Count.EqualTo(1), "keys are kept as long as they are good");
        Assert.That(sts.Requests.First().Body, Does.Contain("AssumeRoleWithWebIdentity").And.Contain("WebIdentityToken=identity-token&").Or.EndsWith("WebIdentityToken=identity-token"));
        Assert.That(_server.Requests.First().Signer().Key, Is.EqualTo("ROLEKEY1"));
        Assert.That(_server.Requests.First().Header("X-Amz-Security-Token"), Is.EqualTo("session"));
    }

    [Test]
    public async Task Keys_that_end_soon_are_replaced_by_a_token_that_was_rotated()
    {
        await using var sts = Sts(TimeSpan.FromMinutes(1));
        await using var store = OfWebIdentity();
        await store.OpenAsync(CancellationToken.None);
        await File.WriteAllTextAsync(TokenFile, "the-next-token");
        await store.OpenAsync(CancellationToken.None);
        Assert.That(sts.Requests.Last().Body, Does.Contain("the-next-token"));
        Assert.That(_server.Requests.Last().Signer().Key, Is.EqualTo($"ROLEKEY{_given}").And.Not.EqualTo("ROLEKEY1"));
    }

    [Test]
    public async Task The_token_service_is_reached_by_TLS_with_the_store_s_authorities()
    {
        using var certificate = Certificate();
        var authority = Path.Combine(_folder.Path, "ca.pem");
        await File.WriteAllTextAsync(authority, certificate.ExportCertificatePem());
        await using var sts = Sts(TimeSpan.FromHours(1), certificate);

        await using var trusting = OfWebIdentity(options => options with { CaFile = authority });
        await trusting.OpenAsync(CancellationToken.None);
        Assert.That(_server.Requests.First().Signer().Key, Is.EqualTo("ROLEKEY1"));

        await using var strict = OfWebIdentity();
        var failure = await StoreConversations.FailureOf(() => strict.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Misconfigured));
        Assert.That(failure.Message, Does.Contain("token service").And.Contain("certificate").And.Contain("--ca-file"));
    }

    [Test]
    public async Task A_profile_with_a_role_takes_it_with_the_keys_of_its_source()
    {
        var profiles = Path.Combine(_folder.Path, "credentials");
        await File.WriteAllTextAsync(profiles, $"[base]\naws_access_key_id = BASEKEY\naws_secret_access_key = s\n[models]\nrole_arn = {Role}\nsource_profile = base\nexternal_id = x42\n");
        await using var sts = Sts(TimeSpan.FromHours(1));
        await using var store = Of(name => name == "AWS_SHARED_CREDENTIALS_FILE" ? profiles : name == "AWS_PROFILE" ? "models" : null);
        await store.OpenAsync(CancellationToken.None);
        Assert.That(sts.Requests.First().Body, Does.Contain("Action=AssumeRole&").And.Contain("ExternalId=x42"));
        Assert.That(sts.Requests.First().Signer().Key, Is.EqualTo("BASEKEY"));
        Assert.That(_server.Requests.First().Signer().Key, Is.EqualTo("ROLEKEY1"));
    }

    [Test]
    public async Task A_role_that_is_refused_is_named_without_the_token()
    {
        await using var sts = new RecordingServer(_ => RecordingServer.Answer(
            "403 Forbidden", """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not for you</Message></Error></ErrorResponse>""", "Content-Type: text/xml"));
        Environment.SetEnvironmentVariable("AWS_ENDPOINT_URL_STS", sts.Endpoint);
        await using var store = OfWebIdentity();
        var failure = await StoreConversations.FailureOf(() => store.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(failure.Message, Does.Contain(Role).And.Contain("not for you").And.Not.Contain("identity-token"));
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=token service", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    private RecordingServer Sts(TimeSpan life, X509Certificate2? certificate = null)
    {
        var sts = new RecordingServer(
            request =>
            {
                var action = request.Body.Contains("AssumeRoleWithWebIdentity", StringComparison.Ordinal) ? "AssumeRoleWithWebIdentity" : "AssumeRole";
                return RecordingServer.Answer(
                    "200 OK",
                    $"""
                    <{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>
                    <AccessKeyId>ROLEKEY{Interlocked.Increment(ref _given)}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>session</SessionToken>
                    <Expiration>{DateTime.UtcNow + life:yyyy-MM-dd'T'HH:mm:ss'Z'}</Expiration></Credentials></{action}Result></{action}Response>
                    """,
                    "Content-Type: text/xml");
            },
            certificate);
        Environment.SetEnvironmentVariable("AWS_ENDPOINT_URL_STS", sts.Endpoint);
        return sts;
    }

    private IModelStore OfWebIdentity(Func<StoreOptions, StoreOptions>? with = null) => Of(
        name => name switch
        {
            "AWS_WEB_IDENTITY_TOKEN_FILE" => TokenFile,
            "AWS_ROLE_ARN" => Role,
            "HOME" => "/nonexistent",
            _ => null,
        },
        with);

    private IModelStore Of(Func<string, string?> environment, Func<StoreOptions, StoreOptions>? with = null)
    {
        var options = new StoreOptions { Environment = environment };
        return new S3StoreFactory().Create(StoreUrl.Parse($"s3://bucket?endpoint={_server.Endpoint}"), with?.Invoke(options) ?? options);
    }
}
