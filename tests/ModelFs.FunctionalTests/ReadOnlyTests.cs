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
}
