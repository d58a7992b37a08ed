using ModelFs.Cli.Draining;
using ModelFs.Cli.Mounting;

namespace ModelFs.Cli.Tests;

public sealed class SyncCommandTests
{
    private static readonly string[] s_two = ["/mnt/a", "/mnt/b"];
    private static readonly string[] s_one = ["/mnt/a"];

    private static IEnumerable<TestCaseData> Meanings()
    {
        yield return new TestCaseData(s_two, "/", Array.Empty<string>(), new[] { "/mnt/a", "/mnt/b" }).SetArgDisplayNames("nothing means every mount");
        yield return new TestCaseData(s_two, "/", new[] { "/mnt/b" }, new[] { "/mnt/b" }).SetArgDisplayNames("a mount");
        yield return new TestCaseData(s_two, "/mnt", new[] { "b/" }, new[] { "/mnt/b" }).SetArgDisplayNames("a mount by relative path");
        yield return new TestCaseData(s_two, "/", new[] { "/mnt/b", "bert", "p/gpt" }, new[] { "/mnt/b/bert", "/mnt/b/p/gpt" }).SetArgDisplayNames("a mount and models");
        yield return new TestCaseData(s_two, "/", new[] { "/mnt/a/bert" }, new[] { "/mnt/a/bert" }).SetArgDisplayNames("a model by path");
        yield return new TestCaseData(s_two, "/mnt/a", new[] { "bert" }, new[] { "/mnt/a/bert" }).SetArgDisplayNames("a model in the working directory");
        yield return new TestCaseData(s_one, "/", new[] { "bert", "gpt" }, new[] { "/mnt/a/bert", "/mnt/a/gpt" }).SetArgDisplayNames("models of the only mount");
        yield return new TestCaseData(s_two, "/", new[] { "/mnt/a", "/mnt/b" }, new[] { "/mnt/a", "/mnt/b" }).SetArgDisplayNames("two mounts");
    }

    [TestCaseSource(nameof(Meanings))]
    public void Arguments_mean_mounts_paths_or_names(string[] mounts, string workingDirectory, string[] arguments, string[] paths) =>
        Assert.That(SyncTarget.Find(FakeMounts.With(mounts), CallerIn(workingDirectory), arguments).Select(target => target.Path), Is.EqualTo(paths));

    [Test]
    public void A_name_is_refused_where_several_mounts_could_be_meant() => Assert.That(
        () => SyncTarget.Find(FakeMounts.With(s_two), CallerIn("/"), ["bert"]),
        Throws.InstanceOf<CommandException>().With.Message.EqualTo(
            "which mount is 'bert' in? it is mounted at /mnt/a, /mnt/b; name the mount first: modelfs sync MOUNTPOINT bert"));

    [Test]
    public void A_path_outside_of_all_mounts_is_refused() => Assert.That(
        () => SyncTarget.Find(FakeMounts.With(s_one), CallerIn("/"), ["/srv/x"]),
        Throws.InstanceOf<CommandException>().With.Message.EqualTo("/srv/x is in no mount of ModelFs; it is mounted at /mnt/a"));

    [Test]
    public async Task It_returns_when_the_store_has_everything()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Dirty("bert")), Reports.Of(Reports.Ready("bert"))) };
        Assert.That(await run.RunAsync("sync"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Is.EqualTo("waiting for bert (dirty, 12.3 MiB)\npublished bert (12.3 MiB) in 0.1 s\n/mnt: the store has everything\n"));
    }

    [Test]
    public async Task An_open_writer_is_named()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Dirty("bert") with { OpenWriters = 1 })) };
        run.Mounts.SyncErrno = Errno.EBUSY;
        Assert.That(await run.RunAsync("sync"), Is.EqualTo(ExitCode.Pending));
        Assert.That($"{run.Error}", Does.Contain("files open for writing in bert; close them and sync again"));
        run.Mounts.LastError = "w.bin is open for writing by pid 12";
        Assert.That(await run.RunAsync("sync"), Is.EqualTo(ExitCode.Pending));
        Assert.That($"{run.Error}", Does.Contain("modelfs: /mnt: not published: w.bin is open for writing by pid 12\n"));
    }

    [Test]
    public async Task A_timeout_leaves_the_upload_going_on()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Publishing("bert"))) };
        run.Mounts.SyncErrno = null;
        Assert.That(await run.RunAsync("sync", "/mnt", "--timeout", "1"), Is.EqualTo(ExitCode.Pending));
        Assert.That($"{run.Error}", Is.EqualTo("modelfs: /mnt: the time was up before everything was in the store; uploads go on in the background\n  bert (publishing, 12.3 MiB)\n"));
    }

    [TestCase(Errno.EIO, ExitCode.Failed)]
    [TestCase(Errno.ENOENT, ExitCode.Failed)]
    [TestCase(Errno.EACCES, ExitCode.Failed)]
    [TestCase(Errno.EINTR, ExitCode.Pending)]
    public async Task An_error_of_the_wait_decides_the_exit_code(int errno, int code)
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        run.Mounts.SyncErrno = errno;
        Assert.That(await run.RunAsync("sync", "bert"), Is.EqualTo(code));
        Assert.That($"{run.Error}", Does.StartWith("modelfs: /mnt/bert: "));
    }

    [Test]
    public async Task Without_any_mount_it_fails()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("sync"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("mounted nowhere"));
    }

    private static Caller CallerIn(string workingDirectory) => new(new Owner(1000, 100), workingDirectory, _ => null);
}
