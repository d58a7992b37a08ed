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
