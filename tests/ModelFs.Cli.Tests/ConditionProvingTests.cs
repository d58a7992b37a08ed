using Microsoft.Extensions.Logging.Abstractions;
using ModelFs.Cli.Daemon;
using ModelFs.Stores;

namespace ModelFs.Cli.Tests;

/// <summary>The store is asked which conditions it keeps when the rush after the mount is over.</summary>
public sealed class ConditionProvingTests
{
    private readonly FakeStores _stores = new();

    [Test]
    public async Task The_store_is_asked_a_while_after_the_start()
    {
        await using var store = Store();
        var proving = new ConditionProving(store, isReadOnly: false, new FakeTime(), NullLogger.Instance);
        await _stores.Proven.WaitAsync(TimeSpan.FromSeconds(30));
        await proving.DisposeAsync();
    }

    [Test]
    public async Task A_mount_that_ends_before_asks_nothing()
    {
        await using var store = Store();
        await using (new ConditionProving(store, isReadOnly: false, TimeProvider.System, NullLogger.Instance))
        {
            // Ends at once.
        }

        Assert.That(_stores.Proven.IsCompleted, Is.False);
    }

    [Test]
    public async Task A_mount_that_only_reads_asks_nothing()
    {
        await using var store = Store();
        await using (new ConditionProving(store, isReadOnly: true, new FakeTime(), NullLogger.Instance))
        {
            // Nothing was started.
        }

        Assert.That(_stores.Proven.IsCompleted, Is.False);
    }

    private IModelStore Store() => _stores.Create(_stores.Parse("s3://models", "/"), createBucket: false, caFile: null);
}
