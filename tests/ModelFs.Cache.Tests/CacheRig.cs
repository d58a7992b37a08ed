using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>A cache on a real disk over a store in memory, with the test's clock; it can be stopped and started like a daemon.</summary>
internal sealed class CacheRig : IAsyncDisposable
{
    private readonly TemporaryFolder _home = new();
    private readonly Func<CacheOptions, CacheOptions> _configure;
    private readonly List<ModelCache> _all = [];

    private CacheRig(Func<CacheOptions, CacheOptions> configure)
    {
        _configure = configure;
        Store = new TestStore(Time);
    }

    /// <summary>Later than any time of the disk under the test.</summary>
    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2126, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public TestStore Store { get; }

    public string Root => Path.Combine(_home.Path, "cache");

    public ModelCache Cache { get; private set; } = null!;

    public CacheFolder Folder { get; private set; } = null!;

    /// <summary>A rig that was not started; the store can be filled first.</summary>
    public static CacheRig Stopped(Func<CacheOptions, CacheOptions>? configure = null) => new(configure ?? (options => options));

    public static async Task<CacheRig> StartedAsync(Func<CacheOptions, CacheOptions>? configure = null, params (string Key, byte[] Bytes)[] objects)
    {
        var rig = Stopped(configure);
        foreach (var (key, bytes) in objects)
        {
            rig.Store.Put(key, bytes);
        }

        await rig.StartAsync();
        return rig;
    }

    public async Task StartAsync(bool resumed = false)
    {
        Folder = CacheFolder.Open(Root);
        var options = _configure(new CacheOptions { Folder = Root, FreeBytesMin = 0 });
        Cache = new ModelCache(Folder, Store, options, Time, NullLogger<ModelCache>.Instance);
        _all.Add(Cache);
        Cache.Start(resumed);
        await Cache.Catalog.FirstListing;
        await Cache.Catalog.RefreshIfOlder(TimeSpan.FromDays(1));
    }

    /// <summary>The daemon dies: nothing is written any more, only its lock on the folder is gone.</summary>
    public void Die() => Folder.Dispose();

    public async Task StopAsync()
    {
        await Cache.DisposeAsync();
        _all.Remove(Cache);
        Folder.Dispose();
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public CachedModel Model(string path)
    {
        Assert.That(ModelName.TryParsePath(path, out var name), Is.True);
        return Cache.Catalog.GetOrAdd(name!);
    }

    public CachedModel? Shown(string path)
    {
        Assert.That(ModelName.TryParsePath(path, out var name), Is.True);
        return Cache.Catalog.Find(name!);
    }

    public async Task<ModelCopy> AcquireAsync(string path) => await Cache.AcquireAsync(Model(path), CancellationToken.None);

    public async Task<ModelCopy> CreateAsync(string path)
    {
        Assert.That(ModelName.TryParsePath(path, out var name), Is.True);
        return await Cache.CreateModelAsync(name!, 0x1ED);
    }

    /// <summary>A program writes a file of a copy and closes it.</summary>
    public async Task WriteAsync(ModelCopy copy, string path, string text)
    {
        await Cache.BeginChangeAsync(copy, path, ChangeKind.Write);
        await File.WriteAllTextAsync(Path.Combine(copy.Content, path), text);
        PosixFile.Stat(Path.Combine(copy.Content, path), out var status);
        ModelCache.NoteWritten(copy, status.Inode);
        Cache.EndChange(copy, path);
    }

    public async Task RemoveAsync(ModelCopy copy, string path)
    {
        await Cache.BeginChangeAsync(copy, path, ChangeKind.Removal);
        File.Delete(Path.Combine(copy.Content, path));
        Cache.EndChange(copy, path);
    }

    public static string Read(ModelCopy copy, string path) => File.ReadAllText(Path.Combine(copy.Content, path));

    /// <summary>Lets time pass, and the queue look at every model at the new time.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        Time.Advance(time);
        await QueueTurnAsync();
    }

    /// <summary>Returns after the queue has looked at every dirty model since the call, and started what was due.</summary>
    public async Task QueueTurnAsync()
    {
        var probe = Cache.Catalog.Find(ProbeName)?.Copy ?? await Cache.CreateModelAsync(ProbeName, 0x1ED);
        for (var turn = 0; turn < 2; turn++)
        {
            // Empty, so it has nothing to publish, but each attempt is one whole turn of the queue.
            await Cache.SyncAsync(probe.Model, CancellationToken.None);
        }
    }

    /// <summary>Waits for what another thread is about to do.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var deadline = Environment.TickCount64 + 60_000; !condition();)
        {
            Assert.That(Environment.TickCount64, Is.LessThan(deadline), "still waiting: " + what);
            await Task.Delay(1);
        }
    }

    /// <summary>The error with which a call fails.</summary>
    public static async Task<ModelException> FailsAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ModelException error)
        {
            return error;
        }

        throw new AssertionException("the call succeeded");
    }

    /// <summary>Waits until a model is what the store has.</summary>
    public static Task UntilCleanAsync(ModelCopy copy) => UntilAsync(() => copy is { IsDirty: false, Model.State: ModelState.Ready }, $"{copy.Model.Name} to be published");

    public IReadOnlyList<string> Keys => [.. Store.Published.Select(each => each.Key)];

    public async ValueTask DisposeAsync()
    {
        foreach (var cache in _all)
        {
            await cache.DisposeAsync();
        }

        Folder?.Dispose();
        _home.Dispose();
    }

    private static ModelName ProbeName => ModelName.TryCreate(null, "queue-probe", out var name) ? name : throw new InvalidOperationException();
}
