using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The daemon dies, by SIGKILL, at any moment: programs go on, and nothing that was closed is lost.</summary>
internal sealed class CrashTests : MountFixture
{
    [Test]
    [Promise("K1")]
    public void Programs_that_read_notice_nothing_when_the_daemon_is_killed()
    {
        Pack("bert:A:files=100:kib=2000", "moodbot:B:files=100", "cold:D:kib=30000");
        var mount = Mount();
        Requires.Resume(mount);
        using var first = StartServer(mount.At("bert"));
        using var second = StartServer(mount.At("moodbot"));
        first.WaitForOutput("loaded");
        second.WaitForOutput("loaded");
        for (var kill = 0; kill < 5; kill++)
        {
            KillDaemon(mount);
            Assert.That(Directory.GetDirectories(mount.Root), Has.Length.EqualTo(3));
        }

        // A fetch that is under way when the daemon dies is begun again by the next one.
        using var cold = Actor.StartPython("import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())", mount.At("cold", "intent_classifier.pkl"));
        KillDaemon(mount);
        var digest = cold.Wait(TimeSpan.FromSeconds(60)).Succeeded().Output;
        Assert.That(digest, Is.EqualTo(Actor.Bash($"sha256sum {Tree("cold:kib=30000")}/intent_classifier.pkl | cut -d' ' -f1").Output));
        foreach (var server in new[] { first, second })
        {
            server.Signal(Signals.Terminate);
            Assert.That(server.Wait(TimeSpan.FromSeconds(60)).Succeeded().Output, Does.Contain("loads"));
        }

        mount.Unmount();
    }

    [Test]
    [Promise("K1")]
    public void A_first_listing_shows_every_file_once_though_the_daemon_is_killed_while_it_is_made()
    {
        const int count = 4_000;
        const int models = 3;
        var many = Folder.Create("many");
        File.WriteAllText(many + "/metadata.json", "{}");
        Directory.CreateDirectory(many + "/nlu");
        for (var number = 0; number < count; number++)
        {
            File.WriteAllText($"{many}/nlu/{number:D5}", "content");
        }

        Actor.Bash($"tar -czf {ArchiveOf("many0")} -C {many} .");
        Assert.That(MountedStore.Modelfs(["index", StoreFolder, "many0"]).ExitCode, Is.Zero);
        for (var model = 1; model < models; model++)
        {
            File.Copy(ArchiveOf("many0"), ArchiveOf($"many{model}"));
        }

        var mount = Mount();
        Requires.Resume(mount);
        for (var model = 0; model < models; model++)
        {
            using var listing = Actor.StartPython(
                "import os, sys; entries = [entry for entry in os.scandir(sys.argv[1])]; print(len(entries), len({entry.stat().st_ino for entry in entries}))", mount.At($"many{model}", "nlu"));
            Thread.Sleep(60 + (30 * model));
            KillDaemon(mount);
            Assert.That(listing.Wait(TimeSpan.FromSeconds(60)).Succeeded().Output.Trim(), Is.EqualTo($"{count} {count}"));
            Assert.That(File.ReadAllText(mount.At($"many{model}", $"nlu/{count - 1:D5}")), Is.EqualTo("content"));
        }

        mount.Unmount();
    }

