using Microsoft.Extensions.Logging.Abstractions;

namespace ModelFs.Stores.Tests;

[TestFixture]
internal sealed class MeasuringStoreTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult<IModelStore>(new MeasuringStore(new MemoryStore()));

    [Test]
    public async Task Calls_bytes_and_errors_are_counted()
    {
        var store = (MeasuringStore)Store;
        var first = await store.PutAsync("m.tar.gz", new byte[1000]);
        await store.GetAsync(first, 100, 300);
        await store.StatAsync("m.tar.gz", CancellationToken.None);
        await store.AllAsync();
        await store.PutAsync("m.tar.gz", new byte[10]);
        await StoreConversations.FailureOf(() => store.GetAsync(first));
        await store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        Assert.That(store.Measurements, Is.EqualTo(new StoreMeasurements(Listings: 1, LookUps: 1, Reads: 2, Publishes: 2, Deletes: 1, BytesRead: 300, BytesPublished: 1010, Errors: 1)));
    }
}

/// <summary>The contract with every second operation of the store below failing, and bodies breaking every 40,000 bytes.</summary>
[TestFixture]
internal sealed class RetryingStoreContractTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync()
    {
        var faulty = new FaultyStore(new MemoryStore()) { Before = number => number % 2 == 1 ? FaultyStore.Down() : null, BodyBytesMax = 40_000 };
        return Task.FromResult<IModelStore>(new RetryingStore(faulty, RetryingStoreTests.Fast with { RetriesMax = 50 }, NullLogger<RetryingStore>.Instance));
    }
}

[TestFixture]
internal sealed class RetryingStoreTests
{
    private MemoryStore _memory = null!;
    private FaultyStore _faulty = null!;
    private RetryingStore _store = null!;

    public static RetryOptions Fast => new() { FirstPause = TimeSpan.FromTicks(1), PauseMax = TimeSpan.FromTicks(2), RetriesMax = 3 };

    [SetUp]
    public void Wrap()
    {
        _memory = new MemoryStore();
        _faulty = new FaultyStore(_memory);
        _store = new RetryingStore(_faulty, Fast, NullLogger<RetryingStore>.Instance);
    }

    [Test]
    public async Task A_store_that_stays_down_is_given_up_after_the_last_retry()
    {
        _faulty.Before = _ => FaultyStore.Down();
        Assert.That(await StoreConversations.FailureKindOf(() => _store.StatAsync("m", CancellationToken.None)), Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(_faulty.Operations, Is.EqualTo(1 + Fast.RetriesMax));
    }

    [Test]
    public async Task Only_unavailability_is_tried_again([Values] StoreErrorKind kind)
    {
        _faulty.Before = _ => new StoreException(kind, "no");
        Assert.That(await StoreConversations.FailureKindOf(() => _store.StatAsync("m", CancellationToken.None)), Is.EqualTo(kind));
        Assert.That(_faulty.Operations, Is.EqualTo(kind == StoreErrorKind.Unavailable ? 1 + Fast.RetriesMax : 1));
    }

    [Test]
    public async Task No_retry_begins_when_patience_is_over()
    {
        await using var impatient = new RetryingStore(_faulty, Fast with { Patience = TimeSpan.Zero }, NullLogger<RetryingStore>.Instance);
        _faulty.Before = _ => FaultyStore.Down();
        await StoreConversations.FailureOf(() => impatient.StatAsync("m", CancellationToken.None));
        Assert.That(_faulty.Operations, Is.EqualTo(1));
    }

    [Test]
    public async Task A_broken_body_is_read_on_where_it_broke()
    {
        var bytes = BytesContent.Random(10_000, seed: 21);
        var stored = await _store.PutAsync("m", bytes);
        _faulty.BodyBytesMax = 999;
        Assert.That(await _store.GetAsync(stored), Is.EqualTo(bytes));
    }

    [Test]
    public async Task A_broken_body_is_given_up_when_patience_is_over()
    {
        await using var impatient = new RetryingStore(_faulty, Fast with { Patience = TimeSpan.Zero }, NullLogger<RetryingStore>.Instance);
        var stored = await impatient.PutAsync("m", new byte[2000]);
        _faulty.BodyBytesMax = 999;
        Assert.That(await StoreConversations.FailureKindOf(() => impatient.GetAsync(stored)), Is.EqualTo(StoreErrorKind.Unavailable));
    }

    [Test]
    public async Task A_broken_body_that_never_moves_again_is_given_up()
    {
        var stored = await _store.PutAsync("m", new byte[2000]);
        _faulty.BodyBytesMax = 0;
        Assert.That(await StoreConversations.FailureKindOf(() => _store.GetAsync(stored)), Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(_faulty.Operations, Is.EqualTo(1 + 1 + Fast.RetriesMax));
    }

    [Test]
    public async Task A_broken_body_whose_object_was_replaced_is_never_mixed()
    {
        var stored = await _store.PutAsync("m", BytesContent.Random(10_000, seed: 22));
        _faulty.BodyBytesMax = 5000;
        await using var stream = await _store.ReadAsync(stored, 0, stored.Length, CancellationToken.None);
        await stream.ReadExactlyAsync(new byte[5000]);
        await _memory.PutAsync("m", BytesContent.Random(10_000, seed: 23));
        Assert.That(await StoreConversations.FailureKindOf(async () => await stream.ReadExactlyAsync(new byte[1])), Is.EqualTo(StoreErrorKind.RevisionChanged));
    }

    [Test]
    public async Task A_publish_whose_answer_was_lost_counts_when_its_bytes_are_there()
    {
        _faulty.AfterPublish = number => number == 1 ? FaultyStore.Down() : null;
        var published = await _store.PutAsync("m", [1, 2, 3], PublishCondition.Absent);
        Assert.That(await _memory.StatAsync("m", CancellationToken.None), Is.EqualTo(published));
    }

    [Test]
    public async Task A_publish_whose_answer_was_lost_and_that_was_overtaken_is_refused()
    {
        _faulty.AfterPublish = number =>
        {
            _memory.PutAsync("m", [9, 9, 9]).GetAwaiter().GetResult();
            return number == 1 ? FaultyStore.Down() : null;
        };
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync("m", [1, 2, 3], PublishCondition.Absent)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
    }

    [Test]
    public async Task A_listing_that_breaks_delivers_every_object_once()
    {
        for (var i = 0; i < 20; i++)
        {
            await _memory.PutAsync($"m{i}", [1]);
        }

        _faulty.Before = number => number is 7 or 15 ? FaultyStore.Down() : null;
        Assert.That((await _store.AllAsync()).Select(o => o.Key), Is.EquivalentTo(Enumerable.Range(0, 20).Select(i => $"m{i}")));
    }
}
