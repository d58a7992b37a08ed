using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The cache's disk is full: programs are told, nothing that was there is damaged, and what is to be published is when there is room.</summary>
internal sealed class FullDiskTests : MountFixture
{
    private static readonly MountSettings s_patient = new() { Settle = "600", SettleNew = "600", More = ["--min-free", "0"] };

    [Test]
    [Promise("C7")]
    public void A_write_that_does_not_fit_is_ENOSPC_and_told_and_damages_nothing()
    {
        Pack("bert:A", "moodbot:B");
        using var disk = new SmallDisk(Folder.Create("cache"), "12M");
        var mount = Mount(s_patient);
        TreeSnapshot.AssertEqual(mount.At("moodbot"), Tree("moodbot"));
        File.WriteAllText(mount.At("bert", "notes.txt"), "before");
        Assert.That(
            Actor.Errno($"file = os.open('{mount.At("bert", "huge.bin")}', os.O_WRONLY | os.O_CREAT); [os.write(file, b'x' * 65536) for _ in range(400)]"),
            Is.EqualTo("ENOSPC"));
        Eventually.True(() => mount.Log.Contains($"the disk of the cache {disk.Path} is full", StringComparison.Ordinal), "the log tells it");
        Assert.That(mount.Status().Warnings, Has.Some.Contains("is full").And.Some.Contains("modelfs evict"));
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("before"));
        TreeSnapshot.AssertEqual(mount.At("moodbot"), Tree("moodbot", "again"));

