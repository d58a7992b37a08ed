using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>The files of a model that was only listed come to stand in the background; nobody sees a tree in which some are missing.</summary>
internal sealed class TreeMakingTests
{
    private static readonly byte[] s_many = IndexedArchive.Of("bert", [.. Enumerable.Range(0, 300).Select(number => ($"nlu/{number:D3}", new byte[] { (byte)number })), ("metadata.json", "{}"u8.ToArray())]);

    private static readonly TreeEntry[] s_tree =
    [
        Folder(""), Folder("a"), File("a.txt"), File("a/1"), File("a/2"), Folder("b"), File("b/1"), File("c"),
    ];

    [Test]
    public async Task What_a_folder_will_hold_is_known_before_it_stands()
    {
        using var home = new TemporaryFolder();
        var making = Start(home.Path);
        Assert.That(making.EntriesIn("").Select(entry => entry.Path), Is.EqualTo(new[] { "a", "a.txt", "b", "c" }));
        Assert.That(making.EntriesIn("a").Select(entry => entry.Path), Is.EqualTo(new[] { "a/1", "a/2" }));
        await making.Completion;
    }

    [Test]
    public async Task Who_waits_for_a_name_finds_it_and_all_before_it()
    {
        using var home = new TemporaryFolder();
        var making = Start(home.Path);
        await making.ReachAsync("a/2", CancellationToken.None);
        Assert.That(System.IO.File.Exists(home.Path + "/content/a/1") && System.IO.File.Exists(home.Path + "/content/a/2"), Is.True);
        await making.Completion;
        Assert.That(making.IsDone, Is.True);
        Assert.That(System.IO.File.Exists(home.Path + "/content/c"), Is.True);
        Assert.That(TreeMaking.IsUnfinished(home.Path), Is.False);
    }

    [Test]
    public async Task A_disk_that_refuses_is_told_to_whoever_waits_and_to_whoever_comes_later()
    {
        using var home = new TemporaryFolder();
        var making = Start(home.Path, spoil: () => Directory.Delete(home.Path + "/content/b"));
        Assert.That(async () => await making.Completion, Throws.InstanceOf<ModelException>());
        Assert.That(async () => await making.ReachAsync("c", CancellationToken.None), Throws.InstanceOf<ModelException>().With.Message.Contains("content/b/1"));
        Assert.That(TreeMaking.IsUnfinished(home.Path), Is.True);
        Assert.That(TreeMaking.TryFinish(home.Path, s_tree), Is.False);

        Directory.CreateDirectory(home.Path + "/content/b");
        Assert.That(TreeMaking.TryFinish(home.Path, s_tree), Is.True);
        Assert.That(System.IO.File.Exists(home.Path + "/content/b/1") && System.IO.File.Exists(home.Path + "/content/c"), Is.True);
    }

    [Test]
    public async Task Nothing_is_made_of_a_copy_that_is_given_up()
    {
        using var home = new TemporaryFolder();
        var making = Begin(home.Path);
        making.Abandon();
        Assert.That(making.Completion.IsCompleted, Is.True);
        Directory.Delete(home.Path + "/content", recursive: true);
        Assert.That(async () => await making.Completion, Throws.InstanceOf<ModelException>());
        Assert.That(Directory.Exists(home.Path + "/content"), Is.False);
    }

    [Test]
    public async Task A_copy_may_be_renamed_while_its_files_are_made()
    {
        using var home = new TemporaryFolder();
        var making = Begin(home.Path + "/staged");
        Directory.Move(home.Path + "/staged", home.Path + "/committed");
        making.NoteCommitted(home.Path + "/committed");
        await making.Completion;
        Assert.That(System.IO.File.Exists(home.Path + "/committed/content/a/2"), Is.True);
        Assert.That(TreeMaking.IsUnfinished(home.Path + "/committed"), Is.False);
    }

    [Test]
    public void A_disk_on_which_two_names_are_one_is_refused()
    {
        using var home = new TemporaryFolder();
        var making = Start(home.Path, spoil: () => System.IO.File.WriteAllText(home.Path + "/content/c", "another name of it"));
        Assert.That(async () => await making.Completion, Throws.InstanceOf<ModelException>().With.Message.Contains("content/c"));
    }

    [Test]
    public async Task What_a_dead_daemon_did_not_come_to_is_made_by_the_next()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", s_many));
        var copy = await rig.AcquireAsync("bert");
        var stands = Inode(copy, "nlu/000");
        await rig.StopAsync();
        TreeMaking.Mark(copy.Folder);
        for (var number = 100; number < 300; number++)
        {
            System.IO.File.Delete($"{copy.Content}/nlu/{number:D3}");
        }

        await rig.StartAsync();
        copy = await rig.AcquireAsync("bert");
        Assert.That(Directory.GetFiles(copy.Content + "/nlu"), Has.Length.EqualTo(300));
        Assert.That(Inode(copy, "nlu/000"), Is.EqualTo(stands), "what stood is left as it was");
        Assert.That(TreeMaking.IsUnfinished(copy.Folder), Is.False);
        await rig.Cache.PrepareReadAsync(copy, "nlu/200", CancellationToken.None);
        Assert.That(System.IO.File.ReadAllBytes(copy.Content + "/nlu/200"), Is.EqualTo(new byte[] { 200 }));
    }

    [Test]
    public async Task A_copy_for_listing_is_the_model_s_copy_once_all_of_it_stands()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", s_many));
        var early = await rig.Cache.AcquireForListingAsync(rig.Model("bert"), CancellationToken.None);
        var copy = await rig.AcquireAsync("bert");
        Assert.That(copy, Is.SameAs(early));
        Assert.That(copy.Making, Is.Null);
        Assert.That(Directory.GetFiles(copy.Content + "/nlu"), Has.Length.EqualTo(300));
    }

    [Test]
    public async Task A_change_and_a_read_wait_until_the_tree_stands()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", s_many));
        var copy = await rig.Cache.AcquireForListingAsync(rig.Model("bert"), CancellationToken.None);
        await rig.Cache.PrepareReadAsync(copy, "nlu/299", CancellationToken.None);
        Assert.That(System.IO.File.ReadAllBytes(copy.Content + "/nlu/299"), Is.EqualTo(new byte[] { 299 % 256 }));
        await rig.WriteAsync(copy, "nlu/298", "changed");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        await CacheRig.UntilCleanAsync(copy);
    }

    private static ulong Inode(ModelCopy copy, string path)
    {
        Assert.That(PosixFile.Stat($"{copy.Content}/{path}", out var status), Is.EqualTo(Errno.None));
        return status.Inode;
    }

    private static TreeMaking Start(string folder, Action? spoil = null)
    {
        var making = Begin(folder, spoil);
        making.NoteCommitted(folder);
        return making;
    }

    private static TreeMaking Begin(string folder, Action? spoil = null)
    {
        Directory.CreateDirectory(folder + "/content");
        HollowTree.MakeFolders(folder + "/content", s_tree);
        TreeMaking.Mark(folder);
        spoil?.Invoke();
        return TreeMaking.Start(folder, s_tree, CancellationToken.None);
    }

    private static TreeEntry Folder(string path) => new(path, TreeEntryType.Directory, 0x1ED, IndexedArchive.Modified);

    private static TreeEntry File(string path) => new(path, TreeEntryType.File, 0x1A4, IndexedArchive.Modified, 5);
}
