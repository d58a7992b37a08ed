namespace ModelFs.Stores.Tests;

/// <summary>Buckets that may be read but not listed. To who may not list, servers deny every key that is not there.</summary>
[TestFixture]
internal sealed class S3ByNameTests
{
    [Test]
    public async Task Who_may_only_read_finds_objects_by_their_keys()
    {
        var bucket = S3Stores.NewBucket();
        await using var owner = S3Stores.Of(bucket);
        await owner.OpenAsync(CancellationToken.None);
        var stored = await owner.PutAsync("m.tar.gz", [1, 2, 3]);
        await S3Admin.LetOthersAsync(owner, "s3:GetObject", "s3:PutObject");

        await using var reader = S3Stores.Of(bucket, new StoreOptions { Environment = CephServer.Stranger });
        Assert.That(await StoreConversations.FailureKindOf(() => reader.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.ListingDenied));
        Assert.That(await StoreConversations.FailureKindOf(() => reader.AllAsync()), Is.EqualTo(StoreErrorKind.ListingDenied));
        var found = await reader.StatAsync("m.tar.gz", CancellationToken.None);
        Assert.That(found, Is.EqualTo(stored));
        Assert.That(await reader.GetAsync(found!), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(await reader.StatAsync("nobody.tar.gz", CancellationToken.None), Is.Null);

        var made = await reader.PutAsync("new.tar.gz", [4], PublishCondition.Absent);
        Assert.That(await owner.StatAsync("new.tar.gz", CancellationToken.None), Is.EqualTo(made));
        Assert.That(await StoreConversations.FailureKindOf(() => reader.PutAsync("new.tar.gz", [5], PublishCondition.Absent)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        await reader.PutAsync("new.tar.gz", [6], PublishCondition.Matches(made.Revision));
    }

    [Test]
    public async Task A_denied_key_counts_as_absent_only_where_listing_is_denied()
    {
        var maysList = true;
        await using var server = new RecordingServer(request => request switch
        {
            { Method: "HEAD" } => RecordingServer.Answer("403 Forbidden"),
            _ when maysList && request.Target.Contains("list-type", StringComparison.Ordinal) => RecordingServer.Answer("200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
            _ => Denied("AccessDenied"),
        });
        await using var store = At(server);
        await store.OpenAsync(CancellationToken.None);
        Assert.That(await StoreConversations.FailureKindOf(() => store.StatAsync("m.tar.gz", CancellationToken.None)), Is.EqualTo(StoreErrorKind.AccessDenied));
        maysList = false;
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.ListingDenied));
        Assert.That(await store.StatAsync("m.tar.gz", CancellationToken.None), Is.Null);
    }

    [TestCase("InvalidAccessKeyId")]
    [TestCase("SignatureDoesNotMatch")]
    [TestCase("ExpiredToken")]
    public async Task Keys_that_are_wrong_or_expire_are_never_taken_for_an_absent_object(string code)
    {
        var denial = "AccessDenied";
        await using var server = new RecordingServer(request => request.Method == "HEAD" ? RecordingServer.Answer("403 Forbidden") : Denied(denial));
        await using var store = At(server);
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.ListingDenied));
        denial = code;
        Assert.That(await StoreConversations.FailureKindOf(() => store.StatAsync("m.tar.gz", CancellationToken.None)), Is.EqualTo(StoreErrorKind.AccessDenied));
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.AccessDenied));
    }

    private static string Denied(string code) => RecordingServer.Answer("403 Forbidden", $"<Error><Code>{code}</Code><Message>no</Message></Error>");

    private static IModelStore At(RecordingServer server) => S3Stores.At(server.Endpoint, "bucket", new StoreOptions { Environment = CephServer.Credentials("k", "s") });
}
