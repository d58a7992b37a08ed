namespace ModelFs.Stores.Tests;

/// <summary>The contract with limits that the tests hardly notice.</summary>
[TestFixture]
internal sealed class ThrottlingStoreContractTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() =>
        Task.FromResult<IModelStore>(new ThrottlingStore(new MemoryStore(), new ThrottleOptions(1L << 30, 1L << 30), TimeProvider.System));
}

[TestFixture]
internal sealed class ThrottledHistoryTests : ObjectHistoryContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() =>
        Task.FromResult<IModelStore>(new ThrottlingStore(new MemoryStore(), new ThrottleOptions(1L << 30, 1L << 30), TimeProvider.System));
}

/// <summary>How long transfers take under a limit, by a clock that jumps to whatever is waited for.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ThrottlingStoreTests
{
    private const int Rate = 100_000;
    private const int Bytes = 1_000_000;

    private readonly JumpingTime _time = new();

    [Test]
    public async Task A_megabyte_at_100_kB_per_second_takes_ten_seconds_to_come()
    {
        await using var store = Limited(up: null, down: Rate);
        var stored = await store.PutAsync("m", BytesContent.Random(Bytes, seed: 61));
        Assert.That(_time.Elapsed, Is.EqualTo(TimeSpan.Zero), "there is no limit of uploads");
        Assert.That(await store.GetAsync(stored), Is.EqualTo(BytesContent.Random(Bytes, seed: 61)));
        Assert.That(_time.Elapsed.TotalSeconds, Is.EqualTo(10).Within(0.01));
    }

    [Test]
    public async Task A_megabyte_at_100_kB_per_second_takes_ten_seconds_to_go()
    {
        await using var store = Limited(up: Rate, down: null);
        var stored = await store.PutAsync("m", new byte[Bytes]);
        Assert.That(_time.Elapsed.TotalSeconds, Is.EqualTo(10).Within(0.01));
        await store.GetAsync(stored);
        Assert.That(_time.Elapsed.TotalSeconds, Is.EqualTo(10).Within(0.01), "there is no limit of downloads");
    }

    [Test]
    public async Task Transfers_share_the_limit()
    {
        await using var store = Limited(up: null, down: Rate);
        var stored = await store.PutAsync("m", new byte[Bytes]);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(() => store.GetAsync(stored, i * 100_000, 100_000))));
        Assert.That(_time.Elapsed.TotalSeconds, Is.GreaterThanOrEqualTo(2.99));
    }

    [Test]
    public async Task No_step_waits_for_long_so_that_a_slow_transfer_still_makes_progress()
    {
        await using var store = Limited(up: Rate, down: null);
        await store.PutAsync("m", new byte[Bytes]);
        Assert.That(_time.LongestWait, Is.LessThanOrEqualTo(TimeSpan.FromSeconds(0.2)));
    }

    [Test]
    public async Task What_is_only_looked_at_does_not_count()
    {
        var looking = new LookingStore();
        await using var store = new ThrottlingStore(looking, new ThrottleOptions(Rate, null), _time);
        await store.PutAsync("m", new byte[Bytes]);
        Assert.That(_time.Elapsed, Is.EqualTo(TimeSpan.Zero));
    }

    private ThrottlingStore Limited(long? up, long? down) => new(new MemoryStore(), new ThrottleOptions(up, down), _time);

    /// <summary>Reads what is published to check it, and then fails to need it.</summary>
    private sealed class LookingStore : IModelStore
    {
        private readonly MemoryStore _memory = new();

        public string DisplayName => _memory.DisplayName;

        public StoreTraits Traits => _memory.Traits;

        public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken) => _memory.ListAsync(cancellationToken);

        public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) => _memory.StatAsync(key, cancellationToken);

        public Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken) => _memory.ReadAsync(source, offset, length, cancellationToken);

        public async Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
        {
            await using var look = content.OpenToCheck(0, content.Length);
            return await _memory.PutAsync(key, await StoreConversations.DrainAsync(look), condition);
        }

        public Task DeleteAsync(string key, ModelFs.Models.StoreRevision? ifRevision, CancellationToken cancellationToken) => _memory.DeleteAsync(key, ifRevision, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A clock that stands still but for what somebody waits for, and then is there at once.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private long _ticks;
        private long _longestTicks;

        public TimeSpan Elapsed => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

        public TimeSpan LongestWait => TimeSpan.FromTicks(Interlocked.Read(ref _longestTicks));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var due = GetTimestamp() + dueTime.Ticks;
            Interlocked.Exchange(ref _longestTicks, Math.Max(Interlocked.Read(ref _longestTicks), dueTime.Ticks));
            long now;
            while ((now = GetTimestamp()) < due && Interlocked.CompareExchange(ref _ticks, due, now) != now)
            {
            }

            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
