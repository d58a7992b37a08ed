using Microsoft.Extensions.Time.Testing;

namespace ModelFs.Stores.Tests;

/// <summary>Archives that the real server puts together from parts that it holds and parts that are sent.</summary>
[TestFixture]
internal sealed class S3CompositionTests
{
    private const int MiB = 1 << 20;
    private const int ChangeBytes = 10_000;
    private const string Key = "big.tar.gz";

    [Test]
    public async Task Ten_kilobytes_changed_in_a_big_archive_send_no_more_than_6_MiB()
    {
        using var relay = new CountingRelay(CephServer.Endpoint);
        await using var store = S3Stores.At(relay.Endpoint, S3Stores.NewBucket());
        await store.OpenAsync(CancellationToken.None);
        var before = BytesContent.Random(150 * MiB, seed: 41);
        var source = await store.PutAsync(Key, before);
        await store.ProveConditionsAsync(CancellationToken.None);
        var sentBefore = relay.BytesSent;

        var fresh = BytesContent.Random(ChangeBytes, seed: 42);
        var published = await store.PublishAsync(Key, Changed(store, source, fresh, 70 * MiB), PublishCondition.Matches(source.Revision), CancellationToken.None);

        Assert.That(relay.BytesSent - sentBefore, Is.LessThan(6 * MiB));
        Assert.That(published.Length, Is.EqualTo(before.Length));
        fresh.CopyTo(before, 70 * MiB);
        await using var reader = new ParallelRangeReader(store, published, new ParallelReadOptions(), null, CancellationToken.None);
        Assert.That((await StoreConversations.DrainAsync(reader)).AsSpan().SequenceEqual(before), Is.True);
    }

    [Test]
    public async Task Changes_far_apart_send_their_own_bytes_and_leave_nothing_behind([Values] bool versions)
    {
        using var relay = new CountingRelay(CephServer.Endpoint);
        await using var store = S3Stores.At(relay.Endpoint, S3Stores.NewBucket());
        await store.OpenAsync(CancellationToken.None);
        if (versions)
        {
            await S3Admin.KeepVersionsAsync(store);
        }

        var archive = BytesContent.Random(100 * MiB, seed: 45);
        var source = await store.PutAsync(Key, archive);
        await store.ProveConditionsAsync(CancellationToken.None);
        var sentBefore = relay.BytesSent;

        var published = await store.PublishAsync(Key, Changed(store, source, archive, 2_000, 20 * MiB, 23 * MiB, 60 * MiB), PublishCondition.Matches(source.Revision), CancellationToken.None);
        Assert.That(relay.BytesSent - sentBefore, Is.LessThan(MiB / 2));
        await using var reader = new ParallelRangeReader(store, published, new ParallelReadOptions(), null, CancellationToken.None);
        Assert.That((await StoreConversations.DrainAsync(reader)).AsSpan().SequenceEqual(archive), Is.True);
        Assert.That(await S3Admin.UploadsAsync(store), Is.Empty);
        Assert.That((await S3Admin.AllVersionsAsync(store)).Distinct(), Is.EqualTo(new[] { Key }));
    }

    [Test]
    public async Task A_bridge_that_a_dead_daemon_left_is_no_model_and_goes_when_it_is_old()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var options = new StoreOptions { Environment = CephServer.Owner, TimeProvider = time };
        var bucket = S3Stores.NewBucket();
        await using var store = S3Stores.Of(bucket, options);
        await store.OpenAsync(CancellationToken.None);
        await store.PutAsync(".modelfs-part-0123", [1, 2, 3]);
        Assert.That(await store.ListAsync(CancellationToken.None).ToListAsync(), Is.Empty);
        await store.ProveConditionsAsync(CancellationToken.None);
        Assert.That(await S3Admin.AllVersionsAsync(store), Is.EqualTo(new[] { ".modelfs-part-0123" }), "it may be in use");

        await using var later = S3Stores.Of(bucket, options);
        time.Advance(TimeSpan.FromHours(2));
        await later.ProveConditionsAsync(CancellationToken.None);
        Assert.That(await S3Admin.AllVersionsAsync(store), Is.Empty);
    }

    [Test]
    public async Task A_composition_over_a_replaced_revision_is_refused_and_leaves_no_upload_behind()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        var source = await store.PutAsync(Key, BytesContent.Random(80 * MiB, seed: 43));
        var content = Changed(store, source, new byte[ChangeBytes], 40 * MiB);
        var overtaking = new DisturbedContent(content, reads => reads > 1 ? Task.CompletedTask : store.PutAsync(Key, [1, 2, 3]));
        Assert.That(
            await StoreConversations.FailureKindOf(() => store.PublishAsync(Key, overtaking, PublishCondition.Matches(source.Revision), CancellationToken.None)),
            Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await store.GetAsync((await store.StatAsync(Key, CancellationToken.None))!), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(await S3Admin.UploadsAsync(store), Is.Empty);
    }

    [Test]
    public async Task A_composition_whose_content_breaks_is_removed_and_the_old_archive_stands()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        var source = await store.PutAsync(Key, BytesContent.Random(80 * MiB, seed: 44));
        var content = Changed(store, source, new byte[ChangeBytes], 40 * MiB);
        var failing = new DisturbedContent(content, _ => throw new IOException("the disk is gone"));
        Assert.That(await StoreConversations.FailureOf(() => store.PublishAsync(Key, failing, PublishCondition.Matches(source.Revision), CancellationToken.None)), Is.Not.Null);
        Assert.That(await store.StatAsync(Key, CancellationToken.None), Is.EqualTo(source));
        Assert.That(await S3Admin.UploadsAsync(store), Is.Empty);
    }

    private static SegmentedContent Changed(IModelStore store, StoredObject source, byte[] fresh, long at) => new(
        store,
        source,
        [new(0, at, 0), new(at, fresh.Length, null), new(at + fresh.Length, source.Length - at - fresh.Length, at + fresh.Length)],
        (offset, length) => new MemoryStream(fresh, (int)(offset - at), (int)length));

    /// <summary>The archive with 10,000 other bytes at each of some places; it is changed, too.</summary>
    private static SegmentedContent Changed(IModelStore store, StoredObject source, byte[] archive, params long[] places)
    {
        var segments = new List<ContentSegment>();
        long offset = 0;
        foreach (var place in places)
        {
            segments.Add(new ContentSegment(offset, place - offset, offset));
            segments.Add(new ContentSegment(place, ChangeBytes, null));
            BytesContent.Random(ChangeBytes, seed: (int)place).CopyTo(archive, place);
            offset = place + ChangeBytes;
        }

        segments.Add(new ContentSegment(offset, archive.Length - offset, offset));
        return new SegmentedContent(store, source, segments, (from, length) => new MemoryStream(archive, (int)from, (int)length));
    }

    /// <summary>Does something of the test's before each read, told its number.</summary>
    private sealed class DisturbedContent(IPublishContent content, Func<int, Task> beforeRead) : IPublishContent
    {
        private int _reads;

        public long Length => content.Length;

        public StoredObject? Source => content.Source;

        public IReadOnlyList<ContentSegment> Segments => content.Segments;

        public Stream OpenRead(long offset, long length)
        {
            beforeRead(Interlocked.Increment(ref _reads)).GetAwaiter().GetResult();
            return content.OpenRead(offset, length);
        }
    }
}
