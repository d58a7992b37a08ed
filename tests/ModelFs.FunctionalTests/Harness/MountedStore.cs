using System.Diagnostics;
using System.Text.Json;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>How a test mounts. Settle times are short so that tests need not wait; a test about settling sets its own.</summary>
internal sealed record MountSettings
{
    public string Settle { get; init; } = "0.2";

    public string SettleNew { get; init; } = "1";

    public IReadOnlyList<string> More { get; init; } = [];

    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
}

/// <summary>A mount made by the program under test, and everything a test asks of it.</summary>
internal sealed class MountedStore : IDisposable
{
    private readonly string _log;

    private MountedStore(string store, string root, string cache, string log, ActorResult mounting)
    {
        _log = log;
        Store = store;
        Root = root;
        CacheFolder = cache;
        Mounting = mounting;
    }

    public string Store { get; }

    /// <summary>The mount point.</summary>
    public string Root { get; }

    public string CacheFolder { get; }

    /// <summary>Bytes that files of this name take up in all copies of all models; one that goes while it is counted counts nothing.</summary>
    public long CachedBytes(string fileName) => Directory.GetFiles(CacheFolder, fileName, SearchOption.AllDirectories)
        .Select(path => new FileInfo(path)).Sum(file => file.Exists ? file.Length : 0);

    /// <summary>The command that mounted.</summary>
    public ActorResult Mounting { get; }

    public string Log => File.Exists(_log) ? File.ReadAllText(_log) : "";

    /// <summary>Mounts and expects success.</summary>
    public static MountedStore Start(TestFolder folder, string store, MountSettings? settings = null, string mountName = "models", string cacheName = "cache")
    {
        var mounted = Try(folder, store, settings, mountName, cacheName);
        Assert.That(mounted.Mounting.ExitCode, Is.Zero, $"mount: {mounted.Mounting.Output}{mounted.Mounting.Error}\nlog:\n{mounted.Log}");
        return mounted;
    }

    /// <summary>Mounts, whatever comes of it.</summary>
    public static MountedStore Try(TestFolder folder, string store, MountSettings? settings = null, string mountName = "models", string cacheName = "cache")
    {
        settings ??= new MountSettings();
        var root = folder.At(mountName);
        if (!MountTable.IsMounted(root))
        {
            Directory.CreateDirectory(root);
        }

        var cache = folder.At(cacheName);
        var log = folder.At(mountName + ".log");
        var mounting = Modelfs(
            ["mount", store, root, "--cache-dir", cache, "--log-file", log, "--settle", settings.Settle, "--settle-new", settings.SettleNew, .. settings.More],
            settings.Environment);
        return new MountedStore(store, root, cache, log, mounting);
    }

    /// <summary>Runs the program under test.</summary>
    public static ActorResult Modelfs(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        using var running = StartModelfs(arguments, environment);
        return running.Wait(TimeSpan.FromSeconds(120));
    }

    public static RunningActor StartModelfs(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        Assert.That(File.Exists(RepositoryPaths.Program), Is.True, "artifacts/modelfs/modelfs is missing: run scripts/build");
        return Actor.Start(RepositoryPaths.Program, arguments, environment: environment);
    }

    /// <summary>A path below the mount point.</summary>
    public string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    public StatusReport Status()
    {
        var text = Modelfs(["status", Root, "--json"]).Succeeded().Output;
        using var document = JsonDocument.Parse(text);
        return new StatusReport(document.RootElement.Clone());
    }

    public string StateOf(string model) => Status()[model].State;

    public void WaitForState(string model, string state) => Eventually.True(() => StateOf(model) == state, $"{model} becomes {state}");

    /// <summary>Waits until the store has everything.</summary>
    public ActorResult Sync(params IEnumerable<string> models) => Modelfs(["sync", Root, .. models]).Succeeded();

    /// <summary>Unmounts and expects that everything has reached the store and that no process is left.</summary>
    public ActorResult Unmount(params IEnumerable<string> options)
    {
        var status = Status();
        var result = Modelfs(["unmount", Root, .. options]).Succeeded();
        Assert.That(MountTable.IsMounted(Root), Is.False, "still mounted after a successful unmount");
        Eventually.True(() => !Signals.IsAlive(status.DaemonPid) && !Signals.IsAlive(status.KeeperPid), "daemon and keeper end after an unmount");
        return result;
    }

    /// <summary>The daemon as the keeper last started it, and the keeper.</summary>
    public (int Daemon, int Keeper) ProcessIds()
    {
        var status = Status();
        return (status.DaemonPid, status.KeeperPid);
    }

    public void Dispose()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Failed && Log.Length > 0)
        {
            var lines = Log.Split('\n');
            TestContext.Out.WriteLine($"log of the daemon (its last {Math.Min(lines.Length, 200)} lines):\n{string.Join('\n', lines.TakeLast(200))}");
        }

        if (MountTable.IsMounted(Root))
        {
            // A polite end first, so that a test which fails shows whether this works; the folder's cleanup does the rest by force.
            using var unmounting = StartModelfs(["unmount", Root, "--drain-timeout", "5"]);
            var clock = Stopwatch.StartNew();
            while (!unmounting.HasExited && clock.Elapsed < TimeSpan.FromSeconds(20))
            {
                Thread.Sleep(20);
            }
        }
    }
}
