using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Models whose archives ModelFs wrote: listed from the archive's end, read file by file, dropped file by file.</summary>
internal sealed class IndexedModelTests : MountFixture
{
    private const string Model = "bert:kib=20000:odd=yes:files=60";
    private const string Large = "intent_classifier.pkl";
    private const int LargeBytes = 20000 << 10;

    private const string Describe = "-printf '%P %y %m %s %T@ %l\\n' | sort";

    [Test]
    [Promise("F8")]
    public void Listing_a_model_reads_only_the_end_of_its_archive()
    {
        var local = Publish(Model);
        var mount = Mount();
        var bert = mount.At("bert");
        Assert.That(Actor.Bash($"find {bert} -mindepth 1 {Describe}").Output, Is.EqualTo(Actor.Bash($"find {local} -mindepth 1 {Describe}").Output));
        Actor.Bash($"ls -lR {bert} && du -s {bert} && stat {bert}/*");
        Assert.That(Actor.Bash($"stat -c %b {bert}/{Large}").Output.Trim(), Is.EqualTo($"{LargeBytes / 512}"), "blocks are those of a file that is here");
        var status = mount.Status();
        Assert.That(status.Request("store.read"), Is.EqualTo(1));
        Assert.That(status.Request("store.bytes_in"), Is.LessThanOrEqualTo(128 << 10));
        Assert.That(status["bert"].State, Is.EqualTo("ready"));
        Assert.That(status["bert"].BytesHere, Is.Zero);
        var before = Actor.Bash($"find {bert} -printf '%P %C@ %i\\n' | sort").Output;
        Actor.Bash($"cat {bert}/{Large} > {Folder.At("read")}");
        Assert.That(Actor.Bash($"find {bert} -printf '%P %C@ %i\\n' | sort").Output, Is.EqualTo(before), "ctime and inode numbers stay when content comes");
    }

    [Test]
    [Promise("F8")]
    public void A_listing_does_not_ask_for_each_file_again_that_it_was_told_of()
    {
        const int files = 300;
        Publish($"bert:kib=100:files={files}");
        var mount = Mount();
        _ = Directory.GetFileSystemEntries(mount.Root);
        var before = mount.Status();
        Actor.Bash($"ls -lR {mount.At("bert")}");
        var after = mount.Status();
        Assert.That(after["bert"].BytesHere, Is.Zero, "nothing of it was opened");
        Assert.That(after.Request("fuse.readdirplus"), Is.GreaterThan(before.Request("fuse.readdirplus")));
        Assert.That(after.Request("fuse.lookup") - before.Request("fuse.lookup"), Is.LessThan(files / 10));
        Assert.That(after.Request("fuse.getattr") - before.Request("fuse.getattr"), Is.LessThan(files / 10));
    }

    [Test]
    [Promise("F9")]
    public void A_small_file_costs_one_more_request_of_at_most_a_mebibyte([Values("file", "none")] string policy)
    {
        var local = Publish(Model);
        var mount = Mount(new MountSettings { More = ["--hydrate", policy] });
        Assert.That(Actor.Run("/bin/cat", mount.At("bert", "metadata.json")).Output.TrimEnd(), Is.EqualTo(File.ReadAllText(Path.Combine(local, "metadata.json"))));
        var status = mount.Status();
        Assert.That(status.Request("store.read"), Is.EqualTo(2));
        Assert.That(status.Request("store.bytes_in"), Is.LessThanOrEqualTo((128 << 10) + (1 << 20)));
        Assert.That(status["bert"].BytesHere, Is.LessThan(1 << 20));
    }

