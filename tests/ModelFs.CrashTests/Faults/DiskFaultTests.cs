using System.Globalization;
using ModelFs.CrashTests.Injection;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Faults;

/// <summary>
/// The cache's disk fails: the first call that changes something on it, then the second, until no more is left; once, or from then on. Whoever
/// asked gets the disk's own error, what was acknowledged stays, and when the disk is well again everything reaches the store.
/// </summary>
/// <remarks>With the parameter <c>stride</c> 1 every call fails once; a short run takes one of several, beginning by chance. <c>scripts/crash-test --what disk</c> takes every one.</remarks>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class DiskFaultTests : IDisposable
{
    private const string Writer = "w0";
    private readonly TestFolder _home = new();
    private readonly int _stride = int.Parse(TestContext.Parameters.Get("stride", "23"), CultureInfo.InvariantCulture);
    private readonly int _first;

    public DiskFaultTests()
    {
        var seed = int.Parse(TestContext.Parameters.Get("seed", (Environment.TickCount & 0xFFFF).ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        _first = 1 + (seed % _stride);
        TestContext.Out.WriteLine($"calls {_first}, {_first + _stride}, … (seed {seed})");
    }

    private string Manifest => _home.At("manifest");

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

    [LongCase("disk", "ENOSPC", 28, false)]
    [LongCase("disk", "ENOSPC", 28, true)]
    [TestCase("EIO", 5, false)]
    [LongCase("disk", "EIO", 5, true)]
    [Promise("C7")]
    public void Nothing_acknowledged_is_lost_when_a_call_on_the_caches_disk_fails(string name, int errno, bool forEver)
    {
        Actor.Run(RepositoryPaths.Script("sample-models"), ["--tree", _home.Create("base"), "alpha"]);
        Actor.Run(RepositoryPaths.Script("sample-models"), _home.Create("store"), "alpha:A");
        using var mount = new TracedMount(_home, "--allow-delete") { OnlyCache = true };
        mount.Mount();
        Actor.Bash($"cat {mount.Root}/alpha/*.json > /dev/null");
        var hits = new List<string>();
        for (var n = _first; ; n += _stride)
        {
            Assert.That(n, Is.LessThan(2000), "the calls do not come to an end");
            var daemon = mount.Served.Daemon;
            mount.Injector.ArmFailure(n, errno, forEver, SyscallInjector.Changing);
            Actor.Run("/usr/bin/python3", RepositoryPaths.Actor("fault_writer.py"), mount.Root, Manifest, name, Writer, "alpha");
            Eventually.True(() => mount.Injector.Hit is not null || !mount.IsDirty, "the failure, or the end of the publish");
            var hit = mount.Injector.Hit;
            mount.Injector.Disarm();
            if (hit is null)
            {
                break;
            }

            hits.Add(SyscallInjector.StepOf(hit, mount.Folders));
            mount.Served.WaitUntilServing();
            Eventually.True(
                () => MountedStore.Modelfs(["sync", mount.Root]).ExitCode == 0, $"call {n} ({hit}) is made good once the disk is well", pause: TimeSpan.FromMilliseconds(200));
            CheckMountAndStore(mount, $"after call {n} ({hit}); daemon {daemon}, now {mount.Served.Daemon}");
        }

        TestContext.Out.WriteLine($"failed at: {string.Join(", ", hits)}");
        Assert.That(hits, Has.Count.GreaterThan(1), "no call was met: this test has shown nothing");
        mount.Unmount();
    }

    [TestCase(28)]
    [TestCase(5)]
    public void A_fetch_on_a_failing_disk_is_an_error_or_right_and_right_once_the_disk_is_well(int errno)
    {
        Directory.CreateDirectory(_home.At("store"));
        using var mount = new TracedMount(_home) { OnlyCache = true };
        mount.Mount();
        var met = 0;
        for (var n = _first; ; n += _stride)
        {
            var model = $"m{n}";
            Actor.Run(RepositoryPaths.Script("sample-models"), ["--tree", _home.Create("base"), model]);
            Actor.Run(RepositoryPaths.Script("sample-models"), _home.At("store"), model + ":A");
            Eventually.True(() => Directory.Exists($"{mount.Root}/{model}"), "the model is listed");
            mount.Injector.ArmFailure(n, errno, forEver: false, SyscallInjector.Changing);
            var read = Actor.TryBash($"diff -r {mount.Root}/{model} {_home.At("base")}/{model}");
            Assert.That(read.Output, Does.Not.Contain("differ"), "never a wrong byte");
            var hit = mount.Injector.Hit;
            mount.Injector.Disarm();
            Eventually.True(() => Actor.TryBash($"diff -r {mount.Root}/{model} {_home.At("base")}/{model}").ExitCode == 0, $"{model} is read whole after {hit}", pause: TimeSpan.FromMilliseconds(300));
            if (hit is null)
            {
                Assert.That(read.ExitCode, Is.Zero, read.ToString());
                break;
            }

            met++;
        }

        Assert.That(met, Is.Positive, "no call was met: this test has shown nothing");
        mount.Unmount();
    }

    /// <summary>Everything that was acknowledged, read through the mount by one program and from the archives by another.</summary>
    private void CheckMountAndStore(TracedMount mount, string when)
    {
        var read = Actor.Try("/usr/bin/python3", RepositoryPaths.Actor("crash_writer.py"), mount.Root, Manifest, "0", Writer, "0", "alpha");
        Assert.That(read.ExitCode, Is.Zero, $"{when}: {read.Error}");
        Assert.That(mount.Conflicts(), Is.Empty, when);
        MountedStore.Modelfs(["sync", mount.Root]).Succeeded();
        var check = Actor.Try("/usr/bin/python3", RepositoryPaths.Actor("crash_check.py"), mount.Store, _home.At("base"), Manifest);
        Assert.That(check.ExitCode, Is.Zero, $"{when}: {check.Error}");
    }
}
