using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Removing: files go, published models stay unless deletion was allowed.</summary>
internal sealed class RemovalTests : MountFixture
{
    [Test]
    [Promise("N10")]
    public void Removing_a_published_model_is_refused_and_it_comes_back_whole()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        var removing = Actor.Try("/bin/rm", "-rf", mount.At("bert"));
        Assert.That(removing.ExitCode, Is.Not.Zero);
        Assert.That(removing.Error, Does.Contain("Operation not permitted"));
        Eventually.True(() => File.Exists(mount.At("bert", "metadata.json")), "the store's revision shows again");
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert"));
        mount.Unmount();
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }

    [Test]
    [Promise("N10")]
    public void Renaming_a_published_model_is_refused()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(Actor.Errno($"os.rename('{mount.At("bert")}', '{mount.At("other")}')"), Is.EqualTo("EPERM"));
        Assert.That(Directory.Exists(mount.At("bert")), Is.True);
    }

    [Test]
    [Promise("N10")]
    public void A_new_model_that_was_never_published_can_be_removed_and_renamed()
    {
        var mount = Mount(new MountSettings { SettleNew = "600" });
        Directory.CreateDirectory(mount.At("draft", "ner"));
        File.WriteAllText(mount.At("draft", "ner", "model"), "x");
        Actor.Run("/bin/mv", mount.At("draft"), mount.At("final"));
        Directory.CreateDirectory(mount.At("scrap"));
        File.WriteAllText(mount.At("scrap", "file"), "x");
        Actor.Run("/bin/rm", "-r", mount.At("scrap"));
        mount.Unmount();
        Assert.That(StoreKeys(), Is.EqualTo(["final.tar.gz"]));
    }

    [Test]
    [Promise("W13")]
    public void A_change_that_only_removes_is_not_published_at_once_and_is_at_unmount()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        File.Delete(mount.At("bert", "regex_featurizer.json"));
        Eventually.StaysTrue(() => RevisionOf("bert") == before, "a removal waits", TimeSpan.FromSeconds(3));
        mount.Unmount();
        Assert.That(MembersOf("bert"), Does.Not.Contain("regex_featurizer.json").And.Contain("metadata.json"));
    }

    [Test]
    [Promise("W13")]
    public void A_model_without_any_file_is_never_published()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        Actor.Bash($"find {mount.At("bert")} -mindepth 1 -delete");
        mount.Unmount();
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }

    [Test]
    [Promise("N13")]
    public void A_published_model_is_renamed_and_deleted_when_that_is_allowed()
    {
        Pack("bert:A", "moodbot:A", "team___gpt:B");
        var mount = Mount(new MountSettings { More = ["--allow-delete"] });
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        Actor.Run("/bin/mv", mount.At("bert"), mount.At("bert2"));
        Actor.Run("/bin/mv", mount.At("moodbot"), mount.At("team", "moodbot"));
        Assert.That(Actor.Run("/bin/ls", mount.Root).Lines, Is.EqualTo(["bert2", "team"]));
        Assert.That(File.ReadAllText(mount.At("team", "moodbot", "metadata.json")), Does.Contain("moodbot"));
        File.WriteAllText(mount.At("bert2", "notes.txt"), "after");
        Eventually.True(() => StoreKeys().SequenceEqual(["bert2.tar.gz", "team___gpt.tar.gz", "team___moodbot.tar.gz"]), "the store has renamed both");
        mount.Sync();
        Assert.That(File.ReadAllText(mount.At("bert2", "notes.txt")), Is.EqualTo("after"));
        Actor.Run("/bin/rm", "-r", mount.At("bert2"));
        Assert.That(StoreKeys(), Is.EqualTo(["team___gpt.tar.gz", "team___moodbot.tar.gz"]));
        mount.Unmount();
    }
}