    [Test]
    [Promise("R2")]
    public void Readers_of_a_small_file_see_every_write_also_through_mappings_and_over_the_death_of_the_daemon()
    {
        Pack("bert:A");
        var mount = Mount();
        Requires.Resume(mount);
        using var program = Actor.StartPython(
            """
            import mmap, os, signal, sys
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            path = sys.argv[1]
            content = bytearray(open(path, "rb").read())
            def check():
                assert open(path, "rb").read() == content
                assert os.pread(reader, 1 << 20, 0) == content
                assert view[:] == content
            reader = os.open(path, os.O_RDONLY)
            view = mmap.mmap(reader, 0, prot=mmap.PROT_READ)
            check()
            print("reading")
            signal.sigwait([signal.SIGUSR1])
            check()
            # The reader holds the file through the page cache, and the writer joins it.
            with open(path, "r+b") as writer:
                writer.write(b"first")
                writer.flush()
                content[:5] = b"first"
                check()
            check()
            view.close()
            os.close(reader)
            assert open(path, "rb").read() == content
            # Nobody holds it: the writer may go past the page cache, and its mapping outlives its handle.
            writer = os.open(path, os.O_RDWR)
            stores = mmap.mmap(writer, 0)
            os.close(writer)
            assert open(path, "rb").read() == content
            stores[7:13] = content[7:13] = b"second"
            assert open(path, "rb").read() == content
            stores.close()
            with open(path, "ab") as writer:
                writer.write(b"third")
            content += b"third"
            assert open(path, "rb").read() == content
            os.truncate(path, 100)
            assert open(path, "rb").read() == content[:100]
            print("done")
            """, mount.At("bert", "training_data.json"));
        program.WaitForOutput("reading");
        KillDaemon(mount);
        program.Signal(Signals.User);
        Assert.That(program.Wait(TimeSpan.FromSeconds(60)).Succeeded().Output, Does.Contain("done"));
    }

    [Test]
    [Promise("K2")]
    public void Programs_that_write_notice_nothing_when_the_daemon_is_killed()
    {
        Pack("bert:A");
        var mount = Mount();
        Requires.Resume(mount);
        using var writer = Actor.StartPython(
            """
            import hashlib, os, signal, sys
            os.chdir(sys.argv[1])
            ended, written, number = [], {}, 0
            signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
            log = open("log", "ab", buffering=0)
            print("writing")
            while not ended:
                number += 1
                name, content = f"f{number % 50}", os.urandom(5000) + str(number).encode()
                with open(name + ".tmp", "wb") as stream:
                    stream.write(content[:2500])
                    stream.flush()
                    stream.write(content[2500:])
                os.rename(name + ".tmp", name)
                written[name] = content
                log.write(b"%d\n" % number)
                assert open(name, "rb").read() == content
                if number % 10 == 0:
                    os.mkdir(f"d{number}"); os.rmdir(f"d{number}")
            for name, content in written.items():
                assert open(name, "rb").read() == content, name
            assert open("log").read().split() == [str(n) for n in range(1, number + 1)]
            print(number)
            """, mount.At("bert"));
        writer.WaitForOutput("writing");
        for (var kill = 0; kill < 5; kill++)
        {
            var before = Actor.Bash($"wc -c < {mount.At("bert", "log")}").Output;
            Eventually.True(() => Actor.Bash($"wc -c < {mount.At("bert", "log")}").Output != before, "the writer goes on");
            KillDaemon(mount);
        }

        writer.Signal(Signals.Terminate);
        writer.Wait(TimeSpan.FromSeconds(60)).Succeeded();
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        AssertArchiveHolds("bert", copy);
    }

