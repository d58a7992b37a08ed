using Microsoft.Extensions.Logging.Abstractions;

namespace ModelFs.Stores.Contract;

/// <summary>What <see cref="IModelStore"/> promises, for every implementation and decorator alike. Each test gets an empty store.</summary>
public abstract class ModelStoreContract
{
    private static readonly string[] OddKeys =
        ["a b.tar.gz", "a+b.tar.gz", "a%2Fb.tar.gz", "ünïcödé-模型.tar.gz", "u\u0308.tar.gz", "a&b=c?d#e.tar.gz", "it's \"q\".tar.gz", "project___name.tar.gz", ".hidden", new string('n', 248) + ".tar.gz"];

    private IModelStore _store = null!;

    protected IModelStore Store => _store;

    protected abstract Task<IModelStore> CreateEmptyStoreAsync();

    [SetUp]
    public async Task OpenAsync()
    {
        _store = await CreateEmptyStoreAsync();
        await _store.OpenAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task CloseAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    [Test]
    public async Task An_empty_store_lists_nothing_and_knows_no_key()
    {
        Assert.That(await _store.AllAsync(), Is.Empty);
        Assert.That(await _store.StatAsync("none.tar.gz", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task What_was_published_is_looked_up_listed_and_read_with_the_same_revision()
    {
        var bytes = BytesContent.Random(100_000, seed: 1);
        var published = await _store.PutAsync("bert.tar.gz", bytes);

        Assert.That(published.Key, Is.EqualTo("bert.tar.gz"));
        Assert.That(published.Length, Is.EqualTo(bytes.Length));
        Assert.That(published.LastModified, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
        Assert.That(await _store.StatAsync("bert.tar.gz", CancellationToken.None), Is.EqualTo(published));
        Assert.That((await _store.AllAsync()).Select(o => (o.Key, o.Revision, o.Length)), Is.EqualTo(new[] { (published.Key, published.Revision, published.Length) }));
        Assert.That(await _store.GetAsync(published), Is.EqualTo(bytes));
    }

    [Test]
    public async Task An_object_from_the_listing_can_be_read()
    {
        await _store.PutAsync("m.tar.gz", [1, 2, 3]);
        var listed = (await _store.AllAsync()).Single();
        Assert.That(await _store.GetAsync(listed), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public async Task An_empty_archive_is_kept_as_one()
    {
        var published = await _store.PutAsync("empty.tar.gz", []);
        Assert.That(published.Length, Is.Zero);
        Assert.That(await _store.GetAsync(published), Is.Empty);
    }

    [TestCase(0, 1)]
    [TestCase(0, 70_000)]
    [TestCase(1, 69_999)]
    [TestCase(69_999, 1)]
    [TestCase(12_345, 23_456)]
    [TestCase(500, 0)]
    [TestCase(70_000, 0)]
    public async Task A_range_delivers_exactly_its_bytes(int offset, int length)
    {
        var bytes = BytesContent.Random(70_000, seed: 2);
        var published = await _store.PutAsync("ranged.tar.gz", bytes);
        Assert.That(await _store.GetAsync(published, offset, length), Is.EqualTo(bytes[offset..(offset + length)]));
    }

    [Test]
    public async Task A_replacement_has_another_revision_also_with_the_same_length()
    {
        var first = await _store.PutAsync("m.tar.gz", [1, 1, 1]);
        var second = await _store.PutAsync("m.tar.gz", [2, 2, 2]);
        Assert.That(second.Revision, Is.Not.EqualTo(first.Revision));
        Assert.That(await _store.GetAsync(second), Is.EqualTo(new byte[] { 2, 2, 2 }));
    }

    [Test]
    public async Task A_read_pinned_to_a_replaced_revision_is_refused()
    {
        var first = await _store.PutAsync("m.tar.gz", BytesContent.Random(5000, seed: 3));
        await _store.PutAsync("m.tar.gz", BytesContent.Random(5000, seed: 4));
        Assert.That(await StoreConversations.FailureKindOf(() => _store.GetAsync(first)), Is.EqualTo(StoreErrorKind.RevisionChanged));
        Assert.That(await StoreConversations.FailureKindOf(() => _store.GetAsync(first, 10, 20)), Is.EqualTo(StoreErrorKind.RevisionChanged));
    }

    [Test]
    public async Task A_read_of_a_deleted_object_is_refused()
    {
        var first = await _store.PutAsync("m.tar.gz", [1, 2, 3]);
        await _store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        Assert.That(await StoreConversations.FailureKindOf(() => _store.GetAsync(first)), Is.EqualTo(StoreErrorKind.RevisionChanged));
    }

    [Test]
    public async Task Publishing_only_if_absent_refuses_an_existing_key_and_leaves_it()
    {
        var first = await _store.PutAsync("m.tar.gz", [1], PublishCondition.Absent);
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync("m.tar.gz", [2], PublishCondition.Absent)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(first));
    }

    [Test]
    public async Task Publishing_only_over_a_revision_replaces_that_one_and_no_other()
    {
        var first = await _store.PutAsync("m.tar.gz", [1]);
        var second = await _store.PutAsync("m.tar.gz", [2], PublishCondition.Matches(first.Revision));
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync("m.tar.gz", [3], PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await _store.GetAsync(second), Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public async Task Publishing_over_a_revision_of_a_deleted_object_is_refused()
    {
        var first = await _store.PutAsync("m.tar.gz", [1]);
        await _store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync("m.tar.gz", [2], PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task Where_creation_is_atomic_one_of_many_racers_wins()
    {
        await _store.ProveConditionsAsync(CancellationToken.None);
        if (_store.Traits.CreateCondition != ConditionSupport.Atomic)
        {
            Assert.Ignore($"{_store.DisplayName} does not promise atomic creation");
        }

        var racers = Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            try
            {
                await _store.PutAsync("race.tar.gz", [(byte)i], PublishCondition.Absent);
                return true;
            }
            catch (StoreException exception) when (exception.Kind == StoreErrorKind.PreconditionFailed)
            {
                return false;
            }
        }));
        Assert.That((await Task.WhenAll(racers)).Count(won => won), Is.EqualTo(1));
    }

    [Test]
    public async Task Deleting_removes_the_object_and_deleting_nothing_succeeds()
    {
        await _store.PutAsync("m.tar.gz", [1]);
        await _store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        await _store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.Null);
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task Deleting_only_a_revision_refuses_another_one()
    {
        var first = await _store.PutAsync("m.tar.gz", [1]);
        var second = await _store.PutAsync("m.tar.gz", [2]);
        Assert.That(await StoreConversations.FailureKindOf(() => _store.DeleteAsync("m.tar.gz", first.Revision, CancellationToken.None)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        await _store.DeleteAsync("m.tar.gz", second.Revision, CancellationToken.None);
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Odd_names_come_back_as_they_went_in([ValueSource(nameof(OddKeys))] string key)
    {
        var published = await _store.PutAsync(key, [7]);
        Assert.That((await _store.AllAsync()).Single().Key, Is.EqualTo(key));
        Assert.That(await _store.StatAsync(key, CancellationToken.None), Is.EqualTo(published));
        Assert.That(await _store.GetAsync(published), Is.EqualTo(new byte[] { 7 }));
        await _store.DeleteAsync(key, published.Revision, CancellationToken.None);
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task Content_that_ends_early_publishes_nothing()
    {
        var failed = await Assert.CatchAsync(() => _store.PublishAsync("short.tar.gz", new ShortContent(), PublishCondition.None, CancellationToken.None));
        Assert.That(failed, Is.InstanceOf<IOException>());
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task An_archive_of_segments_of_its_predecessor_and_new_bytes_is_published_whole()
    {
        var before = BytesContent.Random(300_000, seed: 8);
        var fresh = BytesContent.Random(20_000, seed: 9);
        var source = await _store.PutAsync("m.tar.gz", before);
        var content = SegmentsOf(source, fresh);
        byte[] expected = [.. before[..100_000], .. fresh[..10_000], .. before[110_000..300_000], .. fresh[10_000..]];

        var published = await _store.PublishAsync("m.tar.gz", content, PublishCondition.Matches(source.Revision), CancellationToken.None);
        Assert.That(published.Length, Is.EqualTo(expected.Length));
        Assert.That(published.Revision, Is.Not.EqualTo(source.Revision));
        Assert.That(await _store.GetAsync(published), Is.EqualTo(expected));
    }

    [Test]
    public async Task Segments_of_a_replaced_predecessor_publish_nothing([Values] bool conditional)
    {
        var source = await _store.PutAsync("m.tar.gz", BytesContent.Random(300_000, seed: 8));
        var other = await _store.PutAsync("m.tar.gz", BytesContent.Random(300_000, seed: 10));
        var condition = conditional ? PublishCondition.Matches(source.Revision) : PublishCondition.None;
        var content = SegmentsOf(source, BytesContent.Random(20_000, seed: 9));
        Assert.That(
            await StoreConversations.FailureKindOf(() => _store.PublishAsync("m.tar.gz", content, condition, CancellationToken.None)),
            Is.EqualTo(conditional ? StoreErrorKind.PreconditionFailed : StoreErrorKind.RevisionChanged));
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(other));
    }

    [Test]
    public async Task A_cancelled_call_ends_as_cancelled()
    {
        var published = await _store.PutAsync("m.tar.gz", [1, 2, 3]);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.That(async () => await _store.StatAsync("m.tar.gz", cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await _store.ReadAsync(published, 0, 3, cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await _store.PublishAsync("n.tar.gz", new BytesContent([1]), PublishCondition.None, cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await _store.StatAsync("n.tar.gz", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Readers_beside_a_publisher_see_one_revision_or_the_other()
    {
        var first = BytesContent.Random(300_000, seed: 5);
        var second = BytesContent.Random(300_000, seed: 6);
        await _store.PutAsync("m.tar.gz", first);
        var publisher = Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                await _store.PutAsync("m.tar.gz", i % 2 == 0 ? second : first);
            }
        });

        // Ceph's gateway now and then answers 500 to a read that races with a replacement; as the program does, such a read is tried again.
        var reader = new RetryingStore(_store, new RetryOptions(), NullLogger<RetryingStore>.Instance);
        var whole = 0;
        do
        {
            var current = await reader.StatAsync("m.tar.gz", CancellationToken.None);
            try
            {
                var bytes = await reader.GetAsync(current!);
                Assert.That(bytes.AsSpan().SequenceEqual(first) || bytes.AsSpan().SequenceEqual(second), Is.True);
                whole++;
            }
            catch (StoreException exception) when (exception.Kind == StoreErrorKind.RevisionChanged)
            {
                continue;
            }
        }
        while (!publisher.IsCompleted || whole == 0);
        await publisher;
    }

    [Test]
    public async Task A_parallel_download_delivers_the_object_in_order()
    {
        var bytes = BytesContent.Random(1_000_000, seed: 7);
        var published = await _store.PutAsync("m.tar.gz", bytes);
        await using var reader = new ParallelRangeReader(_store, published, new ParallelReadOptions { PartBytes = 64 * 1024, InFlightBytesMax = 256 * 1024 }, null, CancellationToken.None);
        Assert.That(await StoreConversations.DrainAsync(reader), Is.EqualTo(bytes));
    }

    [Test]
    public async Task A_parallel_download_lends_the_object_block_by_block()
    {
        const int partBytes = 64 * 1024, blockBytes = 50_000;
        var bytes = BytesContent.Random(1_000_000, seed: 8);
        var published = await _store.PutAsync("m.tar.gz", bytes);
        await using var reader = new ParallelRangeReader(_store, published, new ParallelReadOptions { PartBytes = partBytes, InFlightBytesMax = 256 * 1024 }, null, CancellationToken.None);
        var lent = new MemoryStream();
        for (var block = await reader.ReadBlockAsync(blockBytes, CancellationToken.None); !block.IsEmpty; block = await reader.ReadBlockAsync(blockBytes, CancellationToken.None))
        {
            var isWhole = block.Length == blockBytes || (lent.Length + block.Length) % partBytes == 0 || lent.Length + block.Length == bytes.Length;
            Assert.That(isWhole, Is.True, $"{block.Length} bytes at {lent.Length}: neither all that were asked for nor the end of a part");
            lent.Write(block.Span);
        }

        Assert.That(lent.ToArray(), Is.EqualTo(bytes));
    }

    /// <summary>100,000 bytes of the source, 10,000 new ones in the place of as many, the rest of the source, 10,000 new ones.</summary>
    private SegmentedContent SegmentsOf(StoredObject source, byte[] fresh) => new(
        _store,
        source,
        [new(0, 100_000, 0), new(100_000, 10_000, null), new(110_000, 190_000, 110_000), new(300_000, 10_000, null)],
        (offset, length) => new MemoryStream(fresh, (int)(offset < 300_000 ? offset - 100_000 : offset - 290_000), (int)length));

    private sealed class ShortContent : IPublishContent
    {
        public long Length => 1000;

        public Stream OpenRead(long offset, long length) => new MemoryStream(new byte[Math.Min(length, Math.Max(0, 500 - offset))]);
    }
}
