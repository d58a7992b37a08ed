using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Archives that are broken or hostile: an error with a reason, never a wrong or a short file.</summary>
internal sealed class DamagedArchiveTests : MountFixture
{
    [Test]
    [Promise("F2")]
    public void A_damaged_archive_is_an_error_that_names_the_object([Values("cut", "bit", "trailer", "text", "empty", "garbage")] string damage)
    {
        Pack("bert:A:kib=512", "good:B");
        Damage(ArchiveOf("bert"), damage);
        var mount = Mount();
        Assert.That(Actor.Errno($"open('{mount.At("bert", "metadata.json")}').read()"), Is.EqualTo("EIO"));
        Assert.That(Actor.Errno($"open('{mount.At("bert", "intent_classifier.pkl")}', 'rb').read()"), Is.EqualTo("EIO"));
        Eventually.True(() => mount.Log.Contains("bert.tar.gz", StringComparison.Ordinal), "the log names " + "bert.tar.gz");
        Assert.That(mount.StateOf("bert"), Is.EqualTo("failed"));
        Assert.That(mount.Status()["bert"].LastError, Is.Not.Empty);
        Assert.That(File.ReadAllText(mount.At("good", "metadata.json")), Does.Contain("good"), "other models are untouched");
    }

    [Test]
    [Promise("F3")]
    public void A_repaired_archive_is_read_without_remount()
    {
        Pack("bert:A");
        Damage(ArchiveOf("bert"), "cut");
        var mount = Mount();
        Assert.That(Actor.Errno($"open('{mount.At("bert", "metadata.json")}')"), Is.EqualTo("EIO"));
        Pack("bert:A");
        Eventually.True(() => Actor.Errno($"open('{mount.At("bert", "metadata.json")}')") == "none", "the repaired model is read");
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));
    }

    [Test]
    [Promise("F2")]
    public void A_damaged_model_stays_listed_and_a_failed_fetch_leaves_nothing_in_the_cache()
    {
        Pack("bert:A:kib=4096");
        Damage(ArchiveOf("bert"), "cut");
        var mount = Mount();
        Assert.That(Actor.Errno($"open('{mount.At("bert", "metadata.json")}')"), Is.EqualTo("EIO"));
        Assert.That(Directory.Exists(mount.At("bert")), Is.True);
        Eventually.True(() => Directory.GetFiles(mount.CacheFolder, "intent_classifier.pkl", SearchOption.AllDirectories).Length == 0, "the part that was unpacked is dropped");
    }

    [Test]
    [Promise("F4")]
    public void An_unsafe_member_refuses_the_whole_archive([Values("absolute", "parent", "device", "fifo", "link-out", "link-absolute", "through-link", "hard-link-out")] string kind)
    {
        Actor.Run("/usr/bin/python3", RepositoryPaths.Actor("unsafe_archive.py"), ArchiveOf("evil"), kind);
        var mount = Mount();
        Assert.That(Actor.Errno($"open('{mount.At("evil", "metadata.json")}')"), Is.AnyOf("EIO", "EPERM", "EACCES"));
        Assert.That(mount.StateOf("evil"), Is.EqualTo("failed"));
        Eventually.True(() => mount.Log.Contains("evil.tar.gz", StringComparison.Ordinal), "the log names " + "evil.tar.gz");
        Assert.That(File.Exists("/tmp/modelfs-evil-marker"), Is.False);
        Assert.That(Actor.Bash($"find {Folder.Path} -xdev -name modelfs-evil-marker").Output, Is.Empty);
    }

    [Test]
    [Promise("F4")]
    public void A_bomb_is_refused()
    {
        // 1 GiB of zeros in some 5 MB; the cache may hold a tenth of it.
        Actor.Run("/usr/bin/python3", RepositoryPaths.Actor("unsafe_archive.py"), ArchiveOf("bomb"), "bomb");
        var mount = Mount(new MountSettings { More = ["--cache-size", "100M"] });
        Assert.That(Actor.Errno($"open('{mount.At("bomb", "metadata.json")}')"), Is.AnyOf("ENOSPC", "EIO"));
        Assert.That(mount.StateOf("bomb"), Is.EqualTo("failed"));
        Assert.That(CacheSize(mount), Is.LessThan(200L << 20));
    }

    private static long CacheSize(MountedStore mount) =>
        new DirectoryInfo(mount.CacheFolder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private static void Damage(string archive, string kind)
    {
        var bytes = File.ReadAllBytes(archive);
        switch (kind)
        {
            case "cut":
                bytes = bytes[..(bytes.Length / 2)];
                break;
            case "bit":
                bytes[bytes.Length / 2] ^= 0x10;
                break;
            case "trailer":
                bytes = bytes[..^4];
                break;
            case "text":
                bytes = "<html><body>404</body></html>"u8.ToArray();
                break;
            case "empty":
                bytes = [];
                break;
            case "garbage":
                bytes = [.. bytes, .. "appended"u8];
                break;
            default:
                throw new ArgumentException(kind);
        }

        // A new file takes the name, as an upload does.
        File.WriteAllBytes(archive + ".partial", bytes);
        File.Move(archive + ".partial", archive, overwrite: true);
    }
}
