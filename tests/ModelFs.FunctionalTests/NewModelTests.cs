using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Models that are made in the mount.</summary>
internal sealed class NewModelTests : MountFixture
{
    /// <summary>What a trainer of 0.8–0.9 does: training data, components, metadata last; plain open, write, close.</summary>
    private const string Trainer =
        """
        import os, sys, time
        folder, pause = sys.argv[1], float(sys.argv[2])
        os.makedirs(folder)
        for name in ("training_data.json", "intent_classifier.pkl", "ner/model"):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "wb") as stream:
                stream.write(os.urandom(10000))
            time.sleep(pause)
        if len(sys.argv) < 4:
            with open(os.path.join(folder, "metadata.json"), "w") as stream:
                stream.write("{}")
        """;

    [Test]
    [Promise("W4")]
    public void A_trained_model_is_published_once_its_metadata_is_written()
    {
        var mount = Mount(new MountSettings { SettleNew = "600" });
        Actor.Python(Trainer, mount.At("model_20170501-101010"), "0");
        Eventually.True(() => File.Exists(ArchiveOf("model_20170501-101010")), "the new model is published");
        mount.WaitForState("model_20170501-101010", "ready");
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("model_20170501-101010"), copy);
        AssertArchiveHolds("model_20170501-101010", copy);
    }

    [Test]
    [Promise("W4")]
    public void An_unfinished_model_is_not_published_before_it_was_quiet_for_settle_new()
    {
        var mount = Mount(new MountSettings { Settle = "0.1", SettleNew = "3" });
        Actor.Python(Trainer, mount.At("slow"), "0.5", "without-metadata");
        Assert.That(File.Exists(ArchiveOf("slow")), Is.False, "published between two files of a trainer");
        Eventually.True(() => File.Exists(ArchiveOf("slow")), "published after it was quiet");
        Assert.That(MembersOf("slow"), Does.Contain("ner/model"));
    }

    [Test]
    [Promise("W4")]
    public void An_unfinished_model_is_published_at_unmount()
    {
        var mount = Mount(new MountSettings { SettleNew = "600" });
        Actor.Python(Trainer, mount.At("young"), "0", "without-metadata");
        mount.Unmount();
        Assert.That(MembersOf("young"), Is.EqualTo(["intent_classifier.pkl", "ner", "ner/model", "training_data.json"]));
    }

    [Test]
    [Promise("W4")]
    public void Key_and_layout_of_a_new_model_are_those_of_its_place()
    {
        Pack("default___old:B");
        var mount = Mount();
        Actor.Python(Trainer, mount.At("default", "new"), "0");
        mount.Unmount();
        Assert.That(LayoutOf("default___new"), Is.EqualTo("B"));
    }

    [Test]
    [Promise("W4")]
    public void A_new_root_folder_of_a_flat_store_is_a_model_in_layout_A()
    {
        Pack("old:A");
        var mount = Mount();
        Actor.Python(Trainer, mount.At("new"), "0");
        mount.Unmount();
        Assert.That(LayoutOf("new"), Is.EqualTo("A"));
    }

    [Test]
    [Promise("W4")]
    public void A_new_root_folder_can_be_told_to_be_a_project()
    {
        var mount = Mount(new MountSettings { More = ["--layout", "project"] });
        Actor.Python(Trainer, mount.At("support", "first"), "0");
        mount.Unmount();
        Assert.That(StoreKeys(), Is.EqualTo(["support___first.tar.gz"]));
    }

    [Test]
    [Promise("W4")]
    public void A_new_model_survives_the_next_mount_and_is_not_fetched_for_it()
    {
        var local = Tree("bert");
        var mount = Mount();
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Unmount();
        using var opens = new OpenCounter(ArchiveOf("bert"));
        var again = Mount();
        TreeSnapshot.AssertEqual(again.At("bert"), local);
        Assert.That(opens.Count, Is.Zero);
    }
}
