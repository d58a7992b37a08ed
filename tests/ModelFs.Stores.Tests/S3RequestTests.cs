using System.Net;
using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>What goes over the wire to an S3 server, by settings and credentials.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class S3RequestTests
{
    private readonly Dictionary<string, string?> _variablesBefore = [];
    private AwsLikeS3 _objects = null!;
    private RecordingServer _server = null!;
    private IWebProxy _proxyBefore = null!;

    [SetUp]
    public void Start()
    {
        _objects = new AwsLikeS3();
        _server = new RecordingServer(_objects.Answer);
        _proxyBefore = HttpClient.DefaultProxy;
    }

    [TearDown]
    public async Task StopAsync()
    {
        HttpClient.DefaultProxy = _proxyBefore;
        foreach (var (name, value) in _variablesBefore)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        _variablesBefore.Clear();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task A_server_that_keeps_every_condition_is_seen_to()
    {
        await using var store = At("");
        await store.ProveConditionsAsync(CancellationToken.None);
        var traits = store.Traits;
        Assert.That(
            new[] { traits.CreateCondition, traits.ReplaceCondition, traits.DeleteCondition, traits.InPartsCondition!.Value },
            Is.All.EqualTo(ConditionSupport.Atomic));
        Assert.That(_objects.Keys, Is.Empty, "the probe is removed");
    }

    [Test]
    public async Task A_revision_goes_as_a_quoted_etag()
    {
        await using var store = At("");
        var first = await store.PutAsync("m", [1], PublishCondition.Absent);
        _server.Requests.Clear();
        await store.PutAsync("m", [2], PublishCondition.Matches(first.Revision));
        Assert.That(_server.Requests.Single(request => request.Method == "PUT").Header("If-Match"), Is.EqualTo($"\"{first.Revision.Value}\""));
        Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m", [3], PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await StoreConversations.FailureKindOf(() => store.DeleteAsync("m", first.Revision, CancellationToken.None)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
    }

    [Test]
    public async Task No_checksum_is_sent_that_a_server_did_not_ask_for()
    {
        await using var store = At("");
        await store.PutAsync("m", [1]);
        Assert.That(_server.Requests.Select(request => request.Head.ToUpperInvariant()), Has.None.Contain("X-AMZ-CHECKSUM").And.None.Contain("X-AMZ-TRAILER").And.None.Contain("X-AMZ-SDK-CHECKSUM"));
    }

    [TestCase(1 << 20)]
    [TestCase(1)]
    public async Task Encryption_class_and_payer_are_asked_for(int singleUploadBytesMax)
    {
        await using var store = At("&kms-key-id=key-1&storage-class=standard_ia&requester-pays=true", options => options with { SingleUploadBytesMax = singleUploadBytesMax });
        await store.OpenAsync(CancellationToken.None);
        await store.PutAsync("m", [1, 2]);
        Assert.That(_server.Requests.Select(request => request.Header("x-amz-request-payer")), Is.All.EqualTo("requester"));
        var creation = _server.Requests.Single(request => request.Header("x-amz-storage-class") is not null);
        Assert.That(creation.Header("x-amz-storage-class"), Is.EqualTo("STANDARD_IA"));
        Assert.That(creation.Header("x-amz-server-side-encryption"), Is.EqualTo("aws:kms"));
        Assert.That(creation.Header("x-amz-server-side-encryption-aws-kms-key-id"), Is.EqualTo("key-1"));
    }

    [Test]
    public async Task The_prefix_is_part_of_every_key()
    {
        await using var store = new S3StoreFactory().Create(StoreUrl.Parse($"s3://bucket/team/nlu?endpoint={_server.Endpoint}"), Options());
        await store.PutAsync("m.tar.gz", [1]);
        Assert.That(_objects.Keys, Is.EqualTo(new[] { "/bucket/team/nlu/m.tar.gz" }));
    }

    [TestCase("http://s3.eu-central-1.amazonaws.com", "<LocationConstraint>eu-central-1</LocationConstraint>")]
    [TestCase("http://s3.us-east-1.amazonaws.com", null)]
    public async Task A_missing_bucket_of_aws_is_created_in_its_region_and_the_bucket_stands_in_the_host_name(string endpoint, string? constraint)
    {
        // The server answers in place of the proxy, so that it can speak for any host.
        HttpClient.DefaultProxy = new WebProxy(_server.Endpoint);
        _objects.HasBucket = false;
        await using var store = new S3StoreFactory().Create(StoreUrl.Parse($"s3://bucket?endpoint={endpoint}"), Options());
        await store.OpenAsync(CancellationToken.None);
        var creation = _server.Requests.Single(request => request.Method == "PUT");
        Assert.That(new Uri(creation.Target).Host, Is.EqualTo("bucket." + new Uri(endpoint).Host));
        Assert.That(creation.Body, constraint is null ? Does.Not.Contain("LocationConstraint") : Does.Contain(constraint));
    }

    [Test]
    public async Task The_region_of_the_profile_signs_when_nothing_else_names_one()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "credentials");
        await File.WriteAllTextAsync(file, "[models]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\nregion = ap-south-1\n");
        await using var store = At("&profile=models", options => options with { Environment = name => name == "AWS_SHARED_CREDENTIALS_FILE" ? file : null });
        await store.OpenAsync(CancellationToken.None);
        Assert.That(_server.Requests.First().Signer(), Is.EqualTo(("PROFILEKEY", "ap-south-1")));
    }

    [TestCase("AWS_REGION", "eu-west-3")]
    [TestCase("AWS_DEFAULT_REGION", "eu-west-3")]
    public async Task The_region_of_the_environment_signs(string variable, string region)
    {
        await using var store = At("", options => options with { Environment = name => name == variable ? region : CephServer.Credentials("k", "s")(name) });
        await store.OpenAsync(CancellationToken.None);
        Assert.That(_server.Requests.First().Signer(), Is.EqualTo(("k", region)));
    }

    [Test]
    public async Task The_machine_tells_its_region_and_its_role_s_keys()
    {
        await using var metadata = new RecordingServer(request => (request.Method, request.Target) switch
        {
            ("PUT", "/latest/api/token") => RecordingServer.Answer("200 OK", "token-1", "x-aws-ec2-metadata-token-ttl-seconds: 60"),
            (_, "/latest/meta-data/placement/region") when request.Header("X-aws-ec2-metadata-token") == "token-1" => RecordingServer.Answer("200 OK", "sa-east-1"),
            (_, "/latest/meta-data/iam/security-credentials/") => RecordingServer.Answer("200 OK", "role"),
            (_, "/latest/meta-data/iam/security-credentials/role") => RecordingServer.Answer("200 OK", Keys("MACHINEKEY", DateTimeOffset.UtcNow.AddHours(6))),
            (_, "/latest/meta-data/iam/info") => RecordingServer.Answer("200 OK", """{"Code":"Success","LastUpdated":"2017-05-01T12:00:00Z","InstanceProfileArn":"arn:aws:iam::1:instance-profile/p","InstanceProfileId":"p"}"""),
            _ => RecordingServer.Answer("404 Not Found"),
        });
        Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.Endpoint);
        Set("AWS_EC2_METADATA_DISABLED", null);
        var environment = (string name) => name == "AWS_EC2_METADATA_SERVICE_ENDPOINT" ? metadata.Endpoint : name == "HOME" ? "/nonexistent" : null;
        Assert.That(await new InstanceMetadata(environment, TimeProvider.System).RegionAsync(CancellationToken.None), Is.EqualTo("sa-east-1"));

        await using var store = At("", options => options with { Environment = environment });
        await store.OpenAsync(CancellationToken.None);
        Assert.That(_server.Requests.First().Signer().Key, Is.EqualTo("MACHINEKEY"));
        Assert.That(_server.Requests.First().Header("X-Amz-Security-Token"), Is.EqualTo("session"));
    }

    [Test]
    public async Task Keys_of_a_container_are_asked_for_again_before_they_expire()
    {
        var asked = 0;
        await using var container = new RecordingServer(_ => RecordingServer.Answer("200 OK", Keys($"CONTAINERKEY{Interlocked.Increment(ref asked)}", DateTimeOffset.UtcNow.AddMinutes(1))));
        Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.Endpoint + "/creds");
        await using var store = At("", options => options with
        {
            Environment = name => name == "AWS_CONTAINER_CREDENTIALS_FULL_URI" ? container.Endpoint + "/creds" : name == "HOME" ? "/nonexistent" : null,
        });
        await store.OpenAsync(CancellationToken.None);
        await store.StatAsync("m", CancellationToken.None);
        var keys = _server.Requests.Select(request => request.Signer().Key).ToArray();
        Assert.That(keys, Is.All.StartWith("CONTAINERKEY"));
        Assert.That(keys.Distinct().Count(), Is.GreaterThan(1), "keys that end within minutes are replaced while the store is in use");
    }

    private static string Keys(string key, DateTimeOffset expires) =>
        $$"""{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{{key}}","SecretAccessKey":"s","Token":"session","LastUpdated":"2017-05-01T12:00:00Z","Expiration":"{{expires:yyyy-MM-dd'T'HH:mm:ss'Z'}}"}""";

    private static StoreOptions Options() => new() { Environment = CephServer.Credentials("k", "s") };

    private IModelStore At(string more, Func<StoreOptions, StoreOptions>? with = null) =>
        new S3StoreFactory().Create(StoreUrl.Parse($"s3://bucket?endpoint={_server.Endpoint}{more}"), with?.Invoke(Options()) ?? Options());

    /// <summary>A variable that the SDK reads by itself.</summary>
    private void Set(string name, string? value)
    {
        _variablesBefore.TryAdd(name, Environment.GetEnvironmentVariable(name));
        Environment.SetEnvironmentVariable(name, value);
    }
}
