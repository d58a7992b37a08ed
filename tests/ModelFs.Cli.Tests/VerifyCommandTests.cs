using ModelFs.Cache.Hydration;

namespace ModelFs.Cli.Tests;

/// <summary><c>modelfs verify</c>: what it asks of which mount, what it says, and how it exits.</summary>
public sealed class VerifyCommandTests
{
    [Test]
    public async Task A_model_as_it_should_be_is_said_in_one_line()
    {
        var run = Of(new VerifyReport("bert", 3, 4 << 20, [], IsIndexDamaged: false, Note: null));
        Assert.That(await run.RunAsync("verify", "bert"), Is.EqualTo(ExitCode.Done));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "check /mnt bert" }));
        Assert.That($"{run.Out}", Does.StartWith("bert: 3 files, ").And.EndsWith(": as it should be\n"));
        Assert.That($"{run.Error}", Is.Empty);
    }

    [Test]
    public async Task What_could_not_be_checked_is_said_with_it()
    {
        var run = Of(new VerifyReport("bert", 3, 4 << 20, [], IsIndexDamaged: false, Note: "the store was not asked"));
        Assert.That(await run.RunAsync("verify", "bert"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("as it should be; the store was not asked"));
    }

    [Test]
    public async Task Damage_names_its_files_and_the_remedy_and_fails()
    {
        var run = Of(new VerifyReport("bert", 3, 4 << 20, ["sub/weights", "metadata.json"], IsIndexDamaged: true, Note: null));
        Assert.That(await run.RunAsync("verify", "/mnt/bert"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Does.Contain(": damaged\n").And.Contain("  bert/sub/weights\n").And.Contain("  bert/metadata.json\n").And.Contain("the index beside it is not that of its archive"));
        Assert.That($"{run.Error}", Does.Contain("modelfs verify --repair"));
    }

    [Test]
    public async Task A_repair_is_asked_for_and_told_and_what_it_could_not_do_fails([Values] bool isWhole)
    {
        var run = Of(new VerifyReport("bert", 3, 4 << 20, ["weights"], IsIndexDamaged: false, Note: null) { NotRepaired = isWhole ? [] : ["weights: the store is down"] });
        Assert.That(await run.RunAsync("verify", "--repair", "bert"), Is.EqualTo(isWhole ? ExitCode.Done : ExitCode.Failed));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "repair /mnt bert" }));
        Assert.That($"{run.Out}", Does.Contain(isWhole ? ": repaired\n" : ": damaged\n"));
        Assert.That($"{run.Error}", isWhole ? Is.Empty : Is.EqualTo("modelfs: bert: weights: the store is down\n"));
    }

    [Test]
    public async Task Without_a_model_all_of_which_anything_is_here_are_checked()
    {
        var run = Of(new VerifyReport("here", 1, 1, [], false, null), new VerifyReport("changed", 1, 1, [], false, null));
        run.Mounts.Reporting(Reports.Of(
            Reports.Ready("here") with { LocalRevision = "r2" }, Reports.Ready("absent") with { State = "absent" }, Reports.Dirty("changed")));
        Assert.That(await run.RunAsync("verify"), Is.EqualTo(ExitCode.Done));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "check /mnt here", "check /mnt changed" }));
    }

    [Test]
    public async Task A_model_that_the_mount_can_t_check_fails_and_is_named()
    {
        var run = Of();
        Assert.That(await run.RunAsync("verify", "bert"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("/mnt: bert could not be checked"));
    }

    [Test]
    public async Task A_cache_folder_that_is_not_there_fails()
    {
        var run = new CommandRun { Mounts = FakeMounts.With() };
        Assert.That(await run.RunAsync("verify", "--cache-dir", "/nowhere/at/all"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("there is no folder /nowhere/at/all"));
    }

    private static CommandRun Of(params VerifyReport[] reports)
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        foreach (var report in reports)
        {
            run.Mounts.Verified.Add(report.Model, report.ToJson());
        }

        return run;
    }
}
