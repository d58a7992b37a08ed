using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Tests;

public sealed class UnmountCommandTests
{
    private readonly CommandRun _run = new() { Mounts = FakeMounts.With("/mnt") };

    [SetUp]
    public void Forget()
    {
        _run.Out.GetStringBuilder().Clear();
        _run.Error.GetStringBuilder().Clear();
        _run.Mounts = FakeMounts.With("/mnt");
    }

    [Test]
    public async Task It_drains_says_what_it_waited_for_and_waits_for_the_keeper()
    {
        var dirty = Reports.Of(Reports.Dirty("bert"), Reports.Ready("gpt"));
        _run.Mounts.Reporting(dirty, dirty, Reports.Of(Reports.Publishing("bert"), Reports.Ready("gpt")), Reports.Of(Reports.Ready("bert"), Reports.Ready("gpt")));
        _run.Mounts.KeeperLooks = 2;
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
        Assert.That($"{_run.Out}", Is.EqualTo("waiting for bert (dirty, 12.3 MiB)\npublished bert (12.3 MiB) in 0.2 s\nunmounted /mnt\n"));
        Assert.That($"{_run.Error}", Is.Empty);
        Assert.That(_run.Mounts.Calls, Is.EqualTo(new[] { "sync /mnt", "unmount /mnt", "is 7 running", "is 7 running", "is 7 running" }));
    }

    [Test]
    public async Task A_model_that_was_as_the_store_has_it_is_not_called_published()
    {
        _run.Mounts.Reporting(Reports.Of(), Reports.Of(Reports.Dirty("bert")), Reports.Of(Reports.Ready("bert", "r1")));
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{_run.Out}", Does.Contain("bert was as the store has it: nothing to publish\n"));
    }

    [Test]
    public async Task What_stays_pending_after_the_deadline_is_told_and_the_mount_ends_all_the_same()
    {
        _run.Mounts.Reporting(Reports.Of(Reports.Dirty("bert") with { Tries = 2, LastError = "the store is unreachable" }));
        _run.Mounts.SyncErrno = null;
        Assert.That(await _run.RunAsync("unmount", "/mnt", "--drain-timeout", "0.5"), Is.EqualTo(ExitCode.Pending));
        Assert.That(_run.Mounts.Calls, Does.Contain("unmount /mnt"));
        Assert.That($"{_run.Error}", Is.EqualTo("modelfs: not in the store when it was unmounted: bert (dirty, 12.3 MiB): try 2 failed: the store is unreachable; it is kept, and the next mount with the same cache sends it\n"));
    }

    [Test]
    public async Task A_mount_in_use_stays_and_its_users_are_named()
    {
        _run.Mounts.Holders.Add(new MountHolder(12, "python3", "open file /mnt/bert/w.bin"));
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Does.StartWith("modelfs: /mnt is in use, nothing was unmounted:\n  python3 (pid 12): open file /mnt/bert/w.bin\n"));
        Assert.That(_run.Mounts.Calls, Is.Empty);
        Assert.That(await _run.RunAsync("unmount", "--lazy", "/mnt"), Is.EqualTo(ExitCode.Done));
        Assert.That(_run.Mounts.Calls, Does.Contain("lazily unmount /mnt"));
    }

    [Test]
    public async Task A_mount_used_by_somebody_unseen_stays()
    {
        _run.Mounts.UnmountErrno = Errno.EBUSY;
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Does.Contain("/mnt is in use").And.Contain("--lazy"));
    }

    [Test]
    public async Task A_mount_inside_of_it_is_named()
    {
        _run.Mounts.Entries.Add(new MountEntry("/mnt/inner", "tmpfs", "tmpfs"));
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Does.Contain("/mnt/inner is mounted in it"));
    }

    [Test]
    public async Task A_dead_mount_is_removed_without_waiting()
    {
        _run.Mounts.Failure = StatusFailure.Dead;
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Done));
        Assert.That(_run.Mounts.Calls, Is.EqualTo(new[] { "lazily unmount /mnt" }));
        Assert.That($"{_run.Out}", Does.StartWith("removed the dead mount at /mnt"));
    }

    [Test]
    public async Task A_mount_that_can_not_be_looked_into_is_unmounted_with_a_warning()
    {
        _run.Mounts.Failure = StatusFailure.Denied;
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{_run.Error}", Does.StartWith("modelfs: warning: /mnt: this mount belongs to another user"));
        Assert.That(_run.Mounts.Calls, Is.EqualTo(new[] { "unmount /mnt", "is 7 running" }));
    }

    [Test]
    public async Task A_mount_that_gives_no_answer_is_only_taken_away_lazily()
    {
        _run.Mounts.Failure = StatusFailure.Silent;
        Assert.That(await _run.RunAsync("unmount", "/mnt"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Does.Contain("modelfs unmount --lazy /mnt"));
        Assert.That(_run.Mounts.Calls, Is.Empty);
        Assert.That(await _run.RunAsync("unmount", "/mnt", "--lazy"), Is.EqualTo(ExitCode.Done));
        Assert.That(_run.Mounts.Calls, Does.Contain("lazily unmount /mnt"));
    }

    [Test]
    public async Task A_keeper_that_does_not_end_is_named()
    {
        _run.Mounts.KeeperLooks = int.MaxValue;
        Assert.That(await _run.RunAsync("unmount", "/mnt", "--drain-timeout", "1"), Is.EqualTo(ExitCode.Pending));
        Assert.That($"{_run.Error}", Is.EqualTo("modelfs: the keeper (pid 7) has not ended yet; it goes on bringing changes to the store\n"));
    }

    [Test]
    public async Task A_place_without_a_mount_is_refused_with_the_places_that_have_one()
    {
        Assert.That(await _run.RunAsync("unmount", "/other"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Is.EqualTo("modelfs: ModelFs is not mounted at /other; it is mounted at /mnt\n"));
    }

    [Test]
    public async Task An_unmount_without_a_mount_point_is_a_wrong_command_line() =>
        Assert.That(await _run.RunAsync("unmount"), Is.EqualTo(ExitCode.Usage));
}
