using System.Collections.Concurrent;
using System.Globalization;
using ModelFs.CrashTests.Injection;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Kills;

/// <summary>
/// SIGKILL at every step: the first call that a change makes on the cache's or the store's disk, then the second, until no more is left. A
/// step of the publish is a call on a file — the mark, the scan, the pack, the upload, the name in the store, base and manifest, the mark's
/// removal — so this reaches each of them, whatever they are.
/// </summary>
/// <remarks>With the parameter <c>stride</c> 1 every step is taken; a short run takes one of several, beginning by chance. <c>scripts/crash-test --what steps</c> takes every one.</remarks>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class StepKillTests : IDisposable
{
    private const int DeathsPerKeeper = 3;

    /// <summary>What is killed here makes so many calls, or more.</summary>
    private const int StepsMin = 22;
    private static readonly ConcurrentDictionary<string, int> s_steps = new(StringComparer.Ordinal);
    private readonly TestFolder _home = new();
    private readonly int _stride = int.Parse(TestContext.Parameters.Get("stride", "21"), CultureInfo.InvariantCulture);
    private readonly int _first;

    public StepKillTests()
    {
        var seed = int.Parse(TestContext.Parameters.Get("seed", (Environment.TickCount & 0xFFFF).ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        _first = 1 + (seed % _stride);
        TestContext.Out.WriteLine($"steps {_first}, {_first + _stride}, … (seed {seed})");
    }

    [SetUp]
    public void The_injector_runs_here() => SyscallInjector.RequireHere();

    [TearDown]
    public void Dispose()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Failed && File.Exists(_home.At("models.log")))
        {
            TestContext.Out.WriteLine($"log of the daemons:\n{string.Join('\n', File.ReadLines(_home.At("models.log")).TakeLast(60))}");
        }

        _home.Dispose();
    }

    [OneTimeTearDown]
    public static void Report()
    {
        var lines = s_steps.OrderBy(step => step.Key, StringComparer.Ordinal).Select(step => $"  {step.Value,4} × {step.Key}");
        var text = $"killed at {s_steps.Count} different steps, {s_steps.Values.Sum()} times:\n{string.Join('\n', lines)}\n";
        TestContext.Progress.WriteLine(text);
        if (TestContext.Parameters.Get("report") is { Length: > 0 } file)
        {
            File.AppendAllText(file, text);
        }
    }

    [Test]
    [Promise("K2")]
    [Promise("K3")]
    public void A_change_survives_the_death_of_the_daemon_at_every_step()
    {
        Pack("bert");
        using var mount = new TracedMount(_home);
        mount.Mount();
        Actor.Bash($"cat {mount.Root}/bert/*.json > /dev/null");
        var done = 0;
        KillAtEveryStep(mount, "the change", round =>
        {
            // No program notices: exit code 0.
            Actor.Bash($"echo {round} > .new; mv .new notes; echo {round} >> log; rm -f old-*; mkdir -p d; : > old-{round}; touch -d @{round} old-{round}", $"{mount.Root}/bert");
            done = round;
        });
        mount.Unmount();
        Assert.That(Archived("bert", "notes"), Is.EqualTo($"{done}"));
        Assert.That(Archived("bert", "log").Split('\n'), Is.EqualTo(Rounds(done)), "every line that was appended is there once");
        Assert.That(Members("bert").Where(name => name.StartsWith("bert/old-", StringComparison.Ordinal)), Is.EqualTo([$"bert/old-{done}"]));
    }

    [Test]
    [Promise("K2")]
    [Promise("K3")]
    public void A_new_model_survives_the_death_of_the_daemon_at_every_step()
    {
        using var mount = new TracedMount(_home);
        mount.Mount();
        var last = 0;
        KillAtEveryStep(mount, "the new model", round =>
        {
            Actor.Bash($"mkdir m{round}; echo {round} > m{round}/weights; mkdir m{round}/d; echo '{{}}' > m{round}/metadata.json", mount.Root);
            last = round;
        });
        mount.Unmount();
        for (var round = _first; round <= last; round += _stride)
        {
            Assert.That(Archived($"m{round}", "weights"), Is.EqualTo($"{round}"));
            Assert.That(Members($"m{round}"), Is.SupersetOf([$"m{round}/d", $"m{round}/metadata.json"]));
        }
    }

    [Test]
    [Promise("N13")]
    public void A_deleted_model_is_gone_or_whole_after_a_death_at_every_step()
    {
        Directory.CreateDirectory(_home.At("store"));
        using var mount = new TracedMount(_home, "--allow-delete");
        mount.Mount();
        KillAtEveryStep(mount, "the deletion", round =>
        {
            Pack($"m{round}");
            Eventually.True(() => File.Exists($"{mount.Root}/m{round}/metadata.json"), $"m{round} is listed");
            mount.Injector.ArmKill(round, SyscallInjector.Changing);
            var removal = Actor.Bash($"rm -r m{round}", mount.Root);
            Eventually.True(() => !Directory.Exists($"{mount.Root}/m{round}"), $"m{round} stays away");
            Assert.That(File.Exists(_home.At($"store/m{round}.tar.gz")), Is.False, "what was removed is gone in the store: " + removal);
        },
        armsItself: true);
        mount.Unmount();
        Assert.That(Directory.GetFiles(_home.At("store"), "*.tar.gz"), Is.Empty);
    }

    [Test]
    [Promise("K4")]
    public void The_next_mount_takes_a_change_up_that_died_with_keeper_and_daemon_at_any_step()
    {
        Pack("bert");
        var acknowledged = 0;
        for (var round = _first; ; round += 2 * _stride)
        {
            bool wasHit;
            using (var mount = new TracedMount(_home))
            {
                mount.Mount();
                Actor.Bash($"cat {mount.Root}/bert/*.json > /dev/null");
                mount.Injector.ArmKill(round, SyscallInjector.Changing, everybody: true);
                var change = Actor.TryBash($"echo {round} > .new; mv .new notes", $"{mount.Root}/bert");
                acknowledged = change.ExitCode == 0 ? round : acknowledged;
                Eventually.True(() => mount.Injector.Hit is not null || !mount.IsDirty, "the kill, or the end of the publish");
                wasHit = Note(mount);
                if (!wasHit)
                {
                    mount.Unmount();
                    break;
                }

                mount.Injector.WaitForEnd();
            }

            using var next = MountedStore.Start(_home, _home.At("store"));
            var notes = Actor.Bash("cat notes 2>/dev/null || true", $"{next.Root}/bert").Output.Trim();
            Assert.That(notes, Is.AnyOf(acknowledged == 0 ? "" : $"{acknowledged}", $"{round}"), $"step {round}");
            acknowledged = notes.Length == 0 ? 0 : int.Parse(notes, CultureInfo.InvariantCulture);
            next.Unmount();
            Assert.That(acknowledged == 0 || Archived("bert", "notes") == $"{acknowledged}", Is.True, $"step {round}: the store has what the mount showed");
        }

        Assert.That(Archived("bert", "notes"), Is.EqualTo($"{acknowledged}"));
    }

    [Test]
    [Promise("K2")]
    [Promise("K3")]
    public void A_daemon_that_dies_at_any_step_of_taking_over_is_taken_over_from()
    {
        Pack("bert");
        using var mount = new TracedMount(_home);
        mount.Mount();
        Actor.Bash($"cat {mount.Root}/bert/*.json > /dev/null");
        var last = 0;
        KillAtEveryStep(mount, "taking over", round =>
        {
            // Open, so that there is something to take over however late the kill comes.
            using var notes = new FileStream($"{mount.Root}/bert/notes", FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
            notes.Write(System.Text.Encoding.ASCII.GetBytes($"{round}\n"));
            notes.Flush();
            last = round;

            // The one that is counted is the next one, from its start on.
            mount.Served.KillBeforeNext(() => mount.Injector.ArmKill(round, SyscallInjector.Changing));

            // Nobody knows this name yet, so a daemon must answer.
            Assert.That(File.Exists($"{mount.Root}/bert/absent-{round}"), Is.False);
        },
        armsItself: true);
        Assert.That(File.ReadAllText($"{mount.Root}/bert/notes").Trim(), Is.EqualTo($"{last}"));
        mount.Unmount();
        Assert.That(Archived("bert", "notes"), Is.EqualTo($"{last}"));
    }

    /// <summary>Kills at the first step, then at a later one, until a change makes fewer steps than that.</summary>
    /// <param name="mount">What is changed.</param>
    /// <param name="what">Named when it does not end.</param>
    /// <param name="change">Makes the change of a round.</param>
    /// <param name="armsItself">Whether the change begins with something whose steps do not count.</param>
    private void KillAtEveryStep(TracedMount mount, string what, Action<int> change, bool armsItself = false)
    {
        var (hits, round) = (0, _first);
        for (; ; round += _stride)
        {
            Assert.That(round, Is.LessThan(1000), $"{what} does not come to an end");
            if (!armsItself)
            {
                mount.Injector.ArmKill(round, SyscallInjector.Changing);
            }

            change(round);
            Eventually.True(() => mount.Injector.Hit is not null || !mount.IsDirty, $"the kill, or the end of {what}");
            var wasHit = Note(mount);
            mount.Injector.Disarm();
            if (!wasHit)
            {
                break;
            }

            mount.Served.WaitUntilServing();
            Eventually.True(() => !mount.IsDirty, $"step {round} of {what} is made good by the next daemon");
            Assert.That(mount.Conflicts(), Is.Empty, "a daemon that dies is in conflict with nobody");
            if (++hits % DeathsPerKeeper == 0)
            {
                mount.MountAgain();
            }
        }

        Assert.That(round, Is.GreaterThan(StepsMin), "hardly a step was met: this test has shown nothing");
    }

    private static bool Note(TracedMount mount)
    {
        var hit = mount.Injector.Hit;
        if (hit is not null)
        {
            s_steps.AddOrUpdate(SyscallInjector.StepOf(hit, mount.Folders), 1, (_, count) => count + 1);
        }

        return hit is not null;
    }

    private IEnumerable<string> Rounds(int last)
    {
        for (var round = _first; round <= last; round += _stride)
        {
            yield return round.ToString(CultureInfo.InvariantCulture);
        }
    }

    private void Pack(string model)
    {
        Directory.CreateDirectory(_home.At("store"));
        Actor.Run(RepositoryPaths.Script("sample-models"), _home.At("store"), model + ":A:kib=8");
    }

    private string Archived(string model, string file) => Actor.Bash($"tar xzOf {_home.At("store")}/{model}.tar.gz {model}/{file}").Output.TrimEnd();

    private IReadOnlyList<string> Members(string model) =>
        [.. Actor.Python("import sys, tarfile; print('\\n'.join(tarfile.open(sys.argv[1]).getnames()))", $"{_home.At("store")}/{model}.tar.gz").Lines];
}
