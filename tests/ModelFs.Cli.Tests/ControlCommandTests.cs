using ModelFs.Cli.Status;

namespace ModelFs.Cli.Tests;

/// <summary>The commands that ask something of the daemon about one model.</summary>
public sealed class ControlCommandTests
{
    [TestCase("warm", "user.modelfs.warm=1", "/mnt/p/bert: is here\n")]
    [TestCase("evict", "user.modelfs.evict=1", "/mnt/p/bert: nothing of it is here any more\n")]
    [TestCase("pin --off", "user.modelfs.pinned=0", "/mnt/p/bert: released\n")]
    public async Task A_model_is_asked_for_through_its_own_file(string command, string asked, string said)
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        Assert.That(await run.RunAsync([.. command.Split(' '), "p/bert"]), Is.EqualTo(ExitCode.Done));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { asked + " /mnt/.modelfs/models/p___bert.json" }));
        Assert.That($"{run.Out}", Is.EqualTo(said));
    }

    [Test]
    public async Task Pinning_fetches_too()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        Assert.That(await run.RunAsync("pin", "bert"), Is.EqualTo(ExitCode.Done));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "user.modelfs.pinned=1 /mnt/.modelfs/models/bert.json", "user.modelfs.warm=1 /mnt/.modelfs/models/bert.json" }));
    }

    [Test]
    public async Task What_the_daemon_refuses_is_told_in_its_words()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        run.Mounts.AskErrno = Errno.EBUSY;
        run.Mounts.LastError = "bert has open files; its local copy stays";
        Assert.That(await run.RunAsync("evict", "bert"), Is.EqualTo(ExitCode.Pending));
        Assert.That($"{run.Error}", Is.EqualTo("modelfs: /mnt/bert: bert has open files; its local copy stays\n"));
    }

    [TestCase(Errno.EBUSY, Errno.ENOENT)]
    [TestCase(Errno.ENOENT, Errno.EBUSY)]
    public async Task Of_several_models_a_failure_outweighs_one_that_only_needs_time(int first, int second)
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        run.Mounts.AskErrnos.Enqueue(first);
        run.Mounts.AskErrnos.Enqueue(second);
        Assert.That(await run.RunAsync("evict", "bert", "moodbot", "gpt"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Is.EqualTo("/mnt/gpt: nothing of it is here any more\n"));
    }

    [Test]
    public async Task A_mount_without_a_model_is_wrong_usage()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        Assert.That(await run.RunAsync("evict", "/mnt"), Is.EqualTo(ExitCode.Usage));
        Assert.That($"{run.Error}", Does.Contain("modelfs evict [MOUNTPOINT] MODEL"));
    }

    [TestCase("bert")]
    [TestCase("bert@host-1")]
    [TestCase("/mnt/.modelfs/conflicts/bert@host-1")]
    public async Task A_conflict_is_decided_by_model_name_or_path(string name)
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Conflicting("bert@host-1")) };
        Assert.That(await run.RunAsync("resolve", name, "--keep", "both"), Is.EqualTo(ExitCode.Done));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "user.modelfs.resolve=both /mnt/.modelfs/conflicts/bert@host-1" }));
        Assert.That($"{run.Out}", Is.EqualTo("bert: the local version is in the store as bert-host-1\n"));
    }

    [Test]
    public async Task Of_several_kept_versions_one_must_be_named()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Conflicting("bert@host-1", "bert@host-2")) };
        Assert.That(await run.RunAsync("resolve", "bert", "--keep", "mine"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("bert@host-1\n  bert@host-2"));
        Assert.That(run.Mounts.Calls, Is.Empty);
    }

    [Test]
    public async Task A_review_is_decided_through_the_model_s_file()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Dirty("bert") with { NeedsReview = true })) };
        Assert.That(await run.RunAsync("resolve", "bert", "--keep", "theirs"), Is.EqualTo(ExitCode.Done));
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "user.modelfs.resolve=theirs /mnt/.modelfs/models/bert.json" }));
    }

    [Test]
    public async Task Nothing_to_decide_is_said()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Ready("bert"))) };
        Assert.That(await run.RunAsync("resolve", "bert", "--keep", "mine"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("nothing is to be decided about bert"));
    }

    [TestCase]
    public async Task What_to_keep_must_be_said()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        Assert.That(await run.RunAsync("resolve", "bert"), Is.EqualTo(ExitCode.Usage));
        Assert.That(await run.RunAsync("resolve", "bert", "--keep", "none"), Is.EqualTo(ExitCode.Usage));
    }

    private static StatusReport Conflicting(params string[] names) =>
        Reports.Of(Reports.Ready("bert")) with { Conflicts = [.. names.Select(name => new ConflictStatus(name, "bert", 10, name.Replace('@', '-')))] };
}
