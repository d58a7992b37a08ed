namespace ModelFs.Stores.Tests;

/// <summary>Which conditions a real server keeps, and how an archive is published where it keeps only some.</summary>
[TestFixture]
internal sealed class S3ConditionTests
{
    private const int MiB = 1 << 20;

    [Test]
    public async Task A_probe_shows_that_ceph_keeps_conditions_of_a_put_and_ignores_the_others()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        Assert.That(store.Traits.CreateCondition, Is.EqualTo(ConditionSupport.Unproven));

        await store.ProveConditionsAsync(CancellationToken.None);
        Assert.That(store.Traits.CreateCondition, Is.EqualTo(ConditionSupport.Atomic));
        Assert.That(store.Traits.ReplaceCondition, Is.EqualTo(ConditionSupport.Atomic));
        Assert.That(store.Traits.DeleteCondition, Is.EqualTo(ConditionSupport.CheckedBefore));
        Assert.That(store.Traits.InPartsCondition, Is.EqualTo(ConditionSupport.CheckedBefore));
    }

    [Test]
    public async Task The_probe_leaves_nothing_behind()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        await store.ProveConditionsAsync(CancellationToken.None);
        Assert.That(await S3Admin.AllVersionsAsync(store), Is.Empty);
        Assert.That(await S3Admin.UploadsAsync(store), Is.Empty);
    }

    [Test]
    public async Task The_probe_leaves_no_version_behind_in_a_bucket_with_versions()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        await S3Admin.KeepVersionsAsync(store);
        await store.ProveConditionsAsync(CancellationToken.None);
        Assert.That(await S3Admin.AllVersionsAsync(store), Is.Empty);
    }

    [Test]
    public async Task Who_may_only_read_can_open_and_read_and_gets_no_probe_and_weak_conditions()
    {
        var bucket = S3Stores.NewBucket();
        await using var owner = S3Stores.Of(bucket);
        await owner.OpenAsync(CancellationToken.None);
        var stored = await owner.PutAsync("m.tar.gz", [1, 2]);
        await S3Admin.LetOthersAsync(owner, "s3:GetObject", "s3:ListBucket");
        await using var reader = S3Stores.Of(bucket, new StoreOptions { Environment = CephServer.Stranger });
        await reader.OpenAsync(CancellationToken.None);
        Assert.That(await reader.GetAsync(stored), Is.EqualTo(new byte[] { 1, 2 }));
        await reader.ProveConditionsAsync(CancellationToken.None);
        Assert.That(reader.Traits.CreateCondition, Is.EqualTo(ConditionSupport.CheckedBefore));
        Assert.That(await S3Admin.AllVersionsAsync(owner), Is.EqualTo(new[] { "m.tar.gz" }));
    }

    [Test]
    public async Task A_large_archive_goes_by_one_request_where_only_that_keeps_the_condition()
    {
        await using var store = S3Stores.New(new StoreOptions { Environment = CephServer.Owner, SingleUploadBytesMax = MiB, UploadPartBytes = 5 * MiB });
        await store.OpenAsync(CancellationToken.None);
        var stored = await store.PutAsync("m.tar.gz", BytesContent.Random(21 * MiB, seed: 51), PublishCondition.Absent);
        Assert.That(stored.Revision.Value, Does.Not.Contain("-"), "the ETag of one request");
        var racing = new RacingContent(BytesContent.Random(21 * MiB, seed: 52), () => store.PutAsync("m.tar.gz", [1]));
        Assert.That(
            await StoreConversations.FailureKindOf(() => store.PublishAsync("m.tar.gz", racing, PublishCondition.Matches(stored.Revision), CancellationToken.None)),
            Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That((await store.StatAsync("m.tar.gz", CancellationToken.None))!.Length, Is.EqualTo(1));
    }

    [Test]
    public async Task A_large_upload_by_one_request_that_keeps_breaking_goes_in_parts()
    {
        using var relay = new CountingRelay(CephServer.Endpoint, connectionBytesMax: 9 * MiB);
        await using var inner = S3Stores.At(relay.Endpoint, S3Stores.NewBucket(), new StoreOptions { Environment = CephServer.Owner, SingleUploadBytesMax = MiB, UploadPartBytes = 5 * MiB });
        await using var store = new RetryingStore(inner, RetryingStoreTests.Fast, Microsoft.Extensions.Logging.Abstractions.NullLogger<RetryingStore>.Instance);
        await store.OpenAsync(CancellationToken.None);
        var bytes = BytesContent.Random(21 * MiB, seed: 53);
        var stored = await store.PutAsync("m.tar.gz", bytes, PublishCondition.Absent);
        Assert.That(stored.Revision.Value, Does.EndWith("-5"), "an ETag of five parts");
        Assert.That((await store.GetAsync(stored)).AsSpan().SequenceEqual(bytes), Is.True);
    }

    /// <summary>Lets somebody else publish while it is sent.</summary>
    private sealed class RacingContent(byte[] bytes, Func<Task> meanwhile) : IPublishContent
    {
        private int _reads;

        public long Length => bytes.Length;

        public Stream OpenRead(long offset, long length)
        {
            if (Interlocked.Increment(ref _reads) == 1)
            {
                meanwhile().GetAwaiter().GetResult();
            }

            return new MemoryStream(bytes, (int)offset, (int)length, writable: false);
        }
    }
}
