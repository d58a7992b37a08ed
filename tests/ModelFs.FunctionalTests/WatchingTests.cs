using System.Text.Json;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>What people and scripts see of what a mount does: status, sync, top, doctor, the log.</summary>
internal sealed class WatchingTests : MountFixture
{
    /// <summary>Runs a program on a terminal of 120 by 40, types 'q' once it has shown what is waited for, and tells all that was shown.</summary>
    private const string OnTerminal =
        """
        import fcntl, os, pty, select, struct, sys, termios
        wanted, program = sys.argv[1].encode(), sys.argv[2:]
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(program[0], program)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        shown, typed = b"", False
        while True:
            try:
                if select.select([terminal], [], [], 60)[0]:
                    shown += os.read(terminal, 65536)
                else:
                    break
            except OSError:
                break
            if wanted in shown and not typed:
                typed = True
                os.write(terminal, b"q")
        print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        print(shown.decode(errors="replace"))
        """;

    [Test]
    [Promise("M7")]
    public void Sync_shows_a_bar_on_a_terminal_and_a_line_elsewhere()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600", More = ["--limit-upload", "1MiB", "--compress", "store"] });
        File.WriteAllBytes(mount.At("bert", "weights.bin"), new byte[3 << 20]);
        var shown = Actor.Python(OnTerminal, "nothing is typed", RepositoryPaths.Program, "sync", mount.Root, "bert").Output;
        Assert.That(shown, Does.StartWith("exit 0").And.Contain("the store has everything"));
        Assert.That(shown, Does.Match("bert.*[0-9]+%"), "a bar with its percentage");