    [Test]
    [Promise("K3")]
    public void What_was_closed_before_a_kill_is_published_by_the_next_daemon()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "3" });
        Requires.Resume(mount);
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        KillDaemon(mount);
        Eventually.True(() => MembersOf("bert").Contains("notes.txt"), "the next daemon publishes the change");
    }

    [Test]
    [Promise("K3")]
    public void A_kill_during_a_publish_leaves_a_whole_archive_and_the_change_arrives()
    {
        Pack("bert:A:kib=60000");
        var mount = Mount(new MountSettings { Settle = "0.05" });
        Requires.Resume(mount);
        for (var round = 0; round < 3; round++)
        {
            File.WriteAllText(mount.At("bert", "notes.txt"), $"round {round}");
            Eventually.True(() => Actor.Bash($"getfattr --only-values -n user.modelfs.state {mount.At("bert")}").Output.Trim() is "publishing" or "ready", "the publish begins");
            KillDaemon(mount);
            Actor.Bash($"gzip -t {ArchiveOf("bert")}");
        }

        mount.Unmount();
        Assert.That(Actor.Bash($"tar xzOf {ArchiveOf("bert")} bert/notes.txt").Output.Trim(), Is.EqualTo("round 2"));
        Assert.That(StoreKeys(), Is.EqualTo(["bert.tar.gz"]));
    }

    [Test]
    [Promise("K4")]
    public void After_keeper_and_daemon_were_killed_the_next_mount_cleans_up_and_publishes()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        var (daemon, keeper) = mount.ProcessIds();
        Signals.Send(keeper, Signals.Kill);
        Signals.Send(daemon, Signals.Kill);
        Eventually.True(() => !Signals.IsAlive(keeper) && !Signals.IsAlive(daemon), "both are dead");
        Assert.That(MountTable.IsMounted(mount.Root), Is.True, "a mount whose keeper was killed stays behind");
        Assert.That(Actor.Errno($"os.listdir('{mount.Root}')"), Is.EqualTo("ENOTCONN"));
        var again = Mount();
        Assert.That(MountTable.Count(again.Root), Is.EqualTo(1), "the dead mount is gone");
        Assert.That(File.ReadAllText(again.At("bert", "notes.txt")), Is.EqualTo("changed"));
        Eventually.True(() => MembersOf("bert").Contains("notes.txt"), "the change is published");
        again.Unmount();
    }

    [Test]
    [Promise("K4")]
    public void A_live_mount_is_never_mounted_over_or_taken_away()
    {
        Pack("bert:A");
        var mount = Mount();
        var second = MountedStore.Modelfs(["mount", StoreFolder, mount.Root, "--cache-dir", Folder.At("other-cache")]);
        Assert.That(second.ExitCode, Is.EqualTo(1));
        Assert.That(second.Error, Does.Contain(mount.Root));
        Assert.That(MountTable.Count(mount.Root), Is.EqualTo(1));
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Does.Contain("bert"));
    }

    [Test]
    [Promise("K1")]
    public void Open_files_and_working_folders_survive_a_kill()
    {
        Pack("bert:A:kib=500");
        var mount = Mount();
        Requires.Resume(mount);
        using var holder = Actor.StartPython(
            """
            import mmap, os, sys, time
            os.chdir(sys.argv[1])
            reader = open("intent_classifier.pkl", "rb")
            view = mmap.mmap(reader.fileno(), 0, access=mmap.ACCESS_READ)
            writer = open("notes.txt", "wb", buffering=0)
            writer.write(b"before ")
            listing = os.scandir(".")
            first = next(listing).name
            print("open")
            while not os.path.exists(sys.argv[2]):
                time.sleep(0.02)
            content = reader.read()
            assert content == view[:] == open("intent_classifier.pkl", "rb").read()
            writer.write(b"after")
            os.fsync(writer.fileno())
            assert os.fstat(writer.fileno()).st_size == 12
            writer.close()
            names = {first} | {entry.name for entry in listing}
            assert {"metadata.json", "ner", "intent_classifier.pkl"} <= names, names
            assert open("notes.txt").read() == "before after"
            """, mount.At("bert"), Folder.At("go-on"));
        holder.WaitForOutput("open");
        KillDaemon(mount);
        File.WriteAllText(Folder.At("go-on"), "");
        holder.Wait(TimeSpan.FromSeconds(60)).Succeeded();
        mount.Unmount();
        Assert.That(Actor.Bash($"tar xzOf {ArchiveOf("bert")} bert/notes.txt").Output.Trim(), Is.EqualTo("before after"));
    }

    private static RunningActor StartServer(string model) =>
        Actor.Start("/usr/bin/python3", ["-u", RepositoryPaths.Actor("nlu_server.py"), model, "until-stopped"]);

    /// <summary>Kills the daemon and returns when its successor answers.</summary>
    private static void KillDaemon(MountedStore mount)
    {
        var (daemon, keeper) = mount.ProcessIds();
        Signals.Send(daemon, Signals.Kill);
        Eventually.True(() => !Signals.IsAlive(daemon), "the daemon is dead");
        Eventually.True(() => mount.ProcessIds().Daemon != daemon, "the keeper starts another one");
        Assert.That(mount.ProcessIds().Keeper, Is.EqualTo(keeper));
    }
}
