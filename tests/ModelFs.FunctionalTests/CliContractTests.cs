using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>What scripts may rely on: exit codes, readiness, messages.</summary>
internal sealed class CliContractTests : MountFixture
{
    [Test]
    [Promise("M1")]
    public void The_mount_is_ready_when_the_command_returns()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(MountTable.IsMounted(mount.Root), Is.True);
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Does.Contain("\"model\": \"bert\""));
    }

    [Test]
    [Promise("M1")]
    public void A_mount_that_can_not_be_leaves_nothing_mounted_and_says_why()
    {
        File.WriteAllText(Folder.At("a-file"), "");
        var mount = TryMount(store: Folder.At("a-file"));
        Assert.That(mount.Mounting.ExitCode, Is.EqualTo(1));
        Assert.That(mount.Mounting.Error, Does.Contain("a-file"));
        Assert.That(MountTable.IsMounted(mount.Root), Is.False);
        Eventually.True(() => Folder.Processes().Count == 0, "no process is left");
    }

    [Test]
    [Promise("M1")]
    public void A_missing_mount_point_is_named()
    {
        var result = MountedStore.Modelfs(["mount", StoreFolder, Folder.At("nowhere"), "--cache-dir", Folder.At("cache")]);
        Assert.That(result.ExitCode, Is.Not.Zero);
        Assert.That(result.Error, Does.Contain("nowhere"));
        Assert.That(MountTable.IsMounted(Folder.At("nowhere")), Is.False);
    }

    [Test]
    [Promise("M1")]
    public void Wrong_usage_is_exit_code_2_and_an_unknown_store_is_explained()
    {
        Assert.That(MountedStore.Modelfs(["mount"]).ExitCode, Is.EqualTo(2));
        Assert.That(MountedStore.Modelfs(["no-such-command"]).ExitCode, Is.EqualTo(2));
        var result = MountedStore.Modelfs(["mount", "ftp://host/models", Folder.Create("models")]);
        Assert.That(result.ExitCode, Is.Not.Zero);
        Assert.That(result.Error, Does.Contain("ftp").And.Contain("s3://"));
    }

    [Test]
    [Promise("M2")]
    public void Unmount_publishes_what_is_pending_and_says_what_it_waited_for()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        File.AppendAllText(mount.At("bert", "notes.txt"), "changed");
        var unmounting = mount.Unmount();
        Assert.That(unmounting.Output + unmounting.Error, Does.Contain("bert"));
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("M2")]
    public void A_busy_mount_is_not_unmounted_and_its_user_is_named()
    {
        Pack("bert:A");
        var mount = Mount();
        using var reader = Actor.StartPython("import sys, time; f = open(sys.argv[1]); print('open'); time.sleep(600)", mount.At("bert", "metadata.json"));
        reader.WaitForOutput("open");
        var unmounting = MountedStore.Modelfs(["unmount", mount.Root]);
        Assert.That(unmounting.ExitCode, Is.EqualTo(1));
        Assert.That(unmounting.Error, Does.Contain(reader.Id.ToString()));
        Assert.That(MountTable.IsMounted(mount.Root), Is.True);
        reader.Signal(Signals.Kill);
        reader.Wait(TimeSpan.FromSeconds(10));
        mount.Unmount();
    }

    [Test]
    [Promise("M2")]
    public void A_plain_umount_publishes_too()
    {
        Requires.Root();
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        var (daemon, keeper) = mount.ProcessIds();
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Actor.Run("/bin/umount", mount.Root);
        Eventually.True(() => !Signals.IsAlive(daemon) && !Signals.IsAlive(keeper), "the daemon ends after a plain umount");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("M2")]
    public void SIGTERM_of_the_keeper_publishes_and_unmounts()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        var (daemon, keeper) = mount.ProcessIds();
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Signals.Send(keeper, Signals.Terminate);
        Eventually.True(() => !Signals.IsAlive(daemon) && !Signals.IsAlive(keeper), "keeper and daemon end after SIGTERM");
        Assert.That(MountTable.IsMounted(mount.Root), Is.False);
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("M2")]
    public void Sync_returns_when_the_store_has_the_change()
    {
        Pack("bert:A", "moodbot:B");
        var mount = Mount(new MountSettings { Settle = "600" });
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        mount.Sync("bert");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
        Assert.That(mount.StateOf("bert"), Is.EqualTo("ready"));
    }

    [Test]
    [Promise("M2")]
    public void Sync_with_an_open_writer_fails_and_names_the_file()
    {
        Pack("bert:A");
        var mount = Mount();
        using (var writer = File.Create(mount.At("bert", "open.bin")))
        {
            writer.Write("half"u8);
            writer.Flush();
            var result = MountedStore.Modelfs(["sync", mount.Root, "bert"]);
            Assert.That(result.ExitCode, Is.EqualTo(75));
            Assert.That(result.Error, Does.Contain("open.bin"));
        }

        mount.Sync();
        Assert.That(MembersOf("bert"), Does.Contain("open.bin"));
    }

    [Test]
    [Promise("M1")]
    public void Status_tells_every_mount_for_people_and_for_programs()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(MountedStore.Modelfs(["status", "--all", mount.Root]).Succeeded().Output, Does.Contain("bert").And.Contain("absent"));
        Assert.That(mount.StateOf("bert"), Is.EqualTo("absent"));
        File.ReadAllText(mount.At("bert", "metadata.json"));
        Assert.That(mount.StateOf("bert"), Is.EqualTo("ready"));
        Assert.That(MountedStore.Modelfs(["status"]).Succeeded().Output, Does.Contain(mount.Root));
        Assert.That(MountedStore.Modelfs(["status", Folder.At("store")]).ExitCode, Is.EqualTo(1));
    }

    [Test]
    [Promise("M1")]
    public void Ls_lists_a_store_without_a_mount()
    {
        Pack("bert:A", "default___moodbot:B");
        File.WriteAllText(Path.Combine(StoreFolder, "readme.txt"), "no model");
        var people = MountedStore.Modelfs(["ls", StoreFolder]).Succeeded().Output;
        Assert.That(people, Does.Contain("bert").And.Contain("moodbot"));
        Assert.That(MountedStore.Modelfs(["ls", StoreFolder, "--json"]).Succeeded().Output, Does.Contain("\"bert\"").And.Not.Contain("readme"));
    }

    [Test]
    [Promise("M1")]
    public void Options_in_fstab_style_mean_the_same()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { More = ["-o", "ro,noauto,_netdev,settle=5"] });
        Assert.That(() => File.WriteAllText(mount.At("bert", "new"), ""), Throws.InstanceOf<IOException>());
        var refused = MountedStore.Modelfs(["mount", StoreFolder, Folder.Create("other"), "-o", "no_such_option=1"]);
        Assert.That(refused.ExitCode, Is.EqualTo(2));
        Assert.That(refused.Error, Does.Contain("no_such_option"));
    }
}
