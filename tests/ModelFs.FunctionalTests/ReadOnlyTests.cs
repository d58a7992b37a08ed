using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>A mount that must not change anything.</summary>
internal sealed class ReadOnlyTests : MountFixture
{
    [Test]
    [Promise("M3")]
    public void A_read_only_mount_reads_and_refuses_every_change()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount(new MountSettings { More = ["--read-only"] });
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));
        var file = mount.At("bert", "metadata.json");
        string[] changes =
        [
            $"open('{file}', 'a')", $"open('{mount.At("bert", "new")}', 'w')", $"os.unlink('{file}')", $"os.chmod('{file}', 0o600)", $"os.utime('{file}')",
            $"os.mkdir('{mount.At("new")}')", $"os.mkdir('{mount.At("bert", "new")}')", $"os.rename('{file}', '{file}2')", $"os.truncate('{file}', 0)", $"os.rmdir('{mount.At("bert")}')",
        ];
        Assert.That(changes.Select(Actor.Errno), Is.All.EqualTo("EROFS"));
        mount.Unmount();
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }

    [Test]
    [Promise("M3")]
    [Promise("C5")]
    public void Local_copies_of_a_read_only_mount_are_warmed_pinned_verified_and_evicted()
    {
        Pack("bert:A", "moodbot:A");
        var before = RevisionOf("bert");
        var mount = Mount(new MountSettings { More = ["--read-only"] });
        MountedStore.Modelfs(["warm", mount.Root, "bert"]).Succeeded();
        Assert.That(mount.StateOf("bert"), Is.EqualTo("ready"));
        MountedStore.Modelfs(["verify", mount.Root, "bert"]).Succeeded();
        MountedStore.Modelfs(["pin", mount.Root, "moodbot"]).Succeeded();
        var refused = MountedStore.Modelfs(["evict", mount.Root, "moodbot"]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("is pinned"));
        MountedStore.Modelfs(["pin", "--off", mount.Root, "moodbot"]).Succeeded();
        MountedStore.Modelfs(["evict", mount.Root, "moodbot", "bert"]).Succeeded();
        Assert.That(mount.StateOf("moodbot"), Is.EqualTo("absent"));
        Assert.That(MountedStore.Modelfs(["warm", mount.Root, "no-such-model"]).Error, Does.Contain("there is no such model"));
        Assert.That(Actor.Errno($"os.getxattr('{mount.At(".modelfs", "models", "bert.json")}', 'user.modelfs.ask.resolve=mine')"), Is.EqualTo("ENOTSUP"), "nothing is asked for that concerns the store");
        mount.Unmount();
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }
}
