namespace ModelFs.Cli.Tests;

public sealed class CommandLineTests
{
    [Test]
    public async Task Help_teaches_by_examples_and_tells_the_exit_codes()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("--help"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("modelfs mount /srv/models /mnt/models").And.Contain("75   changes are still on their way").And.Not.Contain("wait-for-store"));
    }

    [TestCase("mount", "/etc/fstab")]
    [TestCase("unmount", "--drain-timeout 600")]
    [TestCase("sync", "modelfs sync /mnt/models bert")]
    [TestCase("status", "jq")]
    [TestCase("ls", "modelfs ls s3://bucket/prefix")]
    public async Task Help_of_a_command_has_its_own_examples(string command, string example)
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync(command, "--help"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain(example).And.Contain("Exit codes:"));
    }

    [Test]
    public async Task Help_of_mount_shows_every_option()
    {
        var run = new CommandRun();
        await run.RunAsync("mount", "--help");
        foreach (var option in Options.MountOptionTable.All)
        {
            Assert.That($"{run.Out}", Does.Contain(option.Flag));
        }
    }

    [Test]
    public async Task The_version_is_told()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("--version"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Is.Not.Empty);
    }

    [TestCase]
    [TestCase("bogus")]
    [TestCase("status", "--bogus")]
    [TestCase("unmount", "a", "b")]
    [TestCase("completion", "tcsh")]
    public async Task A_wrong_command_line_ends_with_code_2_and_where_to_look(params string[] arguments)
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync(arguments), Is.EqualTo(ExitCode.Usage));
        Assert.That($"{run.Error}", Does.StartWith("modelfs: "));
        Assert.That($"{run.Out}", Is.Empty);
    }

    [TestCase("bash", "complete -o default -F _modelfs modelfs")]
    [TestCase("zsh", "compdef _modelfs modelfs")]
    [TestCase("fish", "complete -c modelfs")]
    public async Task Shells_get_a_completion_script(string shell, string line)
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("completion", shell), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain(line));
    }

    [Test]
    public async Task Completion_suggests_commands_and_options()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("[suggest:10]", "modelfs un"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("unmount"));
        Assert.That(await run.RunAsync("[suggest:22]", "modelfs mount --cache-"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("--cache-size"));
    }

    [Test]
    public async Task Ctrl_C_ends_a_wait_and_leaves_the_mount()
    {
        var mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Dirty("bert")));
        mounts.SyncErrno = null;
        var run = new CommandRun { Mounts = mounts };
        using var interrupt = new CancellationTokenSource();
        await interrupt.CancelAsync();
        Assert.That(await run.RunAsync(["unmount", "/mnt"], interrupt.Token), Is.EqualTo(ExitCode.Interrupted));
        Assert.That($"{run.Error}", Does.Contain("interrupted"));
        Assert.That(mounts.Calls, Does.Not.Contain("unmount /mnt"));
    }
}
