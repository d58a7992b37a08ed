using System.Diagnostics;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>What close promises with <c>--durability=remote</c>. The settle time is so long that whatever reaches the store was brought there by a close.</summary>
internal sealed class DurabilityTests : MountFixture
{
    private static readonly MountSettings s_remote = new() { Settle = "600", SettleNew = "600", More = ["--durability", "remote"] };

    [Test]
    [Promise("D1")]
    public void A_close_returns_when_the_store_has_the_change()
    {
        Pack("bert:A");
        var mount = Mount(s_remote);
        Assert.That(mount.Status().Durability, Is.EqualTo("remote"));
        File.WriteAllText(mount.At("bert", "notes.txt"), "one");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
        AssertArchiveHolds("bert", mount.At("bert"));
        using (var file = new FileStream(mount.At("bert", "notes.txt"), FileMode.Append))
        {
            file.Write("two"u8);
        }

        AssertArchiveHolds("bert", mount.At("bert"));
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("onetwo"));
        mount.Unmount();
        AssertNothingWasSentAgain();
    }

    [Test]
    [Promise("D1")]
    public void Reading_and_closing_sends_nothing()
    {
        Pack("bert:A");
        var mount = Mount(s_remote);
        var before = RevisionOf("bert");
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Actor.Python("import os, sys; os.close(os.open(sys.argv[1], os.O_RDWR))", mount.At("bert", "metadata.json"));
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }

    [Test]
    [Promise("D2")]
    public void While_another_file_is_open_for_writing_a_close_does_not_wait_and_the_last_one_brings_everything()
    {
        Pack("bert:A");
        var mount = Mount(s_remote);
        var before = RevisionOf("bert");
        using (var log = File.Create(mount.At("bert", "log")))
        {
            log.Write("half"u8);
            File.WriteAllText(mount.At("bert", "notes.txt"), "one");
            Assert.That(RevisionOf("bert"), Is.EqualTo(before));
            log.Write(" and half"u8);
        }

        Assert.That(MembersOf("bert"), Does.Contain("notes.txt").And.Contain("log"));
        AssertArchiveHolds("bert", mount.At("bert"));
    }

    [Test]
    [Promise("D2")]
    public void A_shell_that_redirects_publishes_once_and_whole()
    {
        Pack("bert:A");
        var mount = Mount(s_remote);
        Actor.Bash($"echo one > '{mount.At("bert", "notes.txt")}'");
        AssertArchiveHolds("bert", mount.At("bert"));
        Assert.That(Publishes(mount), Is.EqualTo(1));
    }

    [Test]
    [Promise("D2")]
    public void A_file_that_is_closed_by_the_end_of_its_program_is_published_once_the_model_has_settled()
    {
        Pack("bert:A");
        var mount = Mount(s_remote with { Settle = "1" });
        Actor.Bash($"python3 -c 'print(\"by a child\")' >> '{mount.At("bert", "notes.txt")}'");
        Eventually.True(() => mount.StateOf("bert") == "ready", "the model settles");
        AssertArchiveHolds("bert", mount.At("bert"));
    }

    [Test]
    [Promise("D3")]
    public void A_close_fails_with_the_reason_when_the_store_does_not_take_the_change()
    {
        Pack("bert:A");
        var mount = Mount(s_remote with { More = [.. s_remote.More, "--fetch-deadline", "1"] });
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Directory.Move(StoreFolder, Folder.At("away"));
        File.WriteAllText(StoreFolder, "no folder any more");
        Assert.That(Actor.Errno(CloseOf(mount.At("bert", "notes.txt"))), Is.EqualTo("EIO"));
        Assert.That(mount.StateOf("bert"), Is.EqualTo("failed"));
        Assert.That(mount.Status()["bert"].LastError, Does.Contain("store"));
        File.Delete(StoreFolder);
        Directory.Move(Folder.At("away"), StoreFolder);
        mount.Sync("bert");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("D3")]
    public void A_close_of_a_version_that_lost_against_the_store_is_ESTALE_and_the_version_is_kept()
    {
        Pack("bert:A");
        var mount = Mount(s_remote);
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Pack("bert:A:kib=4");
        Assert.That(Actor.Errno(CloseOf(mount.At("bert", "notes.txt"))), Is.EqualTo("ESTALE"));
        var kept = Actor.Run("/bin/ls", mount.At(".modelfs", "conflicts")).Output.Trim();
        Assert.That(File.ReadAllText(mount.At(".modelfs", "conflicts", kept, "notes.txt")), Is.EqualTo("changed"));
    }

    [Test]
    [Promise("D3")]
    public void A_close_that_does_not_fit_into_the_store_is_ENOSPC_and_the_change_is_published_when_there_is_room()
    {
        using var disk = new SmallDisk(Folder.Create("full-store"), "4M");
        Actor.Run(RepositoryPaths.Script("sample-models"), disk.Path, "bert:A");
        var mount = Mount(s_remote, disk.Path);
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Actor.Bash($"head -c 3M /dev/urandom > '{disk.Path}/ballast'");
        Assert.That(Actor.Errno($"file = os.open('{mount.At("bert", "weights.bin")}', os.O_WRONLY | os.O_CREAT); os.write(file, os.urandom(2 << 20)); os.close(file)"), Is.EqualTo("ENOSPC"));
        Assert.That(mount.Status()["bert"].LastError, Does.Contain("no space left"));
        File.Delete(Path.Combine(disk.Path, "ballast"));
        mount.Sync("bert");
        File.Copy(Path.Combine(disk.Path, "bert.tar.gz"), ArchiveOf("bert"));
        AssertArchiveHolds("bert", mount.At("bert"));
        mount.Unmount();
    }

    [Test]
    [Promise("D1")]
    [Promise("W8")]
    public void A_mapping_that_is_written_to_after_the_close_is_published_too()
    {
        Pack("bert:A");
        var mount = Mount(s_remote);
        using var program = Actor.StartPython(
            """
            # Python's own mmap keeps a descriptor open; the C library's does not.
            import ctypes, os, sys, time
            libc = ctypes.CDLL(None, use_errno=True)
            libc.mmap.restype = ctypes.c_void_p
            libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
            file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
            os.write(file, b"first ")
            mapping = libc.mmap(None, 6, 3, 1, file, 0)
            assert mapping != ctypes.c_void_p(-1).value, os.strerror(ctypes.get_errno())
            os.close(file)
            print("closed", flush=True)
            while not os.path.exists(sys.argv[2]):
                time.sleep(0.02)
            ctypes.memmove(mapping, b"second", 6)
            print("written", flush=True)
            """,
            mount.At("bert", "notes.txt"), Folder.At("go-on"));
        program.WaitForOutput("closed");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"), "the close brought what was written before it");
        File.WriteAllText(Folder.At("go-on"), "");
        program.WaitForOutput("written");
        Assert.That(program.Wait(TimeSpan.FromSeconds(60)).ExitCode, Is.Zero);
        mount.Sync("bert");
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("second"));
        AssertArchiveHolds("bert", mount.At("bert"));
    }

    [Test]
    [Promise("D4")]
    public void A_model_that_was_never_published_is_exempt()
    {
        var mount = Mount(s_remote);
        Directory.CreateDirectory(mount.At("young"));
        File.WriteAllText(mount.At("young", "weights.bin"), "1");
        Assert.That(StoreKeys(), Is.Empty);
        mount.Sync("young");
        Assert.That(StoreKeys(), Is.EqualTo(["young.tar.gz"]));
        File.WriteAllText(mount.At("young", "weights.bin"), "2");
        AssertArchiveHolds("young", mount.At("young"));
    }

    [Test]
    [Promise("D5")]
    public void A_program_that_waits_in_close_can_be_interrupted_and_the_mount_goes_on_meanwhile()
    {
        Pack("bert:A", "moodbot:A");
        var mount = Mount(s_remote);
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        using var turn = Actor.StartPython(
            "import fcntl, os, sys, time; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); print('held', flush=True); time.sleep(600)", StoreFolder);
        Eventually.True(() => turn.OutputSoFar.Contains("held", StringComparison.Ordinal), "the store's last step is held up");
        using var writer = Actor.StartPython(
            """
            import os, signal, sys
            signal.signal(signal.SIGINT, lambda *_: None)
            file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
            os.write(file, b"changed")
            print("closing", flush=True)
            try:
                os.close(file)
                print("closed")
            except InterruptedError:
                print("EINTR")
            """,
            mount.At("bert", "notes.txt"));
        Eventually.True(() => mount.StateOf("bert") == "publishing", "the close waits for the store");
        Assert.That(File.ReadAllText(mount.At("moodbot", "metadata.json")), Is.Not.Empty);
        Assert.That(writer.HasExited, Is.False);
        Signals.Send(writer.Id, Signals.Interrupt);
        Assert.That(writer.Wait(TimeSpan.FromSeconds(20)).Succeeded().Output, Does.Contain("EINTR"));

        using var doomed = Actor.StartPython("import os, sys; file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT); os.write(file, b'x'); print('open', flush=True); os.read(0, 1); import time; time.sleep(600)", mount.At("bert", "other.txt"));
        Eventually.True(() => doomed.OutputSoFar.Contains("open", StringComparison.Ordinal), "the file is open");
        var clock = Stopwatch.StartNew();
        Signals.Send(doomed.Id, Signals.Kill);
        Eventually.True(() => doomed.HasExited, "a killed program ends without waiting for the store", TimeSpan.FromSeconds(20));
        Signals.Send(turn.Id, Signals.Kill);
    }

    private static string CloseOf(string path) => $"file = os.open('{path}', os.O_WRONLY | os.O_CREAT); os.write(file, b'changed'); os.close(file)";

    private static long Publishes(MountedStore mount) => mount.Status().Request("store.publish");

    private void AssertNothingWasSentAgain()
    {
        var before = RevisionOf("bert");
        var again = Mount(s_remote);
        again.Unmount();
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }
}
