using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>One publish per settled change, counted at the store.</summary>
internal sealed class SettlingTests : MountFixture
{
    [Test]
    [Promise("W14")]
    public void A_copy_of_four_hundred_files_is_one_publish()
    {
        Actor.Python(
            """
            import os, sys
            os.makedirs(sys.argv[1])
            for number in range(400):
                open(os.path.join(sys.argv[1], f"file-{number}"), "w").write(str(number))
            open(os.path.join(sys.argv[1], "metadata.json"), "w").write("{}")
            """,
            Folder.At("local/many"));
        var mount = Mount(new MountSettings { Settle = "1", SettleNew = "30" });
        Actor.Run("/bin/cp", "-a", Folder.At("local/many"), mount.Root);
        Eventually.True(() => mount.StateOf("many") == "ready", "the copy is published by itself");
        Assert.That(mount.Status().Request("store.publish"), Is.EqualTo(1));
        AssertArchiveHolds("many", Folder.At("local/many"));
        mount.Unmount();
    }

    [Test]
    [Promise("W14")]
    public void A_temporary_file_that_was_renamed_by_then_is_never_published()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "2" });
        for (var save = 0; save < 5; save++)
        {
            File.WriteAllText(mount.At("bert", "notes.txt.tmp"), $"save {save}");
            File.Move(mount.At("bert", "notes.txt.tmp"), mount.At("bert", "notes.txt"), overwrite: true);
        }

        Eventually.True(() => mount.StateOf("bert") == "ready", "the saves are published");
        Assert.That(mount.Status().Request("store.publish"), Is.EqualTo(1));
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt").And.Not.Contain("notes.txt.tmp"));
    }

    [Test]
    [Promise("W15")]
    public void A_model_that_a_program_keeps_open_for_long_is_named()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { More = ["--max-unsettled", "1"] });
        using (File.Create(mount.At("bert", "log")))
        {
            Eventually.True(() => mount.Status().Warnings.Any(warning => warning.Contains("bert", StringComparison.Ordinal) && warning.Contains("log is open for writing", StringComparison.Ordinal)), "the status warns");
            Eventually.True(() => mount.Log.Contains("bert has had changes for 1 s that are not published: log is open for writing", StringComparison.Ordinal), "the log warns");
        }

        Eventually.True(() => mount.StateOf("bert") == "ready", "it is published once it is closed");
        Assert.That(mount.Status().Warnings, Is.Empty);
    }

    [Test]
    [Promise("C5")]
    public void Models_are_warmed_pinned_and_evicted_when_told()
    {
        Pack("bert:A", "moodbot:B");
        var mount = Mount();
        MountedStore.Modelfs(["warm", mount.Root, "bert"]).Succeeded();
        Assert.That(mount.StateOf("bert"), Is.EqualTo("ready"));
        Assert.That(mount.StateOf("moodbot"), Is.EqualTo("absent"));
        MountedStore.Modelfs(["evict", mount.At("bert")]).Succeeded();
        Assert.That(mount.StateOf("bert"), Is.EqualTo("absent"));
        MountedStore.Modelfs(["pin", mount.Root, "moodbot"]).Succeeded();
        Assert.That(File.ReadAllText(mount.At(".modelfs", "models", "moodbot.json")), Does.Contain("\"state\":\"ready\"").And.Contain("\"pinned\":true"));
        Assert.That(MountedStore.Modelfs(["evict", mount.Root, "moodbot"]).Error, Does.Contain("is pinned"));
        MountedStore.Modelfs(["pin", "--off", mount.Root, "moodbot"]).Succeeded();
        MountedStore.Modelfs(["evict", mount.Root, "moodbot"]).Succeeded();
        using (var log = File.Create(mount.At("bert", "log")))
        {
            Assert.That(MountedStore.Modelfs(["evict", mount.Root, "bert"]).ExitCode, Is.EqualTo(75));
        }

        mount.Unmount();
        Assert.That(MembersOf("bert"), Does.Contain("log"));
    }
}
