using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The folder of models that are on this machine.</summary>
internal sealed class CacheTests : MountFixture
{
    private const int Mebibyte = 1 << 20;

    [Test]
    [Promise("C1")]
    public void A_second_daemon_on_the_same_cache_is_refused_and_told_who_holds_it()
    {
        Pack("bert:A");
        var first = Mount();
        var second = TryMount(mountName: "other");
        Assert.That(second.Mounting.ExitCode, Is.EqualTo(1));
        Assert.That(second.Mounting.Error, Does.Contain(first.ProcessIds().Daemon.ToString()).Or.Contain(first.ProcessIds().Keeper.ToString()));
        Assert.That(MountTable.IsMounted(second.Root), Is.False);
        Assert.That(File.Exists(first.At("bert", "metadata.json")), Is.True);
    }

    [Test]
    [Promise("C2")]
    public void The_size_limit_drops_the_models_that_were_used_longest_ago()
    {
        Pack("one:A:kib=4000", "two:A:kib=4000", "three:A:kib=4000");
        var mount = Mount(new MountSettings { More = ["--cache-size", "9M"] });
        var content = File.ReadAllBytes(mount.At("one", "intent_classifier.pkl"));
        File.ReadAllBytes(mount.At("two", "intent_classifier.pkl"));
        File.ReadAllBytes(mount.At("three", "intent_classifier.pkl"));
        Eventually.True(() => mount.StateOf("one") == "absent", "the model used longest ago is dropped");
        Assert.That(mount.StateOf("three"), Is.EqualTo("ready"));

        // Where the kernel can't be told to let go of what was dropped, a look at the name has it do so.
        Eventually.True(() => Directory.Exists(mount.At("one")) && mount.CachedBytes("intent_classifier.pkl") <= 9L * Mebibyte, "the disk space is given back");
        Assert.That(File.ReadAllBytes(mount.At("one", "intent_classifier.pkl")), Is.EqualTo(content), "a dropped model is fetched again");
    }

    [Test]
    [Promise("C2")]
    public void The_disk_space_of_a_dropped_model_is_given_back_though_nobody_looks_at_it()
    {
        Requires.Kernel(new Version(6, 18), "can be told to forget files");
        Pack("bert:A:kib=4000:odd=yes:files=20");
        var mount = Mount();
        Actor.Bash($"cd {mount.At("bert")} && find . -ls && cat $(find . -type f) > /dev/null");
        Assert.That(mount.CachedBytes("intent_classifier.pkl"), Is.EqualTo(4000 << 10));
        MountedStore.Modelfs(["evict", mount.Root, "bert"]).Succeeded();
        Eventually.True(() => mount.CachedBytes("intent_classifier.pkl") == 0, "the disk space is given back");
    }

    [Test]
    [Promise("C2")]
    public void A_model_with_an_open_file_or_with_changes_is_never_dropped()
    {
        Pack("open:A:kib=4000", "dirty:A:kib=4000", "three:A:kib=4000");
        var mount = Mount(new MountSettings { Settle = "600", More = ["--cache-size", "13M"] });
        using var reader = File.OpenRead(mount.At("open", "intent_classifier.pkl"));
        File.WriteAllText(mount.At("dirty", "notes.txt"), "changed");
        File.ReadAllBytes(mount.At("three", "intent_classifier.pkl"));
        Pack("four:A:kib=4000");
        Eventually.True(() => File.Exists(mount.At("four", "intent_classifier.pkl")), "the fourth model is there");
        File.ReadAllBytes(mount.At("four", "intent_classifier.pkl"));
        Assert.That(mount.StateOf("open"), Is.EqualTo("ready"));
        Assert.That(mount.StateOf("dirty"), Is.EqualTo("dirty"));
        Assert.That(File.ReadAllText(mount.At("dirty", "notes.txt")), Is.EqualTo("changed"));
        mount.Sync("dirty");
        reader.Dispose();
        mount.Unmount();
        Assert.That(MembersOf("dirty"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("C3")]
    public void A_model_that_can_never_fit_is_refused_with_the_reason()
    {
        Pack("huge:A:kib=6000", "small:A");
        var mount = Mount(new MountSettings { More = ["--cache-size", "3M"] });
        Assert.That(Actor.Errno($"open('{mount.At("huge", "metadata.json")}')"), Is.EqualTo("ENOSPC"));
        Eventually.True(() => mount.Log.Contains("huge", StringComparison.Ordinal), "the log names " + "huge");
        Assert.That(File.ReadAllText(mount.At("small", "metadata.json")), Does.Contain("small"));
    }

    [Test]
    [Promise("C4")]
    public void A_store_that_is_gone_leaves_cached_models_usable()
    {
        Pack("bert:A", "moodbot:B");
        var mount = Mount();
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Directory.Move(StoreFolder, Folder.At("away"));
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Does.Contain("bert"));
        Assert.That(Actor.Errno($"open('{mount.At("moodbot", "metadata.json")}')"), Is.Not.EqualTo("none"));
        Directory.Move(Folder.At("away"), StoreFolder);
        Eventually.True(() => Actor.Errno($"open('{mount.At("moodbot", "metadata.json")}')") == "none", "the store is used again");
    }

    [Test]
    [Promise("W5")]
    public void A_change_that_could_not_be_published_is_kept_and_published_by_the_next_mount()
    {
        Requires.Root();
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "600" });
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Directory.Move(StoreFolder, Folder.At("away"));
        var (daemon, keeper) = mount.ProcessIds();
        var unmounting = MountedStore.Modelfs(["unmount", mount.Root, "--drain-timeout", "2"]);
        Assert.That(unmounting.ExitCode, Is.EqualTo(75));
        Assert.That(unmounting.Output + unmounting.Error, Does.Contain("bert"));
        Assert.That(MountTable.IsMounted(mount.Root), Is.False);
        if (Directory.Exists(StoreFolder))
        {
            Directory.Delete(StoreFolder, recursive: true);
        }

        Directory.Move(Folder.At("away"), StoreFolder);

        // It brings what it keeps to the disk before it lets go of the cache, which can take a while on a busy one.
        Eventually.True(() => !Signals.IsAlive(daemon) && !Signals.IsAlive(keeper), "daemon and keeper end after an unmount");
        var again = Mount();
        Assert.That(File.ReadAllText(again.At("bert", "notes.txt")), Is.EqualTo("changed"));
        again.Unmount();
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }
}
