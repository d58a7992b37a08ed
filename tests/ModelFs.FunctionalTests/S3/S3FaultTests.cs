using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>The network fails while a mount is in use: no access hangs for ever, and what is here stays usable.</summary>
internal sealed class S3FaultTests : S3Fixture
{
    private static readonly TimeSpan s_longerThanTheDeadline = TimeSpan.FromSeconds(100);

    [Test]
    [Promise("S6")]
    public void An_endpoint_that_goes_down_is_an_error_for_absent_models_and_nothing_for_cached_ones()
    {
        Upload("", "bert:A", "moodbot:B");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        proxy.GoDown();
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Does.Contain("bert"));
        Assert.That(Directory.GetDirectories(mount.Root), Has.Length.EqualTo(2));
        using var reader = Actor.StartPython("import sys; open(sys.argv[1]).read()", mount.At("moodbot", "metadata.json"));
        Assert.That(reader.Wait(s_longerThanTheDeadline).Error, Does.Contain("OSError"));
        proxy.ComeUp();
        Eventually.True(() => Actor.Errno($"open('{mount.At("moodbot", "metadata.json")}')") == "none", "the endpoint is used again");
    }

    [Test]
    [Promise("S6")]
    public void A_store_that_stalls_is_an_error_and_not_a_hang()
    {
        Upload("", "bert:A", "moodbot:B");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        proxy.Stall();
        using var reader = Actor.StartPython("import sys; open(sys.argv[1]).read()", mount.At("moodbot", "metadata.json"));
        Assert.That(Actor.Bash($"ls -l {mount.Root}; stat {mount.At("moodbot")}; cat {mount.At("bert", "metadata.json")}").Output, Does.Contain("moodbot"));
        Assert.That(reader.Wait(s_longerThanTheDeadline).Error, Does.Contain("OSError"));
        Eventually.True(() => mount.Log.Contains("moodbot", StringComparison.Ordinal), "the log names " + "moodbot");
    }

    [Test]
    [Promise("F5")]
    public void A_reader_that_waits_for_a_stalled_store_can_be_interrupted_and_listing_goes_on()
    {
        Upload("", "bert:A", "moodbot:B");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        proxy.Stall();
        try
        {
            using var reader = Actor.StartPython("import os, sys; print('start'); os.listdir(sys.argv[1])", mount.At("moodbot"));
            reader.WaitForOutput("start");
            Eventually.True(() => mount.StateOf("moodbot") == "fetching", "the fetch has begun");
            Assert.That(Actor.Bash($"ls -l {mount.Root}").Output, Does.Contain("bert"));
            reader.Signal(Signals.Interrupt);
            // Far less than the 30 s after which the fetch itself gives up.
            Assert.That(reader.Wait(TimeSpan.FromSeconds(10)).Error, Does.Contain("KeyboardInterrupt"));
        }
        finally
        {
            proxy.Flow();
        }

        Eventually.True(() => File.Exists(mount.At("moodbot", "metadata.json")), "the model is there when the store flows again");
    }

    [Test]
    [Promise("F5")]
    public void More_reads_than_the_kernel_keeps_in_the_background_wait_for_a_stalled_store_and_everybody_else_reads_on()
    {
        const int reads = 160, mapped = 24;
        var local = Tree("bert:kib=40000");
        var publisher = Mount(AsOwner(), Url(), "publisher", "publisher-cache");
        Actor.Run("/usr/bin/rsync", "-a", local, publisher.Root + "/");
        publisher.Unmount();
        Upload("", "moodbot:B");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner("--hydrate", "none", "--fetch-deadline", "90"), Url(proxy.Endpoint));
        File.ReadAllBytes(mount.At("moodbot", "metadata.json"));
        Assert.That(File.Exists(mount.At("bert", "metadata.json")), Is.True);
        proxy.Stall();
        try
        {
            using var readers = Actor.StartPython(
                """
                import mmap, os, sys, threading
                there, here = os.open(sys.argv[1], os.O_RDONLY), open(sys.argv[2], "rb").read()
                reads, mapped = int(sys.argv[3]), int(sys.argv[4])
                view, children, wrong = mmap.mmap(there, 0, prot=mmap.PROT_READ), [], []
                for n in range(mapped):
                    if not (child := os.fork()):
                        os._exit(view[n << 20] != here[n << 20])
                    children.append(child)
                def read(n):
                    at = n * 240_000
                    if os.pread(there, 4096, at) != here[at:at + 4096]: wrong.append(n)
                threads = [threading.Thread(target=read, args=(n,)) for n in range(reads)]
                for thread in threads: thread.start()
                # A thread that waits for the file system is in one of the FUSE module's functions.
                def waiting():
                    tasks = [f"/proc/self/task/{id}/wchan" for id in os.listdir("/proc/self/task")] + [f"/proc/{child}/wchan" for child in children]
                    return sum("request_wait" in open(task).read() or "fuse" in open(task).read() or "folio" in open(task).read() for task in tasks)
                while waiting() < reads + mapped: pass
                print("all wait")
                for thread in threads: thread.join()
                assert not wrong, wrong
                assert not any(os.waitpid(child, 0)[1] for child in children)
                """, mount.At("bert", "intent_classifier.pkl"), Path.Combine(local, "intent_classifier.pkl"), $"{reads}", $"{mapped}");
            readers.WaitForOutput("all wait");
            Actor.Bash($"diff -r {mount.At("moodbot")} {Tree("moodbot", "other")}");
            Assert.That(Actor.Bash($"ls -l {mount.Root} {mount.At("bert")}; stat {mount.At("bert", "metadata.json")}").Output, Does.Contain("moodbot"));
            Assert.That(readers.HasExited, Is.False, "the reads were over before the look: this test has shown nothing");
            proxy.Flow();
            readers.Wait(s_longerThanTheDeadline).Succeeded();
        }
        finally
        {
            proxy.Flow();
        }
    }

    [Test]
    [Promise("F5")]
    public void A_sync_that_waits_for_the_store_keeps_nobody_from_listing_and_looking_up()
    {
        Upload("", "bert:A", "moodbot:B");
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        proxy.Stall();
        try
        {
            using var sync = Actor.StartPython(
                "import subprocess, sys; print('start'); sys.exit(subprocess.run(sys.argv[1:]).returncode)",
                RepositoryPaths.Program, "sync", mount.Root, "bert");
            sync.WaitForOutput("start");
            Eventually.True(() => mount.StateOf("bert") == "publishing", "the publish has begun");
            Assert.That(Actor.Bash($"ls -l {mount.Root}; stat {mount.At("moodbot")}; stat {mount.At("no-such-model")} || true; cat {mount.At("bert", "metadata.json")}").Output, Does.Contain("moodbot"));
            Assert.That(mount.StateOf("bert"), Is.EqualTo("publishing").Or.EqualTo("failed"), "the sync was over before the look: this test has shown nothing");
        }
        finally
        {
            proxy.Flow();
        }

        mount.Sync();
    }

    [Test]
    [Promise("W5")]
    public void A_change_made_while_the_store_is_down_is_published_when_it_is_up_again()
    {
        Upload("", "bert:A");
        var before = Client("etag", Bucket, "bert.tar.gz").Output;
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        proxy.GoDown();
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("changed"));
        Eventually.True(() => mount.Status()["bert"].State is "failed" or "dirty" && mount.Status()["bert"].LastError is { Length: > 0 }, "the failed publish is shown");
        proxy.ComeUp();
        Eventually.True(() => Client("etag", Bucket, "bert.tar.gz").Output != before, "the change is published", TimeSpan.FromSeconds(100));
        Download("bert");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }
}
