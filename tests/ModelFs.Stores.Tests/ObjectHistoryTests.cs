using Microsoft.Extensions.Logging.Abstractions;

namespace ModelFs.Stores.Tests;

[TestFixture]
internal sealed class MemoryHistoryTests : ObjectHistoryContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult<IModelStore>(new MemoryStore());
}

[TestFixture]
internal sealed class MeasuredHistoryTests : ObjectHistoryContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult<IModelStore>(new MeasuringStore(new MemoryStore()));

    [Test]
    public async Task Lists_reads_restores_and_errors_are_counted()
    {
        await Store.PutAsync("m.tar.gz", new byte[100]);
        await Store.PutAsync("m.tar.gz", [2]);
        var past = await PastOfAsync("m.tar.gz");
        await GetAsync(past.Past[0]);
        await RestoreAsync(past, past.Past[0]);
        await StoreConversations.FailureOf(() => RestoreAsync(past, past.Past[0]));
        var counted = ((MeasuringStore)Store).Measurements;
        Assert.That((counted.LookUps, counted.Reads, counted.BytesRead, counted.Publishes, counted.Errors), Is.EqualTo((1, 1, 100, 4, 1)));
    }
}

/// <summary>The contract with every second operation of the store below failing, and bodies breaking every 40,000 bytes.</summary>
[TestFixture]
internal sealed class RetryingHistoryTests : ObjectHistoryContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult<IModelStore>(Retrying(
        new FaultyStore(new MemoryStore()) { Before = number => number % 2 == 1 ? FaultyStore.Down() : null, BodyBytesMax = 40_000 }));

    [Test]
    public async Task A_restore_whose_answer_was_lost_is_recognised()
    {
        var isLost = false;
        var memory = new MemoryStore();
        await memory.PutAsync("m.tar.gz", [1]);
        await memory.PutAsync("m.tar.gz", [2]);
        var faulty = new FaultyStore(memory)
        {
            AfterPublish = _ =>
            {
                (isLost, var lost) = (true, isLost ? null : FaultyStore.Down());
                return lost;
            },
        };
        await using var store = Retrying(faulty);
        var past = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        var restored = await store.History.RestoreAsync(past.Past[0], PublishCondition.Matches(past.Current!.Revision), CancellationToken.None);
        Assert.That(isLost, Is.True);
        Assert.That(await memory.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(restored));
        Assert.That(await memory.GetAsync(restored), Is.EqualTo(new byte[] { 1 }));
    }

    private static RetryingStore Retrying(FaultyStore faulty) => new(faulty, RetryingStoreTests.Fast with { RetriesMax = 50 }, NullLogger<RetryingStore>.Instance);
}
