using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.Undo;

/// <summary>Undo with copies beside a folder store.</summary>
internal sealed class FolderUndoTests : UndoContract
{
    protected override string Address => StoreFolder;

    [TestCase(null, 1)]
    [TestCase("0", 0)]
    [TestCase("2", 2)]
    [Promise("U4")]
    public void As_many_versions_are_kept_as_was_asked_for(string? option, int count)
    {
        AssertKept(option, count, versions: 5);
        Assert.That(StoreKeys(), Is.EqualTo(["bert.tar.gz"]));
    }

    [Test]
    [Promise("U4")]
    public void Programs_that_list_the_store_s_folder_see_no_kept_archive()
    {
        var mount = MountModel("bert");
        Publish(mount, "bert", "notes.txt", "second version");
        Assert.That(History(mount.Root, "bert"), Has.Count.EqualTo(2));
        Assert.That(Actor.Bash("ls; echo *; echo *.tar.gz", StoreFolder).Lines, Is.All.EqualTo("bert.tar.gz"));
        Assert.That(Actor.Python("import glob, os, sys; print(glob.glob(os.path.join(sys.argv[1], '*')))", StoreFolder).Output, Does.Not.Contain("kept"));
    }

    [Test]
    [Promise("U2")]
    public void Programs_that_read_the_version_that_is_restored_over_read_it_to_the_end()
    {
        var mount = MountModel("bert");
        Publish(mount, "bert", "notes.txt", "second version");
        using var open = File.OpenText(mount.At("bert", "notes.txt"));
        Undo("restore", mount.Root, $"bert@{History(mount.Root, "bert")[1].Revision}");
        Assert.That(open.ReadToEnd(), Is.EqualTo("second version"));
        open.Close();
        Eventually.True(() => !File.Exists(mount.At("bert", "notes.txt")), "the first version is shown once nobody reads the second");
    }

    [Test]
    [Promise("U3")]
    public void A_read_only_mount_lists_and_does_not_restore()
    {
        var writer = MountModel("bert");
        Publish(writer, "bert", "notes.txt", "second version");
        writer.Unmount();
        var mount = Mount(new MountSettings { More = ["--read-only"] }, Address);
        var versions = History(mount.Root, "bert");
        var refused = TryUndo("restore", mount.Root, $"bert@{versions[1].Revision}");
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("read-only"));
        Assert.That(History(mount.Root, "bert"), Is.EqualTo(versions));
    }

    [Test]
    [Promise("U1")]
    public void Models_of_projects_and_paths_in_a_mount_are_understood()
    {
        Pack("default___mood:B");
        var mount = Mount();
        Publish(mount, "default/mood", "notes.txt", "second version");
        Assert.That(History(mount.Root, "default/mood"), Has.Count.EqualTo(2));
        Assert.That(Undo("history", mount.At("default", "mood")).Output, Does.Contain("replaced"));
        Undo("restore", mount.At("default", "mood") + "@2");
        Eventually.True(() => !File.Exists(mount.At("default", "mood", "notes.txt")), "the beginning of a revision was enough", pause: TimeSpan.FromSeconds(1));
    }
}