    [Test]
    [Promise("F9")]
    public void A_large_file_is_read_and_mapped_while_it_comes()
    {
        var local = Publish(Model);
        var mount = Mount(new MountSettings { More = ["--hydrate", "none"] });
        var answer = Actor.Python(
            """
            import mmap, os, sys
            there, here = open(sys.argv[1], "rb"), open(sys.argv[2], "rb").read()
            size = os.fstat(there.fileno()).st_size
            assert size == len(here)
            there.seek(15 << 20)
            assert there.read(5000) == here[15 << 20:(15 << 20) + 5000]
            assert os.lseek(there.fileno(), 0, os.SEEK_HOLE) == size, "what is not here is no hole"
            for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
                with mmap.mmap(there.fileno(), 0, flags=flags, prot=mmap.PROT_READ) as mapped:
                    assert mapped[(9 << 20) + 7:(9 << 20) + 100] == here[(9 << 20) + 7:(9 << 20) + 100]
                    assert mapped[-10:] == here[-10:]
            print("same")
            """, mount.At("bert", Large), Path.Combine(local, Large)).Output.Trim();
        Assert.That(answer, Is.EqualTo("same"));
        Assert.That(mount.Status()["bert"].BytesHere, Is.LessThan(LargeBytes), "only what was read has come");
        Actor.Run("/usr/bin/cmp", mount.At("bert", Large), Path.Combine(local, Large));
        Actor.Run("/bin/cp", "--sparse=always", mount.At("bert", Large), Folder.At("copy"));
        Actor.Run("/usr/bin/cmp", Folder.At("copy"), Path.Combine(local, Large));
    }

    [Test]
    [Promise("F10")]
    public void Once_a_file_was_opened_the_whole_model_comes()
    {
        var local = Publish(Model);
        var mount = Mount();
        File.ReadAllText(mount.At("bert", "metadata.json"));
        Eventually.True(() => mount.Status()["bert"] is var bert && bert.BytesHere == bert.Bytes, "all of it is here");
        Assert.That(Progress(mount), Is.EqualTo("complete"));
        var bytesIn = mount.Status().Request("store.bytes_in");
        Assert.That(bytesIn, Is.LessThanOrEqualTo(new FileInfo(ArchiveOf("bert")).Length + (128 << 10)), "nothing was fetched twice");
        TreeSnapshot.AssertEqual(mount.At("bert"), local);
        Assert.That(mount.Status().Request("store.bytes_in"), Is.EqualTo(bytesIn));
    }

    [Test]
    [Promise("F10")]
    public void With_hydrate_file_only_opened_files_come()
    {
        Publish(Model);
        var mount = Mount(new MountSettings { More = ["--hydrate", "file"] });
        File.ReadAllText(mount.At("bert", "metadata.json"));
        var some = mount.Status()["bert"].BytesHere;
        Assert.That(Progress(mount), Is.EqualTo($"{some}/{mount.Status()["bert"].Bytes}"));
        Assert.That(MountedStore.Modelfs(["status", mount.Root]).Succeeded().Output, Does.Contain("partial"));
        using (var large = File.OpenRead(mount.At("bert", Large)))
        {
            Assert.That(large.ReadByte(), Is.Not.Negative);
            Eventually.True(() => mount.Status()["bert"].BytesHere >= some + LargeBytes, "the opened file comes whole");
        }

        Assert.That(mount.Status()["bert"].BytesHere, Is.LessThan(mount.Status()["bert"].Bytes));
    }

