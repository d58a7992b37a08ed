using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary><c>modelfs verify</c>.</summary>
internal sealed class VerifyTests : MountFixture
{
    private const string Large = "intent_classifier.pkl";

    [Test]
    [Promise("C6")]
    public void Damage_in_the_cache_is_found_named_and_repaired([Values] bool isIndexed)
    {
        var local = Tree("bert:kib=3000");
        if (isIndexed)
        {
            var publisher = Mount(mountName: "publisher", cacheName: "publisher-cache");
            Actor.Run("/bin/cp", "-a", local, publisher.Root);
            publisher.Unmount();
        }
        else
        {
            Pack("bert:A:kib=3000");
        }

        var mount = Mount();
        Actor.Run("/usr/bin/cmp", mount.At("bert", Large), Path.Combine(local, Large));
        Eventually.True(() => mount.Status()["bert"] is var bert && bert.BytesHere == bert.Bytes, "all of it is here");
        var sound = MountedStore.Modelfs(["verify", mount.Root]).Succeeded();
        Assert.That(sound.Output, Does.Contain("bert").And.Contain("as it should be"));

        // A bit of the disk flips; nothing tells of it.
        var cached = Directory.GetFiles(mount.CacheFolder, Large, SearchOption.AllDirectories).Single();
        Actor.Python("import os, sys; s = os.stat(sys.argv[1]); f = open(sys.argv[1], 'r+b'); f.seek(1000); b = f.read(1); f.seek(1000); f.write(bytes([b[0] ^ 1])); f.close(); os.utime(sys.argv[1], ns=(s.st_atime_ns, s.st_mtime_ns))", cached);
        var damaged = MountedStore.Modelfs(["verify", mount.Root, "bert"]);
        Assert.That(damaged.ExitCode, Is.EqualTo(1));
        Assert.That(damaged.Output, Does.Contain($"bert/{Large}"));
        Assert.That(damaged.Error, Does.Contain("--repair"));
        Assert.That(mount.Log, Does.Contain($"bert/{Large}"));

        using (File.OpenRead(mount.At("bert", Large)))
        {
            Assert.That(MountedStore.Modelfs(["verify", mount.Root, "bert", "--repair"]) is { ExitCode: 1 } busy && busy.Error.Contains("in use", StringComparison.Ordinal), Is.True, "an open file stays");
        }

        var repaired = MountedStore.Modelfs(["verify", mount.Root, "bert", "--repair"]).Succeeded();
        Assert.That(repaired.Output, Does.Contain("repaired"));

        // A whole new copy is a new folder, which the kernel asks for within a second.
        Eventually.True(() => Actor.Try("/usr/bin/cmp", mount.At("bert", Large), Path.Combine(local, Large)).ExitCode == 0, "the file is what it was");
        MountedStore.Modelfs(["verify", mount.At("bert")]).Succeeded();
        TreeSnapshot.AssertEqual(mount.At("bert"), local);
    }

    [Test]
    [Promise("C6")]
    public void A_cache_that_is_not_in_use_is_checked_without_its_store()
    {
        Pack("bert:A:kib=300", "moodbot:B");
        var mount = Mount();
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        File.ReadAllBytes(mount.At("moodbot", "metadata.json"));
        Assert.That(MountedStore.Modelfs(["verify", "--cache-dir", mount.CacheFolder]).ExitCode, Is.EqualTo(1), "it is in use");
        mount.Unmount();
        MountedStore.Modelfs(["verify", "--cache-dir", mount.CacheFolder]).Succeeded();
        var cached = Directory.GetFiles(mount.CacheFolder, Large, SearchOption.AllDirectories).Single(path => new FileInfo(path).Length == 300 << 10);
        using (var file = File.OpenWrite(cached))
        {
            file.Write("damage"u8);
        }

        var damaged = MountedStore.Modelfs(["verify", "--cache-dir", mount.CacheFolder]);
        Assert.That(damaged.ExitCode, Is.EqualTo(1));
        Assert.That(damaged.Output, Does.Contain($"bert/{Large}").And.Contain("moodbot"));
        MountedStore.Modelfs(["verify", "--cache-dir", mount.CacheFolder, "bert", "--repair"]).Succeeded();
        var again = Mount();
        Actor.Run("/usr/bin/cmp", again.At("bert", Large), Path.Combine(Tree("bert:kib=300"), Large));
    }
}