        File.WriteAllBytes(mount.At("bert", "weights.bin"), new byte[3 << 20]);
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Assert.That(mount.Sync("bert").Lines, Has.Some.StartsWith("waiting for bert").And.All.Not.Contain("%"));
    }

    [Test]
    [Promise("M7")]
    public void A_sync_that_takes_too_long_ends_with_75_and_names_what_is_left()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        using var turn = Actor.StartPython(
            "import fcntl, os, sys, time; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); print('held'); time.sleep(600)", StoreFolder);
        turn.WaitForOutput("held");
        var ended = MountedStore.Modelfs(["sync", mount.Root, "--timeout", "1"]);
        Assert.That(ended.ExitCode, Is.EqualTo(75));
        Assert.That(ended.Error, Does.Contain("bert"));
        turn.Signal(Signals.Kill);
        Eventually.True(() => mount.StateOf("bert") == "ready", "it goes on being sent");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("M7")]
    public void Status_tells_of_a_model_that_can_not_be_published_everything_that_is_known()
    {
        Pack("bert:A");
        var started = DateTimeOffset.UtcNow.AddSeconds(-1);
        var mount = Mount(new MountSettings { More = ["--fetch-deadline", "1"] });
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Directory.Move(StoreFolder, Folder.At("away"));
        File.WriteAllText(StoreFolder, "no folder any more");
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Eventually.True(() => mount.Status()["bert"].Tries >= 2, "it was tried again");
        var model = mount.Status()["bert"];
        Assert.That(model.LastError, Does.Contain("cannot publish bert").And.Contain(StoreFolder));
        Assert.That(model.DirtySince, Is.GreaterThan(started).And.LessThan(DateTimeOffset.UtcNow));
        Assert.That(model.NextTryAt, Is.GreaterThan(started));
        Assert.That(model.Bytes, Is.GreaterThan(0));
        var people = MountedStore.Modelfs(["status", mount.Root]).Succeeded().Output;
        Assert.That(people, Does.Match("bert +(failed|publishing|dirty) .*changed .* ago; try [0-9]+: cannot publish bert").And.Match("pending +1 model"));
        Assert.That(File.ReadAllText(mount.At(".modelfs", "models", "bert.json")), Does.Contain("\"tries\":"));
        Assert.That(Actor.Python("import os, sys; print(os.getxattr(sys.argv[1], 'user.modelfs.last_error').decode())", mount.At("bert")).Output, Does.Contain("cannot publish bert"));
        Assert.That(Actor.Python("import os, sys; print(os.getxattr(sys.argv[1], 'user.modelfs.sync').decode())", mount.At("bert")).Output.Trim(), Is.EqualTo("pending"));
        File.Delete(StoreFolder);
        Directory.Move(Folder.At("away"), StoreFolder);
        mount.Sync();
        Assert.That(Actor.Python("import os, sys; print(os.getxattr(sys.argv[1], 'user.modelfs.sync').decode())", mount.At("bert")).Output.Trim(), Is.EqualTo("done"));
    }

    [Test]
    [Promise("M6")]
    public void Top_is_live_on_a_terminal_and_one_table_or_json_elsewhere()
    {
        Pack("bert:A");
        var mount = Mount();
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        var shown = Actor.Python(OnTerminal, "bert", RepositoryPaths.Program, "top", mount.Root, "--interval", "0.3").Output;
        Assert.That(shown, Does.StartWith("exit 0").And.Contain("MODEL").And.Contain("ready"), "q ends it");
        Assert.That(MountedStore.Modelfs(["top", mount.Root, "--interval", "0.3"]).Succeeded().Output, Does.Match("bert +ready").And.Not.Contain("\u001b"));

        using var reader = Actor.StartPython(
            "import os, sys\nwhile True:\n    os.stat(sys.argv[1]); open(sys.argv[1]).close(); os.listdir(os.path.dirname(sys.argv[1]))", mount.At("bert", "metadata.json"));
        var lines = MountedStore.Modelfs(["top", mount.Root, "--json", "--count", "2", "--interval", "0.5"]).Succeeded().Lines;
        Assert.That(lines, Has.Length.EqualTo(2));
        using var json = JsonDocument.Parse(lines[1]);
        Assert.That(json.RootElement.GetProperty("fileRequestsPerSecond").GetDouble(), Is.GreaterThan(1));
        reader.Signal(Signals.Kill);
        reader.Wait(TimeSpan.FromSeconds(10));
    }

    [Test]
    [Promise("M6")]
    public void Doctor_looks_at_store_cache_and_mounts_and_names_a_dead_one()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        var (daemon, keeper) = mount.ProcessIds();
        var before = StoreKeys();
        var well = MountedStore.Modelfs(["doctor", StoreFolder, "--cache-dir", mount.CacheFolder]);
        Assert.That(well.Output, Does.Match("ok +store").And.Contain($"in use by process {daemon}").And.Match($"ok +mount +file://{StoreFolder} on {mount.Root}"), well.Error);
        Assert.That(well.ExitCode, Is.Zero);
        Assert.That(StoreKeys(), Is.EqualTo(before));

        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Signals.Send(keeper, Signals.Kill);
        Signals.Send(daemon, Signals.Kill);
        Eventually.True(() => !Signals.IsAlive(daemon) && !Signals.IsAlive(keeper), "both are dead");
        var ill = MountedStore.Modelfs(["doctor", StoreFolder, "--cache-dir", mount.CacheFolder]);
        Assert.That(ill.ExitCode, Is.EqualTo(1));
        Assert.That(ill.Output, Does.Contain($"modelfs unmount {mount.Root}").And.Contain("1 model in").And.Contain($"--cache-dir {mount.CacheFolder}"));
        MountedStore.Modelfs(["unmount", mount.Root]).Succeeded();
        Assert.That(MountedStore.Modelfs(["doctor", Folder.At("no-store"), "--cache-dir", Folder.At("other-cache")]).ExitCode, Is.EqualTo(1));
    }

    [Test]
    [Promise("M8")]
    public void A_log_that_a_rotation_has_emptied_goes_on_at_its_beginning()
    {
        Pack("bert:A");
        var mount = Mount();
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Eventually.True(() => mount.Log.Contains("fetched bert.tar.gz", StringComparison.Ordinal), "the log has lines");
        var log = Folder.At("models.log");
        Actor.Bash($"cp '{log}' '{log}.1' && : > '{log}'");
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        mount.Sync();
        Eventually.True(() => mount.Log.Contains("published bert.tar.gz", StringComparison.Ordinal), "it goes on");
        Assert.That(File.ReadAllBytes(log)[0], Is.EqualTo((byte)'2'), "a line of this year, and no hole");
    }

    [Test]
    [Promise("M2")]
    [Promise("W5")]
    public void SIGTERM_with_a_store_that_is_gone_ends_in_time_with_75_names_what_is_left_and_the_next_mount_publishes_it()
    {
        Pack("bert:A");
        var root = Folder.Create("models");
        string[] options = ["--cache-dir", Folder.At("cache"), "--settle", "600", "--drain-timeout", "2", "--fetch-deadline", "1"];
        using var foreground = MountedStore.StartModelfs(["mount", StoreFolder, root, "--foreground", .. options]);
        Eventually.True(() => File.Exists(Path.Combine(root, "bert", "metadata.json")), "it is mounted");
        File.WriteAllText(Path.Combine(root, "bert", "notes.txt"), "changed");
        Directory.Move(StoreFolder, Folder.At("away"));
        File.WriteAllText(StoreFolder, "no folder any more");
        foreground.Signal(Signals.Terminate);
        var ended = foreground.Wait(TimeSpan.FromSeconds(60));
        Assert.That(ended.ExitCode, Is.EqualTo(75), ended.Output + ended.Error);
        Assert.That(ended.Output + ended.Error, Does.Contain("bert is not published yet, the next mount takes it up"));
        Assert.That(MountTable.IsMounted(root), Is.False);
        File.Delete(StoreFolder);
        Directory.Move(Folder.At("away"), StoreFolder);
        var again = Mount();
        Assert.That(File.ReadAllText(again.At("bert", "notes.txt")), Is.EqualTo("changed"));
        again.Unmount();
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }
}
