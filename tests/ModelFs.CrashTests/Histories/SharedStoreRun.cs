using System.Globalization;
using ModelFs.CrashTests.Kills;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Histories;

/// <summary>Several mounts of one store, each with a cache of its own and a writer to the same model, while their ways to the store are cut and joined again.</summary>
/// <param name="home">Where everything of it lies.</param>
/// <param name="store">The store.</param>
/// <param name="random">When what is cut.</param>
internal sealed class SharedStoreRun(TestFolder home, CrashStore store, Random random) : IDisposable
{
    private const string Model = "alpha";
    private readonly List<MountedStore> _mounts = [];
    private readonly List<RunningActor> _writers = [];

    /// <summary>The way of a mount to the store; where there is none but the file system, a mount is cut off by stopping its daemon.</summary>
    public Func<int, string> UrlOf { get; init; } = _ => store.Url;

    /// <summary>Cuts a mount off (true) or joins it again.</summary>
    public Action<int, bool> Cut { get; init; } = (_, _) => { };

    /// <summary>Mounts, writes and cuts for a while, then checks the history.</summary>
    public void Run(int mounts, TimeSpan duration)
    {
        var packed = home.Create("packed");
        Actor.Run(RepositoryPaths.Script("sample-models"), ["--tree", packed, Model]);
        File.WriteAllText(Path.Combine(packed, Model, "history"), "");
        Actor.Bash($"mkdir -p '{home.At("initial")}'; tar czf '{home.At("initial")}/{Model}.tar.gz' -C '{packed}' {Model}");
        store.PutArchives(home.At("initial"));
        for (var mount = 0; mount < mounts; mount++)
        {
            _mounts.Add(MountedStore.Start(
                home,
                UrlOf(mount),
                new MountSettings { Settle = "0.05", More = ["--switch-after", "0.2", "--fetch-deadline", "5"], Environment = store.Environment },
                $"mount-{mount}",
                $"cache-{mount}"));
        }

        var served = _mounts.ConvertAll(mount => new ServedMount(mount.CacheFolder));
        for (var mount = 0; mount < mounts; mount++)
        {
            string[] arguments = ["-u", RepositoryPaths.Actor("history_writer.py"), _mounts[mount].Root, Notes(mount), $"m{mount}", Model, random.Next().ToString(CultureInfo.InvariantCulture)];
            _writers.Add(Actor.Start("/usr/bin/python3", arguments));
        }

        var end = DateTime.UtcNow + duration;
        while (DateTime.UtcNow < end)
        {
            Partition(served);
        }

        for (var mount = 0; mount < mounts; mount++)
        {
            File.WriteAllText(Notes(mount) + ".end", "");
        }

        foreach (var writer in _writers)
        {
            writer.Wait(TimeSpan.FromSeconds(120)).Succeeded();
        }

        foreach (var mount in _mounts)
        {
            // A sync that ends in a conflict says so and fails; the one behind it finds nothing more to do.
            Eventually.True(() => MountedStore.Modelfs(["sync", mount.Root]).ExitCode == 0, $"{mount.Root} has nothing unpublished", pause: TimeSpan.FromMilliseconds(500));
        }

        store.Fetch(home.At("published"));
        var check = Actor.Try(
            "/usr/bin/python3",
            [RepositoryPaths.Actor("history_check.py"), Path.Combine(home.At("published"), Model + ".tar.gz"), Model, .. _mounts.Select((mount, index) => $"{Notes(index)}={mount.Root}")]);
        Assert.That(check.ExitCode, Is.Zero, check.Error + string.Join("\n", _mounts.Select(mount => mount.Log)));
        TestContext.Out.WriteLine(check.Output);
        _mounts.ForEach(mount => mount.Unmount());
    }

    public void Dispose()
    {
        _writers.ForEach(writer => writer.Dispose());
        _mounts.ForEach(mount => mount.Dispose());
    }

    /// <summary>One mount stands still, or is cut off, for a moment that is sometimes longer than everything takes elsewhere.</summary>
    private void Partition(List<ServedMount> served)
    {
        var mount = random.Next(served.Count);
        var pause = TimeSpan.FromMilliseconds(random.Next(3) == 0 ? random.Next(2500) : random.Next(300));
        if (random.Next(2) == 0 && served[mount].Daemon is { } daemon)
        {
            Signals.Send(daemon, Signals.Stop);
            Thread.Sleep(pause);
            Signals.Send(daemon, Signals.Continue);
        }
        else
        {
            Cut(mount, true);
            Thread.Sleep(pause);
            Cut(mount, false);
        }

        Thread.Sleep(random.Next(400));
    }

    private string Notes(int mount) => home.At($"notes-{mount}");
}
