using System.Globalization;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Kills;

/// <summary>
/// One store, one cache and one mount whose daemon is killed again and again while writers work, until the tally has enough. An episode is a
/// few lives of the mount; it ends with a drain, and a comparison of the store with what was acknowledged.
/// </summary>
internal sealed class CrashLane : IDisposable
{
    private const int WriterCount = 3;
    private const int LivesPerEpisode = 3;
    private const int KillsPerLifeMax = 4;
    private static readonly string[] s_models = ["alpha", "beta"];

    private readonly TestFolder _folder = new();
    private readonly Random _random;
    private readonly KillTally _tally;
    private readonly Func<int> _killsLeft;
    private readonly CrashStore _store;
    private readonly List<RunningActor> _writers = [];
    private int _writerSeed;

    public CrashLane(int seed, KillTally tally, Func<int> killsLeft, Func<TestFolder, CrashStore> store)
    {
        _random = new Random(seed);
        _writerSeed = seed;
        _tally = tally;
        _killsLeft = killsLeft;
        _store = store(_folder);
        Actor.Run(RepositoryPaths.Script("sample-models"), ["--tree", _folder.Create("base"), .. s_models]);
        _store.Put(_folder, s_models);
    }

    /// <summary>Where everything of it lies.</summary>
    public string Home => _folder.At(".");

    private string Cache => _folder.At("cache");

    /// <summary>Runs episodes until enough was killed.</summary>
    public void Run()
    {
        try
        {
            while (_killsLeft() > 0)
            {
                RunEpisode();
            }
        }
        catch (Exception) when (File.Exists(_folder.At("models.log")))
        {
            TestContext.Out.WriteLine($"log of the daemons:\n{string.Join('\n', File.ReadLines(_folder.At("models.log")).TakeLast(100))}");
            if (TestContext.Parameters.Get("keep") is { Length: > 0 } keep)
            {
                Actor.Bash($"mkdir -p '{keep}/{Path.GetFileName(_folder.Path)}'; cp -r '{_folder.At("models.log")}' '{_folder.Path}'/manifest-* '{Cache}' '{keep}/{Path.GetFileName(_folder.Path)}' || true");
            }

            throw;
        }
    }

    public void Dispose()
    {
        _writers.ForEach(writer => writer.Dispose());
        _store.Dispose();
        _folder.Dispose();
    }

    private void RunEpisode()
    {
        for (var life = 0; life < LivesPerEpisode && _killsLeft() > 0; life++)
        {
            LiveAndDie();
        }

        // The last mount is not killed: everything must reach the store.
        using (var mount = Mount())
        {
            for (var writer = 0; writer < WriterCount; writer++)
            {
                Start(mount, writer, operations: 0);
            }

            EndWriters(mayBeDead: false);
            mount.Unmount("--drain-timeout", "110");
        }

        _store.Fetch(_folder.At("published"));
        var check = Actor.Run("/usr/bin/python3", [RepositoryPaths.Actor("crash_check.py"), _folder.At("published"), _folder.At("base"), .. Manifests()]);
        _tally.NoteCompared(int.Parse(check.Output.Split(' ')[1], CultureInfo.InvariantCulture));
        if (_random.Next(2) == 0)
        {
            Directory.Delete(Cache, recursive: true);
        }
    }

    /// <summary>A mount, writers, up to a few deaths of the daemon that nobody may notice, and the death of both.</summary>
    private void LiveAndDie()
    {
        var mount = Mount();
        var served = new ServedMount(Cache);
        for (var writer = 0; writer < WriterCount; writer++)
        {
            Start(mount, writer, operations: int.MaxValue);
        }

        var canResume = mount.Status().CanResume;
        for (var kill = canResume ? _random.Next(KillsPerLifeMax) : 0; kill > 0; kill--)
        {
            Pause();
            Kill(served, keeperToo: false);
            if (_random.Next(4) > 0)
            {
                served.WaitUntilServing();
            }
        }

        Pause();
        AssertNobodyNoticed();
        Kill(served, keeperToo: true);
        EndWriters(mayBeDead: true);
    }

    /// <summary>Mostly long enough for the writers to pause and for a publish to begin; now and then while everything starts.</summary>
    private void Pause() => Thread.Sleep(_random.Next(4) == 0 ? _random.Next(60) : _random.Next(900));

    private void Kill(ServedMount served, bool keeperToo)
    {
        var evidence = new CacheEvidence(0, CacheEvidence.Idle);
        if (served.Kill(() => evidence = CacheEvidence.Of(Cache, _store.Folder), keeperToo) || keeperToo)
        {
            _tally.Note(evidence, keeperToo);
        }
    }

    private MountedStore Mount()
    {
        var settings = new MountSettings
        {
            Settle = _random.Next(2) == 0 ? "0.02" : "0.2",
            SettleNew = "0.4",
            More = ["--allow-delete", "--switch-after", "0.5"],
            Environment = _store.Environment,
        };
        return MountedStore.Start(_folder, _store.Url, settings);
    }

    private void Start(MountedStore mount, int writer, int operations)
    {
        File.Delete(Manifest(writer) + ".end");
        string[] arguments =
        [
            "-u", RepositoryPaths.Actor("crash_writer.py"), mount.Root, Manifest(writer), (_writerSeed++).ToString(CultureInfo.InvariantCulture), $"w{writer}",
            operations.ToString(CultureInfo.InvariantCulture), .. s_models,
        ];
        _writers.Add(Actor.Start("/usr/bin/python3", arguments));
    }

    /// <summary>No program gets an error from the death of a daemon that is replaced.</summary>
    private void AssertNobodyNoticed()
    {
        foreach (var writer in _writers.Where(writer => writer.HasExited))
        {
            Assert.Fail("a writer ended although the mount lives: " + writer.Wait(TimeSpan.FromSeconds(10)));
        }
    }

    private void EndWriters(bool mayBeDead)
    {
        foreach (var manifest in Manifests())
        {
            File.WriteAllText(manifest + ".end", "");
        }

        foreach (var writer in _writers)
        {
            var result = writer.Wait(TimeSpan.FromSeconds(240)).Succeeded();
            Assert.That(mayBeDead || !result.Output.Contains("dead ", StringComparison.Ordinal), Is.True, result.Output);
            _tally.NoteAcknowledged(int.Parse(result.Lines[^1].Split(' ')[1], CultureInfo.InvariantCulture));
            writer.Dispose();
        }

        _writers.Clear();
    }

    private string Manifest(int writer) => _folder.At($"manifest-{writer}");

    private IEnumerable<string> Manifests() => Enumerable.Range(0, WriterCount).Select(Manifest);
}