        File.Delete(mount.At("bert", "huge.bin"));
        Assert.That(mount.Status().Warnings, Is.Empty);
        mount.Sync("bert");
        AssertArchiveHolds("bert", mount.At("bert"));
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("before"));
        mount.Unmount();
    }

    [Test]
    [Promise("C7")]
    public void A_model_that_can_not_be_packed_for_lack_of_room_is_kept_and_published_when_there_is_some()
    {
        Pack("bert:A");
        using var disk = new SmallDisk(Folder.Create("cache"), "12M");
        var mount = Mount(s_patient);
        File.WriteAllBytes(mount.At("bert", "weights.txt"), Text(8 << 20));
        var refused = MountedStore.Modelfs(["sync", mount.Root, "bert"]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("no space left on the cache's disk"));
        Assert.That(mount.StateOf("bert"), Is.EqualTo("failed"));
        Assert.That(new FileInfo(mount.At("bert", "weights.txt")).Length, Is.EqualTo(8 << 20));
        Assert.That(MembersOf("bert"), Does.Not.Contain("weights.txt"));

        Actor.Run("/bin/mount", "-o", "remount,size=40M", disk.Path);
        mount.Sync("bert");
        AssertArchiveHolds("bert", mount.At("bert"));
        mount.Unmount();
    }

    [Test]
    [Promise("C7")]
    public void Weights_need_no_room_beside_their_model_to_be_published()
    {
        Pack("bert:A");
        using var disk = new SmallDisk(Folder.Create("cache"), "12M");
        var mount = Mount(s_patient);
        File.WriteAllBytes(mount.At("bert", "weights.bin"), Random(8 << 20));
        mount.Sync("bert");
        AssertArchiveHolds("bert", mount.At("bert"));
        mount.Unmount();
    }

    [Test]
    [Promise("C7")]
    public void Clean_models_go_before_a_change_that_would_not_fit_beside_its_archive()
    {
        Pack("bert:A", "old:A:kib=6000");
        using var disk = new SmallDisk(Folder.Create("cache"), "16M");
        var mount = Mount(s_patient);
        File.ReadAllBytes(mount.At("old", "intent_classifier.pkl"));
        File.WriteAllBytes(mount.At("bert", "weights.txt"), Text(6 << 20));

        // A look at the name has the kernel let go of what is dropped.
        Eventually.True(() => Directory.Exists(mount.At("old")) && MountedStore.Modelfs(["sync", mount.Root, "bert"]).ExitCode == 0, "there is room once the other model is gone");
        Assert.That(mount.StateOf("old"), Is.EqualTo("absent"));
        AssertArchiveHolds("bert", mount.At("bert"));
        mount.Unmount();
    }

    [Test]
    [Promise("C7")]
    public void A_model_whose_names_do_not_fit_is_refused_and_listed_when_there_is_room()
    {
        const int count = 2000;
        Pack("bert:A");
        var many = Folder.Create("many");
        for (var number = 0; number < count; number++)
        {
            File.WriteAllText($"{many}/{number:D4}", "content");
        }

        File.WriteAllText(many + "/metadata.json", "{}");
        Actor.Bash($"tar -czf {ArchiveOf("many")} -C {many} .");
        Assert.That(MountedStore.Modelfs(["index", StoreFolder, "many"]).ExitCode, Is.Zero);
        using var disk = new SmallDisk(Folder.Create("cache"), "12M,nr_inodes=1000");
        var mount = Mount(s_patient);
        Assert.That(Actor.Errno($"os.listdir('{mount.At("many")}')"), Is.EqualTo("ENOSPC"));
        Assert.That(Actor.Errno($"open('{mount.At("many", "1999")}')"), Is.EqualTo("ENOSPC"));
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));

        Actor.Run("/bin/mount", "-o", "remount,nr_inodes=10000", disk.Path);
        Eventually.True(() => Actor.Errno($"os.listdir('{mount.At("many")}')") == "none", "it is listed");
        Assert.That(Directory.GetFiles(mount.At("many")), Has.Length.EqualTo(count + 1));
        Assert.That(File.ReadAllText(mount.At("many", "1999")), Is.EqualTo("content"));
        mount.Unmount();
    }

    [Test]
    [Promise("C7")]
    public void What_min_free_says_stays_free()
    {
        Pack("one:A:kib=4000", "two:A:kib=4000", "three:A:kib=4000", "four:A:kib=4000");
        using var disk = new SmallDisk(Folder.Create("cache"), "24M");
        var mount = Mount(s_patient with { More = ["--min-free", "10M"] });
        foreach (var model in new[] { "one", "two", "three" })
        {
            File.ReadAllBytes(mount.At(model, "intent_classifier.pkl"));
        }

        Assert.That(mount.StateOf("one"), Is.EqualTo("ready"));

        // A change takes room too: then what was used longest ago goes, and what is changed stays.
        File.WriteAllBytes(mount.At("three", "weights.bin"), Random(4 << 20));
        Eventually.True(() => mount.StateOf("one") == "absent" && Directory.Exists(mount.At("one")) && disk.Free >= 10 << 20, "the model that was used longest ago is dropped");
        Eventually.True(() => Directory.Exists(mount.At("two")) && Actor.Errno($"open('{mount.At("four", "metadata.json")}')") == "none", "there is room once the next one is dropped, too");
        Assert.That(mount.StateOf("two"), Is.EqualTo("absent"));
        Assert.That(mount.StateOf("three"), Is.EqualTo("dirty"));
        Assert.That(File.ReadAllBytes(mount.At("three", "weights.bin")), Has.Length.EqualTo(4 << 20));
        mount.Sync("three");
        AssertArchiveHolds("three", mount.At("three"));
    }

    [Test]
    [Promise("W16")]
    public void Hundreds_of_models_wait_for_a_store_that_is_gone_and_the_next_mount_publishes_all_of_them()
    {
        const int count = 200;
        var mount = Mount(new MountSettings { Settle = "600", SettleNew = "600" });
        Directory.Move(StoreFolder, Folder.At("away"));
        Actor.Python(
            """
            import os, sys
            for number in range(int(sys.argv[2])):
                folder = os.path.join(sys.argv[1], f"model-{number:03}")
                os.mkdir(folder)
                with open(os.path.join(folder, "metadata.json"), "w") as stream:
                    stream.write(f'{{"number": {number}}}')
            """,
            mount.Root, $"{count}");
        Assert.That(mount.Status().Models.Count(model => model is { State: "dirty", DirtySince: not null }), Is.EqualTo(count));
        Assert.That(MountedStore.Modelfs(["unmount", mount.Root, "--drain-timeout", "1"]).ExitCode, Is.EqualTo(75));
        Actor.Bash($"rm -rf '{StoreFolder}'; mv '{Folder.At("away")}' '{StoreFolder}'");
        var again = Mount();
        again.Sync();
        Assert.That(StoreKeys(), Has.Length.EqualTo(count));
        Assert.That(MembersOf("model-199"), Does.Contain("metadata.json"));
        again.Unmount();
    }

    /// <summary>What deflate shrinks by a quarter: it is written to the disk for the archive. Of what it does not shrink nothing is.</summary>
    private static byte[] Text(int length) => System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(Random(length / 4 * 3)));

    private static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
