namespace ModelFs.Cli.Daemon;

/// <summary>
/// Gives the memory of garbage back to the system once the daemon rests. The runtime collects only when more is allocated, so without this a daemon that listed
/// thousands of models would hold for days what the listing left.
/// </summary>
/// <param name="allocatedBytes">Bytes allocated since the process began.</param>
/// <param name="collect">Collects, compacts, and gives back what is free.</param>
internal sealed class IdleMemory(Func<long> allocatedBytes, Action collect) : IAsyncDisposable
{
    /// <summary>How much there must be to collect: a collection stops all threads for some milliseconds.</summary>
    private const long GarbageBytesMin = 8L << 20;

    /// <summary>A daemon that allocates less than this between two looks rests.</summary>
    private const long RestBytesMax = 256L << 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private PeriodicTimer? _timer;
    private Task _looking = Task.CompletedTask;
    private long _seen;
    private long _collectedAt;

    /// <summary>Of this process.</summary>
    public IdleMemory()
        : this(() => GC.GetTotalAllocatedBytes(), () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true))
    {
    }

    /// <summary>Begins to look from time to time.</summary>
    public void Start(TimeProvider time)
    {
        var timer = _timer = new PeriodicTimer(s_interval, time);
        _looking = Task.Run(async () =>
        {
            while (await timer.WaitForNextTickAsync().ConfigureAwait(false))
            {
                Look();
            }
        });
    }

    /// <summary>Looks once.</summary>
    internal void Look()
    {
        var allocated = allocatedBytes();
        var rests = allocated - _seen <= RestBytesMax;
        _seen = allocated;
        if (rests && allocated - _collectedAt >= GarbageBytesMin)
        {
            collect();
            _collectedAt = allocated;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _timer?.Dispose();
        await _looking.ConfigureAwait(false);
    }
}