    [Test]
    [Promise("F11")]
    public void A_damaged_part_is_an_error_for_its_files_only()
    {
        var local = Publish(Model);
        Damage(ArchiveOf("bert"), File.ReadAllBytes(Path.Combine(local, Large)).AsSpan(5000, 32));
        var mount = Mount(new MountSettings { More = ["--hydrate", "file"] });
        Assert.That(Actor.Errno($"open('{mount.At("bert", Large)}', 'rb').read(100000)"), Is.EqualTo("EIO"));
        Assert.That(mount.Log, Does.Contain("bert.tar.gz"));
        Assert.That(mount.Status()["bert"].LastError, Does.Contain("bert.tar.gz"));
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Is.EqualTo(File.ReadAllText(Path.Combine(local, "metadata.json"))));
    }

    [Test]
    [Promise("F11")]
    public void An_archive_with_a_damaged_index_is_fetched_whole()
    {
        var local = Publish(Model);
        var bytes = File.ReadAllBytes(ArchiveOf("bert"));
        bytes[^60] ^= 0x55;
        File.WriteAllBytes(ArchiveOf("bert"), bytes);
        var mount = Mount(new MountSettings { More = ["--hydrate", "none"] });
        Assert.That(Directory.Exists(mount.At("bert", "ner")), Is.True);
        Assert.That(mount.Status()["bert"].BytesHere, Is.EqualTo(mount.Status()["bert"].Bytes));
        TreeSnapshot.AssertEqual(mount.At("bert"), local);
    }

    [Test]
    [Promise("F12")]
    public void The_first_change_waits_for_the_whole_model()
    {
        var local = Publish(Model);
        var mount = Mount(new MountSettings { Settle = "600", More = ["--hydrate", "none"] });
        Assert.That(Directory.GetFiles(mount.At("bert")), Is.Not.Empty);
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Assert.That(mount.Status()["bert"].BytesHere, Is.GreaterThan(LargeBytes));
        var reads = mount.Status().Request("store.read");
        Actor.Run("/usr/bin/cmp", mount.At("bert", Large), Path.Combine(local, Large));
        Assert.That(mount.Status().Request("store.read"), Is.EqualTo(reads), "nothing of it is in the store alone any more");
        mount.Unmount();
        File.WriteAllText(Path.Combine(local, "notes.txt"), "changed");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
        var again = Mount(cacheName: "third");
        Actor.Bash($"diff -r {again.At("bert")} {local}");
    }

    [Test]
    [Promise("F13")]
    public void A_model_of_which_a_part_is_here_is_not_completed_from_another_version()
    {
        var local = Publish(Model);
        var mount = Mount(new MountSettings { More = ["--hydrate", "none"] });
        using var small = File.OpenRead(mount.At("bert", "metadata.json"));
        using var holder = Actor.StartPython(
            """
            import errno, os, sys
            stream = open(sys.argv[1], "rb", buffering=0)
            first = stream.read(1000)
            print("open")
            sys.stdin.close()
            while not os.path.exists(sys.argv[2]): pass
            assert os.pread(stream.fileno(), 1000, 0) == first, "what is here stays readable"
            try:
                os.pread(stream.fileno(), 1000, 17 << 20)
                print("read")
            except OSError as failure:
                print(errno.errorcode[failure.errno])
            """, mount.At("bert", Large), Folder.At("go"));
        holder.WaitForOutput("open");
        Publish("bert:kib=9000:seed=2", "second");
        File.WriteAllText(Folder.At("go"), "");
        Assert.That(holder.Wait(TimeSpan.FromSeconds(60)).Succeeded().Lines[^1], Is.EqualTo("ESTALE"));
        Assert.That(new StreamReader(small).ReadToEnd(), Is.EqualTo(File.ReadAllText(Path.Combine(local, "metadata.json"))), "a file that is here is read on");
        Eventually.True(() => !Path.Exists(mount.At("bert", "metadata.link")), "the name leads to the new version once the kernel asks for it again", pause: TimeSpan.FromSeconds(1));
        TreeSnapshot.AssertEqual(mount.At("bert"), Path.Combine(Folder.At("second"), "bert"));
    }

    [Test]
    [Promise("R3")]
    public void Once_a_file_is_complete_the_kernel_reads_it_by_itself_and_who_has_it_open_reads_on()
    {
        Requires.Root();
        var local = File.ReadAllBytes(Path.Combine(Publish(Model), Large));
        var mount = Mount(new MountSettings { More = ["--hydrate", "none"] });
        Requires.Passthrough(mount);
        using var early = File.OpenRead(mount.At("bert", Large));
        Assert.That(early.ReadByte(), Is.EqualTo(local[0]));
        var number = Actor.Bash($"stat -c %i {mount.At("bert", Large)}").Output;
        Actor.Bash($"cat {mount.At("bert", Large)} > {Folder.At("read")}");
        Eventually.True(
            () =>
            {
                // Its name leads to another node, which is opened so that the daemon is not needed.
                using var late = File.OpenRead(mount.At("bert", Large));
                var daemon = mount.ProcessIds().Daemon;
                Signals.Send(daemon, Signals.Stop);
                try
                {
                    var read = Task.Run(() =>
                    {
                        var content = new byte[late.Length];
                        late.ReadExactly(content);
                        return content;
                    });
                    return read.Wait(TimeSpan.FromSeconds(2)) && read.Result.AsSpan().SequenceEqual(local);
                }
                finally
                {
                    Signals.Send(daemon, Signals.Continue);
                }
            },
            "a new open is passed through");
        Assert.That(Actor.Bash($"stat -c %i {mount.At("bert", Large)}").Output, Is.EqualTo(number));
        early.Position = 12 << 20;
        Assert.That(early.ReadByte(), Is.EqualTo(local[12 << 20]));
        Assert.That(Actor.Bash($"cat /proc/{Environment.ProcessId}/fd/{early.SafeFileHandle.DangerousGetHandle()} | cmp - {Folder.At("read")}").ExitCode, Is.Zero);
    }

    [Test]
    [Promise("R3")]
    public void A_file_that_is_open_from_before_it_was_complete_survives_its_removal_and_replacement()
    {
        var local = File.ReadAllBytes(Path.Combine(Publish(Model), Large));
        var mount = Mount(new MountSettings { Settle = "600", More = ["--hydrate", "none"] });
        using var early = File.OpenRead(mount.At("bert", Large));
        Assert.That(early.ReadByte(), Is.EqualTo(local[0]));
        Actor.Bash($"cd {mount.At("bert")} && echo new > {Large}.tmp && mv {Large}.tmp {Large} && cat {Large}");
        Assert.That(File.ReadAllText(mount.At("bert", Large)), Is.EqualTo("new\n"));
        var rest = new byte[LargeBytes - 1];
        early.ReadExactly(rest);
        Assert.That(rest.AsSpan().SequenceEqual(local.AsSpan(1)), Is.True);
    }

    [Test]
    [Promise("K5")]
    public void A_daemon_that_is_killed_while_a_file_comes_is_replaced_without_an_error()
    {
        var local = Publish(Model);
        var mount = Mount(new MountSettings { More = ["--hydrate", "none"] });
        Requires.Resume(mount);
        using var reader = Actor.StartPython(
            """
            import hashlib, mmap, os, sys, time
            stream = open(sys.argv[1], "rb", buffering=0)
            mapped = mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)
            total, seen = hashlib.sha256(), 0
            while chunk := stream.read(1 << 16):
                total.update(chunk)
                seen += len(chunk)
                if seen == 8 << 20: print("half")
                if seen > 8 << 20: time.sleep(0.01)
            assert hashlib.sha256(mapped).hexdigest() == total.hexdigest()
            print(total.hexdigest())
            """, mount.At("bert", Large));
        reader.WaitForOutput("half");
        var (daemon, _) = mount.ProcessIds();
        Signals.Send(daemon, Signals.Kill);
        Eventually.True(() => mount.ProcessIds().Daemon != daemon, "the daemon is replaced");
        var digest = reader.Wait(TimeSpan.FromSeconds(90)).Succeeded().Lines[^1];
        Assert.That(digest, Is.EqualTo(Actor.Bash($"sha256sum {local}/{Large} | cut -d' ' -f1").Output.Trim()));
        Assert.That(mount.Status().Request("store.bytes_in"), Is.LessThan(LargeBytes - (4 << 20)), "what was here was not fetched again");
    }

    [Test]
    [Promise("F6")]
    public void The_next_mount_fetches_only_what_is_missing()
    {
        var local = Publish(Model);
        var first = Mount(new MountSettings { More = ["--hydrate", "file"] });
        File.ReadAllBytes(first.At("bert", Large));
        first.Unmount();
        var second = Mount(new MountSettings { More = ["--hydrate", "file"] });
        Actor.Run("/usr/bin/cmp", second.At("bert", Large), Path.Combine(local, Large));
        Assert.That(second.Status().Request("store.read"), Is.Zero);
        TreeSnapshot.AssertEqual(second.At("bert"), local);
        Assert.That(second.Status().Request("store.bytes_in"), Is.LessThan(2 << 20));
    }

    [Test]
    [Promise("C2")]
    public void The_size_limit_drops_single_files_and_the_models_stay_listed()
    {
        Publish("one:kib=12000", "trees");
        Publish("two:kib=12000", "trees");
        var local = Folder.At("trees");
        var mount = Mount(new MountSettings { More = ["--hydrate", "file", "--cache-size", "16M"] });
        File.ReadAllText(mount.At("one", "metadata.json"));
        File.ReadAllBytes(mount.At("one", Large));
        File.ReadAllText(mount.At("one", "metadata.json"));
        File.ReadAllBytes(mount.At("two", Large));
        Eventually.True(() => mount.Status()["one"].BytesHere < 1 << 20, "the content of the model used longest ago is dropped");
        Assert.That(mount.Status()["one"].State, Is.EqualTo("ready"));
        Assert.That(mount.Status().CacheBytes, Is.LessThanOrEqualTo(16 << 20));
        Eventually.True(
            () => mount.CachedBytes(Large) <= 13000L << 10, "the disk space is given back");
        var before = mount.Status().Request("store.bytes_in");
        Actor.Bash($"find {mount.At("one")} -ls");
        Assert.That(mount.Status().Request("store.bytes_in"), Is.EqualTo(before), "it stays listed");
        TreeSnapshot.AssertEqual(mount.At("one"), Path.Combine(local, "one"));
        TreeSnapshot.AssertEqual(mount.At("two"), Path.Combine(local, "two"));
    }

    [Test]
    [Promise("C2")]
    public void A_file_that_is_open_or_mapped_keeps_its_content_when_room_is_needed()
    {
        Publish("one:kib=12000", "trees");
        Publish("two:kib=12000", "trees");
        var mount = Mount(new MountSettings { More = ["--hydrate", "file", "--cache-size", "16M"] });
        using var mapper = Actor.StartPython(
            """
            import mmap, os, sys
            descriptor = os.open(sys.argv[1], os.O_RDONLY)
            here = open(sys.argv[2], "rb").read()
            assert os.pread(descriptor, len(here), 0) == here
            os.close(descriptor)
            descriptor = os.open(sys.argv[1], os.O_RDONLY)
            mapped = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ, trackfd=False) if sys.version_info >= (3, 13) else mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
            os.close(descriptor)
            print("mapped")
            while not os.path.exists(sys.argv[3]): pass
            assert mapped[:] == here
            print("same")
            """, mount.At("one", Large), Path.Combine(Folder.At("trees"), "one", Large), Folder.At("go"));
        mapper.WaitForOutput("mapped");
        _ = Actor.TryPython("import sys; open(sys.argv[1], 'rb').read()", mount.At("two", Large));
        File.WriteAllText(Folder.At("go"), "");
        Assert.That(mapper.Wait(TimeSpan.FromSeconds(60)).Succeeded().Lines[^1], Is.EqualTo("same"));
    }

    /// <summary>Writes a model through a mount of its own, which makes its archive an indexed one.</summary>
    /// <returns>The same tree on the local disk.</returns>
    private string Publish(string model, string below = "local")
    {
        var local = Tree(model, below);
        Directory.CreateDirectory(Folder.At("publisher"));
        var publisher = Mount(mountName: "publisher", cacheName: "publisher-cache");

        // Without -H hard links become files of their own, as in the mount. Without a window of -1 a link keeps the time at which it was made if that lies in the second it should have.
        Actor.Run("/usr/bin/rsync", "-a", "--modify-window=-1", "--delete", local, publisher.Root + "/");
        publisher.Unmount();
        return local;
    }

    private static void Damage(string archive, ReadOnlySpan<byte> content)
    {
        var bytes = File.ReadAllBytes(archive);
        var place = bytes.AsSpan().IndexOf(content);
        Assert.That(place, Is.Positive, "random bytes are stored as they are");
        bytes[place] ^= 1;
        File.WriteAllBytes(archive, bytes);
    }

    private static string Progress(MountedStore mount) =>
        Actor.Python("import os, sys; print(os.getxattr(sys.argv[1], 'user.modelfs.progress').decode())", mount.At("bert")).Output.Trim();
}
