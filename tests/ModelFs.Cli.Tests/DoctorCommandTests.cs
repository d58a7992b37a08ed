using System.Text.Json;
using ModelFs.Cli.Diagnosis;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounts;
using ModelFs.Stores;

namespace ModelFs.Cli.Tests;

/// <summary><c>modelfs doctor</c> on machines that lack one thing each.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class DoctorCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("modelfs-").FullName;

    [Test]
    public async Task A_machine_that_lacks_nothing_is_well_and_exit_code_0()
    {
        var run = Run();
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Done), $"{run.Out}");
        Assert.That($"{run.Out}", Does.Contain("there are none").And.EndsWith("all is well\n"));
    }

    [Test]
    public async Task A_missing_device_is_a_failure_with_its_remedy()
    {
        var run = Run(machine => machine with { Device = "/nowhere/fuse" });
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Does.Contain("FAILED").And.Contain("there is no /nowhere/fuse").And.Contain("modprobe fuse").And.Contain("1 failure, 0 warnings"));
    }

    [TestCase("5.3.0-generic", ExitCode.Failed, "5.4 is the oldest")]
    [TestCase("5.10.0-18-amd64", ExitCode.Done, "6.9 and later")]
    [TestCase("what?", ExitCode.Done, "uname -r")]
    public async Task Old_kernels_are_told(string release, int code, string told)
    {
        var run = Run();
        File.WriteAllText(Path.Combine(_folder, "osrelease"), release + "\n");
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(code));
        Assert.That($"{run.Out}", Does.Contain(told));
    }

    [Test]
    public async Task A_plain_user_needs_fusermount3_with_its_right()
    {
        var run = Run();
        run.Owner = new(1000, 100);
        run.Variables["PATH"] = Path.Combine(_folder, "nothing-here");
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Does.Contain("install the package fuse3"));

        run = Run();
        run.Owner = new(1000, 100);
        var helper = Path.Combine(_folder, "fusermount3");
        File.WriteAllText(helper, "");
        run.Variables["PATH"] = _folder;
        await run.RunAsync("doctor");
        Assert.That($"{run.Out}", Does.Contain($"chmod u+s {helper}"));
    }

    [Test]
    public async Task The_program_s_parts_are_missed()
    {
        var run = Run();
        File.Delete(Path.Combine(_folder, "libmodelfs.so"));
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("libmodelfs.so is not in"));
        File.Delete(Path.Combine(_folder, "modelfs-keeper"));
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Failed));
    }

    [Test]
    public async Task A_cache_with_changes_that_nobody_serves_is_told()
    {
        var cache = Path.Combine(_folder, "cache");
        Directory.CreateDirectory(Path.Combine(cache, "journal"));
        File.WriteAllText(Path.Combine(cache, "journal", "12"), "");
        File.WriteAllText(Path.Combine(cache, "lock"), "4\n");
        var run = Run();
        Assert.That(await run.RunAsync("doctor", "--cache-dir", cache), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("is used by nobody").And.Contain("1 model in").And.Contain($"--cache-dir {cache}"));
        Assert.That(Directory.EnumerateFiles(cache).Select(Path.GetFileName), Is.EqualTo(new[] { "lock" }), "nothing is left of the checks");
    }

    [Test]
    public async Task A_cache_folder_that_takes_no_file_is_a_failure()
    {
        var run = Run();
        Assert.That(await run.RunAsync("doctor", "--cache-dir", "/proc/modelfs"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Does.Contain("nothing can be written and synced in /proc"));
    }

    [Test]
    public async Task A_store_that_refuses_is_a_failure_in_its_words()
    {
        var run = Run();
        run.Stores.OpenError = new StoreException(StoreErrorKind.AccessDenied, "access denied: the secret key is wrong");
        Assert.That(await run.RunAsync("doctor", "s3://bucket", "--cache-dir", _folder), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Does.Contain("access denied: the secret key is wrong").And.Contain("check the credentials"));
    }

    [Test]
    public async Task A_store_that_keeps_conditions_weakly_is_a_warning()
    {
        var run = Run();
        var store = Directory.CreateDirectory(Path.Combine(_folder, "store")).FullName;
        run.RealStores = new StoreUrlOpener(new StoreOpener([new FolderStoreFactory()]), new StoreOptions());
        Assert.That(await run.RunAsync("doctor", store, "--cache-dir", Path.Combine(_folder, "cache"), "--json"), Is.EqualTo(ExitCode.Done));
        using var json = JsonDocument.Parse($"{run.Out}");
        var findings = json.RootElement.GetProperty("findings").EnumerateArray().ToDictionary(each => each.GetProperty("check").GetString()!);
        Assert.That(findings["store"].GetProperty("level").GetString(), Is.EqualTo("ok"));
        Assert.That(findings["conditions"].GetProperty("level").GetString(), Is.EqualTo("warning"));
        Assert.That(findings["conditions"].GetProperty("remedy").GetString(), Is.Not.Empty);
        Assert.That(json.RootElement.GetProperty("failed").GetInt32(), Is.Zero);
        Assert.That(Directory.EnumerateFileSystemEntries(store), Is.Empty, "nothing is left in the store");
    }

    [Test]
    public async Task Dead_mounts_and_what_living_ones_warn_of_are_told()
    {
        var run = Run();
        run.Mounts = FakeMounts.With("/mnt");
        run.Mounts.Failure = StatusFailure.Dead;
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Does.Contain("modelfs unmount /mnt"));

        run = Run();
        run.Mounts = FakeMounts.With("/mnt").Reporting(
            Reports.Of(Reports.Dirty("bert") with { State = "failed", LastError = "access denied" }) with { Warnings = ["the disk is full"] });
        Assert.That(await run.RunAsync("doctor"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("1 model on the way").And.Contain("the disk is full").And.Contain("/mnt/bert: access denied").And.Contain("0 failures, 2 warnings"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Root on a machine that lacks nothing, unless the test takes it away.</summary>
    private CommandRun Run(Func<Machine, Machine>? change = null)
    {
        foreach (var (name, content) in new[] { ("fuse", ""), ("osrelease", "6.12.1\n"), ("fuse.conf", "user_allow_other\n"), ("modelfs-keeper", ""), ("libmodelfs.so", "") })
        {
            File.WriteAllText(Path.Combine(_folder, name), content);
        }

        var machine = new Machine
        {
            Device = Path.Combine(_folder, "fuse"),
            KernelRelease = Path.Combine(_folder, "osrelease"),
            FuseConfiguration = Path.Combine(_folder, "fuse.conf"),
            ProgramFolder = _folder,
        };
        return new CommandRun { Owner = new(0, 0), Machine = change?.Invoke(machine) ?? machine };
    }
}
