using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The root: what stands there, and that looking at it costs nothing.</summary>
internal sealed class ListingTests : MountFixture
{
    [Test]
    [Promise("N1")]
    public void Every_archive_is_a_folder_and_projects_have_one_of_their_own()
    {
        Pack("bert:A", "default___moodbot:B", "default___other:B", "20211018-094821_composite-pita:D");
        var mount = Mount();
        Assert.That(Names(mount.Root), Is.EqualTo(["20211018-094821_composite-pita", "bert", "default"]));
        Assert.That(Names(mount.At("default")), Is.EqualTo(["moodbot", "other"]));
        Assert.That(File.ReadAllText(mount.At("default", "moodbot", "metadata.json")), Does.Contain("moodbot"));
    }

    [Test]
    [Promise("N2")]
    public void Listing_and_stat_fetch_nothing()
    {
        Pack("bert:A", "default___moodbot:B", "c:C", "d:D");
        string[] archives = [ArchiveOf("bert"), ArchiveOf("default___moodbot"), ArchiveOf("c"), ArchiveOf("d")];
        var mount = Mount();
        using var opens = new OpenCounter(archives);
        Actor.Bash($"ls {mount.Root}; ls -la {mount.Root}; stat {mount.Root}/bert {mount.Root}/default/moodbot; (cd {mount.Root}/bert); find {mount.Root} -maxdepth 1 -printf '%p %T@\\n'; du -d 0 --exclude='*' {mount.Root}");
        Assert.That(Directory.Exists(mount.At("bert")), Is.True);
        Assert.That(opens.Count, Is.Zero, "somebody opened an archive");
        Assert.That(mount.Status().Models.Select(model => model.State), Is.All.EqualTo("absent").And.Exactly(4).Items);
    }

    [Test]
    [Promise("N3")]
    public void A_model_folder_has_the_time_of_its_archive()
    {
        Pack("bert:A");
        var moment = new DateTime(2021, 10, 18, 9, 48, 21, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(ArchiveOf("bert"), moment);
        var mount = Mount();
        Assert.That(Directory.GetLastWriteTimeUtc(mount.At("bert")), Is.EqualTo(moment));
        // Rasa 1.x and later take the newest model by ctime.
        var ctime = Actor.Python("import os, sys; print(int(os.stat(sys.argv[1]).st_ctime))", mount.At("bert")).Output.Trim();
        Assert.That(ctime, Is.EqualTo(new DateTimeOffset(moment).ToUnixTimeSeconds().ToString()));
    }

    [Test]
    [Promise("N4")]
    public void The_root_takes_no_plain_files_and_no_dot_folders()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(Actor.Errno($"open('{mount.At("file.txt")}', 'w')"), Is.EqualTo("EPERM"));
        Assert.That(Actor.Errno($"os.mkdir('{mount.At(".hidden")}')"), Is.EqualTo("EPERM"));
        Assert.That(Actor.Errno($"os.symlink('bert', '{mount.At("latest")}')"), Is.EqualTo("EPERM"));
        Assert.That(Actor.Errno($"open('{mount.At(".gitignore")}')"), Is.EqualTo("ENOENT"));
        Assert.That(Names(mount.Root), Is.EqualTo(["bert"]));
    }

    [Test]
    [Promise("N4")]
    public void The_hidden_status_folder_is_reachable_and_never_listed()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(Actor.Bash($"ls -a {mount.Root}").Lines, Is.EquivalentTo([".", "..", "bert"]));
        Assert.That(File.ReadAllText(mount.At(".modelfs", "status.json")), Does.Contain("\"models\""));
    }

    [Test]
    [Promise("N4")]
    public void Extended_attributes_of_a_model_folder_tell_its_state()
    {
        Requires.Tool("/usr/bin/getfattr");
        Pack("bert:A");
        var mount = Mount();
        Assert.That(Actor.Run("/usr/bin/getfattr", "--only-values", "-n", "user.modelfs.state", mount.At("bert")).Output.Trim(), Is.EqualTo("absent"));
        File.ReadAllText(mount.At("bert", "metadata.json"));
        Assert.That(Actor.Run("/usr/bin/getfattr", "--only-values", "-n", "user.modelfs.state", mount.At("bert")).Output.Trim(), Is.EqualTo("ready"));
    }

    [Test]
    [Promise("N5")]
    public void Names_that_could_not_be_told_from_a_project_are_refused()
    {
        var mount = Mount();
        Assert.That(Actor.Errno($"os.mkdir('{mount.At("a___b")}')"), Is.EqualTo("EINVAL"));
    }

    [Test]
    [Promise("N6")]
    public void Objects_that_are_no_models_are_not_shown()
    {
        Pack("bert:A");
        File.WriteAllText(Path.Combine(StoreFolder, "readme.txt"), "no model");
        File.WriteAllText(Path.Combine(StoreFolder, ".hidden.tar.gz"), "no model");
        Directory.CreateDirectory(Path.Combine(StoreFolder, "folder.tar.gz"));
        var mount = Mount();
        Assert.That(Names(mount.Root), Is.EqualTo(["bert"]));
    }

    [Test]
    [Promise("N7")]
    public void A_model_wins_over_a_project_of_the_same_name()
    {
        Pack("bert:A", "bert___other:B");
        var mount = Mount();
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Does.Contain("\"model\": \"bert\""));
        Assert.That(mount.Status().ToString(), Does.Contain("bert___other"), "the clash is reported");
    }

    [Test]
    [Promise("N8")]
    public void A_model_that_somebody_else_puts_into_the_store_appears_without_remount()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(Names(mount.Root), Is.EqualTo(["bert"]));
        Assert.That(Directory.Exists(mount.At("late")), Is.False);
        Pack("late:B");
        Eventually.True(() => Directory.Exists(mount.At("late")), "a new model appears");
        Eventually.True(() => Names(mount.Root).SequenceEqual(["bert", "late"]), "a new model is listed");
        Assert.That(File.ReadAllText(mount.At("late", "metadata.json")), Does.Contain("late"));
    }

    [Test]
    [Promise("N9")]
    public void The_owner_is_the_mounting_user_unless_told_otherwise()
    {
        Requires.Root();
        Pack("bert:A");
        var mount = Mount(new MountSettings { More = ["--uid", "1234", "--gid", "2345"] });
        Assert.That(Actor.Run("/usr/bin/stat", "-c", "%u %g", mount.At("bert"), mount.At("bert", "metadata.json")).Lines, Is.All.EqualTo("1234 2345"));
    }

    private static string[] Names(string folder) => [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }).Select(entry => entry.Name).Order(StringComparer.Ordinal)];
}
