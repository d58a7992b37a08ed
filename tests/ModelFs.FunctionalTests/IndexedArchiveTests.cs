using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Archives in pieces with an index: what a mount writes, what others make of it, and how old archives become such ones.</summary>
internal sealed class IndexedArchiveTests : MountFixture
{
    private const string ListStream = "import sys, tarfile; print(sorted(m.name for m in tarfile.open(sys.argv[1], sys.argv[2])))";

    [Test]
    [Promise("A1")]
    public void What_a_mount_writes_is_extracted_by_tar_and_python_without_a_file_too_many()
    {
        var local = Tree("bert:kib=9000");
        var mount = Mount();
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Unmount();
        Assert.That(HasIndex("bert"), Is.True);
        Actor.Bash($"mkdir {Folder.At("tar")} && tar -xzf {ArchiveOf("bert")} -C {Folder.At("tar")} && gzip -t {ArchiveOf("bert")}");
        TreeSnapshot.AssertEqual(Folder.At("tar/bert"), local);
        AssertArchiveHolds("bert", local);
    }

    [Test]
    [Promise("A1")]
    public void A_single_member_is_written_for_readers_of_streams()
    {
        var local = Tree("bert");
        var mount = Mount(new MountSettings { More = ["--archive", "single-member", "--compress", "small"] });
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Unmount();
        Assert.That(HasIndex("bert"), Is.False);
        Assert.That(Actor.Python(ListStream, ArchiveOf("bert"), "r|gz").Output, Is.EqualTo(Actor.Python(ListStream, ArchiveOf("bert"), "r:gz").Output));
        AssertArchiveHolds("bert", local);
    }

    [Test]
    [Promise("A2")]
    public void Index_gives_archives_an_index_in_place_and_leaves_those_that_have_one([Values("A", "B", "C", "D")] string layout)
    {
        Pack($"bert:{layout}:odd=yes", "gpt:B");
        var before = RevisionOf("bert");
        Assert.That(Modelfs("index", StoreFolder, "--all", "--dry-run"), Does.Contain("2 archives would be indexed"));
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));

        Assert.That(Modelfs("index", StoreFolder, "bert"), Does.Contain("1 archive indexed"));
        Assert.That(HasIndex("bert"), Is.True);
        Assert.That(HasIndex("gpt"), Is.False);
        Assert.That(LayoutOf("bert"), Is.EqualTo(layout));
        AssertArchiveHolds("bert", Tree("bert:odd=yes"));

        var indexed = RevisionOf("bert");
        Assert.That(Modelfs("index", StoreFolder, "--all"), Does.Contain("1 archive indexed, 1 had an index"));
        Assert.That(RevisionOf("bert"), Is.EqualTo(indexed));
        TreeSnapshot.AssertEqual(Mount().At("bert"), Tree("bert:odd=yes", "again"));
    }

    [Test]
    [Promise("A2")]
    public void What_can_t_be_indexed_stays_as_it_is_and_stops_nothing_else()
    {
        Pack("bert:A", "good:A");
        File.WriteAllBytes(ArchiveOf("bert"), File.ReadAllBytes(ArchiveOf("bert"))[..^100]);
        Actor.Bash($"mkdir {Folder.At("zipped")} && echo x > {Folder.At("zipped/f")} && tar -cf {StoreFolder}/old.tar -C {Folder.At("zipped")} .");
        var before = (RevisionOf("bert"), File.GetLastWriteTimeUtc(Path.Combine(StoreFolder, "old.tar")));
        var run = MountedStore.Modelfs(["index", StoreFolder, "--all"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("bert.tar.gz").And.Contain("damaged"));
        Assert.That(run.Output, Does.Contain("old.tar stays as it is").And.Contain("1 archive indexed, 0 had an index, 1 can't have one, 1 failed"));
        Assert.That((RevisionOf("bert"), File.GetLastWriteTimeUtc(Path.Combine(StoreFolder, "old.tar"))), Is.EqualTo(before));
        Assert.That(HasIndex("good"), Is.True);
        Assert.That(MountedStore.Modelfs(["index", StoreFolder]).ExitCode, Is.EqualTo(2), "no model is named");
        Assert.That(MountedStore.Modelfs(["index", StoreFolder, "nobody"]).ExitCode, Is.EqualTo(1));
    }

    [Test]
    [Promise("A3")]
    public void A_change_of_an_indexed_archive_lists_each_file_once_however_many_came_before()
    {
        var local = Tree("bert:kib=20000");
        var mount = Mount(new MountSettings { Settle = "0.05" });
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Sync();
        for (var edit = 0; edit < 5; edit++)
        {
            File.WriteAllText(mount.At("bert", $"note{edit % 3}.txt"), $"edit {edit}");
            File.WriteAllText(Path.Combine(local, $"note{edit % 3}.txt"), $"edit {edit}");
            mount.Sync("bert");
        }

        Assert.That(mount.Log, Does.Match("[1-9][0-9]{6,} bytes of the archive as they were"), "nothing was taken over: this test has shown nothing");
        Assert.That(Actor.Bash($"tar -tzf {ArchiveOf("bert")} | sort | uniq -d").Output, Is.Empty);
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        AssertArchiveHolds("bert", copy);
    }

    private static string Modelfs(params string[] arguments) => MountedStore.Modelfs(arguments).Succeeded().Output;

    /// <summary>The footer is the last thing of an indexed archive; FORMATS has its bytes.</summary>
    private bool HasIndex(string model) => File.ReadAllBytes(ArchiveOf(model)).AsSpan()[^82..].IndexOf("MFSINDEX"u8) == 16;
}
