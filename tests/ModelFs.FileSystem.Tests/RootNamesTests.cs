using System.Text;
using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>The names above models (DESIGN, section 2).</summary>
internal sealed class RootNamesTests
{
    private static byte[] Any => SampleArchive.Of(("metadata.json", "{}"));

    [Test]
    public async Task The_root_lists_models_and_projects_and_fetches_nothing()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any), ("team___gpt.tar.gz", Any), ("team___elmo.tar.gz", Any));
        Assert.That(await rig.ListAsync(1), Is.EqualTo(new[] { "bert", "team" }));
        Assert.That(await rig.ListAsync((await rig.LookupAsync("team")).Id), Is.EqualTo(new[] { "elmo", "gpt" }));
        var model = await rig.LookupAsync("team/gpt");
        Assert.That(FileSystemMode(model), Is.EqualTo(FileStatus.TypeFolder));
        Assert.That(model.Attributes.ModifiedTime, Is.EqualTo(ModelFs.Models.UnixTime.From(rig.Time.GetUtcNow())), "the store's time");
        Assert.That(rig.Store.Downloads, Is.Zero);
    }

    [Test]
    public async Task The_control_folder_is_there_and_never_listed()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any));
        Assert.That(await rig.ListAsync(1), Is.EqualTo(new[] { "bert" }));
        Assert.That(await rig.ListAsync((await rig.LookupAsync(".modelfs")).Id), Is.EqualTo(new[] { "conflicts", "history", "models", "status.json" }));
        Assert.That(await rig.ReadFileAsync((await rig.LookupAsync(".modelfs/status.json")).Id), Is.EqualTo("{}"));
        var status = (await rig.LookupAsync(".modelfs/status.json")).Id;
        Assert.That((await rig.FileSystem.OpenAsync(status, forWriting: true, truncate: false, rig.Request())).Error, Is.EqualTo(Errno.EROFS));
    }

    [TestCase(".hidden", Errno.EPERM)]
    [TestCase(".modelfs", Errno.EPERM)]
    [TestCase("a___b", Errno.EINVAL)]
    [TestCase("bert", Errno.EEXIST)]
    [TestCase("team", Errno.EEXIST)]
    public async Task A_folder_of_such_a_name_is_refused(string name, Errno error)
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any), ("team___gpt.tar.gz", Any));
        Assert.That((await rig.FileSystem.MakeFolderAsync(1, name, 0x1ED, rig.Request(), CancellationToken.None)).Error, Is.EqualTo(error));
    }

    [Test]
    public async Task Names_with_a_leading_dot_are_never_looked_up_in_the_store()
    {
        var listings = 0;
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any));
        rig.Store.BeforeList = () =>
        {
            Interlocked.Increment(ref listings);
            return Task.CompletedTask;
        };
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(await rig.LookupErrorAsync(1, ".git"), Is.EqualTo(Errno.ENOENT));
        Assert.That(await rig.LookupErrorAsync(1, "a___b"), Is.EqualTo(Errno.ENOENT));
        Assert.That(Volatile.Read(ref listings), Is.Zero);
        Assert.That(await rig.LookupErrorAsync(1, "late"), Is.EqualTo(Errno.ENOENT));
        await FileSystemRig.UntilAsync(() => Volatile.Read(ref listings) == 1, "a look at the store for a name that may arrive late");
    }

    [Test]
    public async Task Neither_files_nor_links_can_be_made_above_models()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any), ("team___gpt.tar.gz", Any));
        foreach (var folder in new[] { 1UL, (await rig.LookupAsync("team")).Id, (await rig.LookupAsync(".modelfs")).Id })
        {
            Assert.That((await rig.TryCreateAsync(folder, "file", rig.Request())).Error, Is.EqualTo(Errno.EPERM));
            Assert.That((await rig.FileSystem.MakeFileAsync(folder, "file", 0x1A4, rig.Request(), CancellationToken.None)).Error, Is.EqualTo(Errno.EPERM));
            Assert.That((await rig.FileSystem.MakeLinkAsync(folder, "link", "bert", rig.Request(), CancellationToken.None)).Error, Is.EqualTo(Errno.EPERM));
            Assert.That(await rig.FileSystem.UnlinkAsync(folder, "bert", rig.Request()), Is.EqualTo(Errno.EPERM));
        }
    }

    [Test]
    public async Task In_a_flat_layout_a_new_folder_is_a_model()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any));
        var model = await rig.MakeFolderAsync(1, "gpt");
        await rig.WriteFileAsync(model, "metadata.json", "{}");
        await rig.Cache.SyncAsync(null, CancellationToken.None);
        Assert.That(rig.Store.Keys, Does.Contain("gpt.tar.gz"));
        Assert.That(await rig.ListAsync(1), Is.EqualTo(new[] { "bert", "gpt" }));
    }

    [Test]
    public async Task In_a_project_layout_a_new_folder_is_a_project_and_one_inside_a_model()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("team___gpt.tar.gz", Any));
        var project = await rig.MakeFolderAsync(1, "other");
        Assert.That(await rig.ListAsync(project), Is.Empty);
        var model = await rig.MakeFolderAsync(project, "bert");
        await rig.WriteFileAsync(model, "metadata.json", "{}");
        await rig.Cache.SyncAsync(null, CancellationToken.None);
        Assert.That(rig.Store.Keys, Does.Contain("other___bert.tar.gz"));
        Assert.That(await rig.FileSystem.RemoveFolderAsync(1, "other", rig.Request(), CancellationToken.None), Is.EqualTo(Errno.ENOTEMPTY));
        await rig.MakeFolderAsync(1, "unused");
        Assert.That(await rig.FileSystem.RemoveFolderAsync(1, "unused", rig.Request(), CancellationToken.None), Is.EqualTo(Errno.None));
        Assert.That(await rig.LookupErrorAsync(1, "unused"), Is.EqualTo(Errno.ENOENT));
    }

    [Test]
    public async Task A_published_model_is_neither_removed_nor_renamed_without_the_right()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any), ("gpt.tar.gz", Any));
        Assert.That(await rig.FileSystem.RemoveFolderAsync(1, "bert", rig.Request(), CancellationToken.None), Is.EqualTo(Errno.EPERM));
        Assert.That(await rig.FileSystem.RenameAsync(1, "bert", 1, "new", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.EPERM));
        var bert = (await rig.LookupAsync("bert")).Id;
        await rig.LookupAsync("bert/metadata.json");
        Assert.That(await rig.FileSystem.RemoveFolderAsync(1, "bert", rig.Request(), CancellationToken.None), Is.EqualTo(Errno.ENOTEMPTY));
        Assert.That(await rig.FileSystem.UnlinkAsync(bert, "metadata.json", rig.Request()), Is.EqualTo(Errno.None));
        var refused = await Assert.ThrowsAsync<ModelException>(() => rig.FileSystem.RemoveFolderAsync(1, "bert", rig.Request(), CancellationToken.None).AsTask());
        Assert.That(refused!.Kind, Is.EqualTo(ModelErrorKind.NotPermitted));
        Assert.That(await rig.ReadFileAsync((await rig.LookupAsync("bert/metadata.json")).Id), Is.EqualTo("{}"), "the store's version shows again");
    }

    [Test]
    public async Task Files_are_not_renamed_across_models()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any), ("gpt.tar.gz", Any));
        await rig.LookupAsync("bert/metadata.json");
        await rig.LookupAsync("gpt/metadata.json");
        var (from, to) = ((await rig.LookupAsync("bert")).Id, (await rig.LookupAsync("gpt")).Id);
        Assert.That(await rig.FileSystem.RenameAsync(from, "metadata.json", to, "moved", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.EXDEV));
        Assert.That(await rig.FileSystem.RenameAsync(from, "metadata.json", 1, "moved", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.EXDEV));
    }

    [Test]
    public async Task A_read_only_mount_refuses_every_change()
    {
        await using var rig = await FileSystemRig.StartAsync(options => options with { ReadOnly = true }, new FileSystemOptions { ReadOnly = true }, ("bert.tar.gz", Any));
        var file = (await rig.LookupAsync("bert/metadata.json")).Id;
        var bert = (await rig.LookupAsync("bert")).Id;
        Assert.That((await rig.FileSystem.OpenAsync(file, forWriting: true, truncate: false, rig.Request())).Error, Is.EqualTo(Errno.EROFS));
        Assert.That((await rig.FileSystem.OpenAsync(file, forWriting: false, truncate: true, rig.Request())).Error, Is.EqualTo(Errno.EROFS));
        Assert.That((await rig.TryCreateAsync(bert, "file", rig.Request())).Error, Is.EqualTo(Errno.EROFS));
        Assert.That((await rig.FileSystem.MakeFolderAsync(bert, "folder", 0x1ED, rig.Request(), CancellationToken.None)).Error, Is.EqualTo(Errno.EROFS));
        Assert.That((await rig.FileSystem.MakeFolderAsync(1, "model", 0x1ED, rig.Request(), CancellationToken.None)).Error, Is.EqualTo(Errno.EROFS));
        Assert.That(await rig.FileSystem.UnlinkAsync(bert, "metadata.json", rig.Request()), Is.EqualTo(Errno.EROFS));
        Assert.That(await rig.FileSystem.RenameAsync(bert, "metadata.json", bert, "x", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.EROFS));
        Assert.That((await rig.FileSystem.SetAttributesAsync(file, new FsChange(null, 0x180, null, null, null), CancellationToken.None)).Error, Is.EqualTo(Errno.EROFS));
        Assert.That(await rig.ReadFileAsync(file), Is.EqualTo("{}"));
    }

    [Test]
    public async Task A_version_that_lost_is_shown_whole_and_read_only()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any));
        await rig.LookupAsync("bert/metadata.json");
        await rig.WriteFileAsync((await rig.LookupAsync("bert")).Id, "mine", "my work");
        rig.Store.Put("bert.tar.gz", SampleArchive.Of(("theirs", "x")));
        await Assert.ThrowsAsync<ModelException>(() => rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None));

        var conflicts = (await rig.LookupAsync(".modelfs/conflicts")).Id;
        var name = (await rig.ListAsync(conflicts)).Single();
        var kept = (await rig.LookupAsync(".modelfs/conflicts/" + name)).Id;
        Assert.That(await rig.ReadFileAsync((await rig.LookupAsync($".modelfs/conflicts/{name}/mine")).Id), Is.EqualTo("my work"));
        Assert.That((await rig.TryCreateAsync(kept, "more", rig.Request())).Error, Is.EqualTo(Errno.EROFS));
        Assert.That(await rig.ListAsync((await rig.LookupAsync("bert")).Id), Is.EqualTo(new[] { "theirs" }));
    }

    [Test]
    public async Task What_was_looked_up_before_its_version_lost_is_to_be_looked_up_again()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any));
        var bert = (await rig.LookupAsync("bert")).Id;
        var file = (await rig.LookupAsync("bert/metadata.json")).Id;
        await rig.WriteFileAsync(bert, "mine", "my work");
        rig.Store.Put("bert.tar.gz", SampleArchive.Of(("theirs", "x")));
        await Assert.ThrowsAsync<ModelException>(() => rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None));

        var opening = await Assert.ThrowsAsync<ModelException>(() => rig.FileSystem.OpenAsync(file, forWriting: true, truncate: false, rig.Request()).AsTask());
        Assert.That(opening!.Kind, Is.EqualTo(ModelErrorKind.Conflict));
        var removing = await Assert.ThrowsAsync<ModelException>(() => rig.FileSystem.UnlinkAsync(bert, "mine", rig.Request()).AsTask());
        Assert.That(removing!.Kind, Is.EqualTo(ModelErrorKind.Conflict));
    }

    [Test]
    public async Task The_attributes_of_a_model_tell_where_it_stands()
    {
        await using var rig = await FileSystemRig.StartAsync(null, null, ("bert.tar.gz", Any));
        var bert = (await rig.LookupAsync("bert")).Id;
        Assert.That(Attribute(rig, bert, "state"), Is.EqualTo("absent"));
        var file = (await rig.LookupAsync("bert/metadata.json")).Id;
        Assert.That(Attribute(rig, bert, "state"), Is.EqualTo("ready"));
        Assert.That(Attribute(rig, bert, "revision"), Is.EqualTo(rig.Store.Revision("bert.tar.gz")));
        await rig.WriteFileAsync(bert, "more", "x");
        Assert.That(Attribute(rig, bert, "state"), Is.EqualTo("dirty"));
        Assert.That(await rig.FileSystem.SetXattrAsync(bert, "user.modelfs.sync", "1", CancellationToken.None), Is.EqualTo(Errno.None));
        Assert.That(Attribute(rig, bert, "state"), Is.EqualTo("ready"));
        Assert.That(rig.FileSystem.GetXattr(file, "user.modelfs.state").Error, Is.EqualTo(Errno.ENODATA));
        Assert.That(await rig.FileSystem.SetXattrAsync(file, "user.comment", "x", CancellationToken.None), Is.EqualTo(Errno.ENOTSUP));
        Assert.That(rig.FileSystem.ListXattrs(bert), Does.Contain("user.modelfs.last_error"));
    }

    private static uint FileSystemMode(FsEntry entry) => entry.Attributes.Mode & FileStatus.TypeMask;

    private static string Attribute(FileSystemRig rig, ulong id, string name) => Encoding.UTF8.GetString(rig.FileSystem.GetXattr(id, "user.modelfs." + name).Value);

    [Test]
    public async Task A_renamed_model_goes_on_under_its_new_name_also_when_the_request_is_sent_again([Values] bool takeOver)
    {
        await using var rig = await FileSystemRig.StartAsync();
        var folder = await rig.MakeFolderAsync(1, "a");
        var file = await rig.WriteFileAsync(folder, "text", "one");
        var request = rig.Request();
        Assert.That(await rig.FileSystem.RenameAsync(1, "a", 1, "b", RenameKind.Replace, request), Is.EqualTo(Errno.None));
        if (takeOver)
        {
            await rig.TakeOverAsync();
            Assert.That(await rig.FileSystem.RenameAsync(1, "a", 1, "b", RenameKind.Replace, request with { IsResent = true }), Is.EqualTo(Errno.None));
        }

        Assert.That(await rig.LookupErrorAsync(1, "a"), Is.EqualTo(Errno.ENOENT));
        Assert.That((await rig.LookupAsync("b")).Id, Is.EqualTo(folder));
        Assert.That((await rig.LookupAsync("b/text")).Id, Is.EqualTo(file));
        Assert.That(await rig.ReadFileAsync(file), Is.EqualTo("one"));
        await rig.WriteFileAsync(folder, "more", "two");
        Assert.That(await rig.ListAsync(folder), Is.EqualTo(new[] { "more", "text" }));
        Assert.That(await rig.FileSystem.RenameAsync(1, "b", 1, "b___c", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.EINVAL));
        Assert.That(await rig.FileSystem.RenameAsync(1, "b", 1, ".b", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.EPERM));
        await rig.MakeFolderAsync(1, "other");
        Assert.That(await rig.FileSystem.RenameAsync(1, "b", 1, "other", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.ENOTEMPTY));
        Assert.That(await rig.FileSystem.RenameAsync(1, "missing", 1, "x", RenameKind.Replace, rig.Request()), Is.EqualTo(Errno.ENOENT));
    }
}
