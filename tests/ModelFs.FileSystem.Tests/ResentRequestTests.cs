using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>The kernel sends a request again that a dead daemon did not answer: what took effect is a success, and takes effect once.</summary>
internal sealed class ResentRequestTests
{
    private FileSystemRig _rig = null!;
    private ulong _model;

    private ModelFileSystem FileSystem => _rig.FileSystem;

    [SetUp]
    public async Task Start()
    {
        _rig = await FileSystemRig.StartAsync(objects: ("m.tar.gz", SampleArchive.Of(("one", "1"), ("two", "2"), ("full/file", "x"))));
        _model = (await _rig.LookupAsync("m")).Id;
    }

    [TearDown]
    public async Task Stop() => await _rig.DisposeAsync();

    [Test]
    public async Task A_create_gives_the_same_file_and_the_handle_that_the_dead_daemon_made()
    {
        var request = _rig.Request();
        var before = await _rig.TryCreateAsync(_model, "new", request);
        await _rig.TakeOverAsync();
        var after = await _rig.TryCreateAsync(_model, "new", request with { IsResent = true });
        Assert.That(after.Error, Is.EqualTo(Errno.None));
        Assert.That(after.Value.Entry.Id, Is.EqualTo(before.Value.Entry.Id));
        Assert.That(after.Value.Opened.Handle, Is.EqualTo(before.Value.Opened.Handle));
        Assert.That(after.Value.Opened.IsInherited, Is.True);
        FileSystem.Release(after.Value.Opened.Handle);
        Assert.That(_rig.Model("m").Copy!.OpenWriters, Is.Zero, "no writer is left that nobody will close");
        Assert.That((await _rig.TryCreateAsync(_model, "new", _rig.Request())).Error, Is.EqualTo(Errno.EEXIST));
    }

    [Test]
    public async Task An_open_for_writing_is_counted_once()
    {
        var file = (await _rig.LookupAsync("m/one")).Id;
        var request = _rig.Request();
        await FileSystem.OpenAsync(file, forWriting: true, truncate: true, request);
        await _rig.TakeOverAsync();
        var opened = await FileSystem.OpenAsync(file, forWriting: true, truncate: true, request with { IsResent = true });
        Assert.That(_rig.Model("m").Copy!.OpenWriters, Is.EqualTo(1));
        FileSystem.Release(opened.Value.Handle);
        Assert.That(_rig.Model("m").Copy!.OpenWriters, Is.Zero);
    }

    [Test]
    public async Task Making_a_folder_or_a_link_that_is_made_already_succeeds()
    {
        var (folder, link) = (_rig.Request(), _rig.Request());
        var madeFolder = await FileSystem.MakeFolderAsync(_model, "folder", 0x1ED, folder, CancellationToken.None);
        var madeLink = await FileSystem.MakeLinkAsync(_model, "link", "one", link, CancellationToken.None);
        await _rig.TakeOverAsync();
        var folderAgain = await FileSystem.MakeFolderAsync(_model, "folder", 0x1ED, folder with { IsResent = true }, CancellationToken.None);
        var linkAgain = await FileSystem.MakeLinkAsync(_model, "link", "one", link with { IsResent = true }, CancellationToken.None);
        Assert.That((folderAgain.Error, folderAgain.Value.Id), Is.EqualTo((Errno.None, madeFolder.Value.Id)));
        Assert.That((linkAgain.Error, linkAgain.Value.Id), Is.EqualTo((Errno.None, madeLink.Value.Id)));
        Assert.That((await FileSystem.MakeFolderAsync(_model, "folder", 0x1ED, _rig.Request(), CancellationToken.None)).Error, Is.EqualTo(Errno.EEXIST));
        Assert.That((await FileSystem.MakeLinkAsync(_model, "link", "one", _rig.Request(), CancellationToken.None)).Error, Is.EqualTo(Errno.EEXIST));
    }

    [Test]
    public async Task A_name_that_somebody_else_made_is_in_the_way_of_a_resent_request_too()
    {
        await _rig.TakeOverAsync();
        var request = _rig.Request() with { IsResent = true };
        Assert.That((await FileSystem.MakeFolderAsync(_model, "one", 0x1ED, request, CancellationToken.None)).Error, Is.EqualTo(Errno.EEXIST));
        Assert.That((await _rig.TryCreateAsync(_model, "one", _rig.Request() with { IsResent = true })).Error, Is.EqualTo(Errno.EEXIST));
    }

    [Test]
    public async Task Removing_what_is_removed_already_succeeds()
    {
        await _rig.LookupAsync("m/one");
        var folder = await _rig.MakeFolderAsync(_model, "empty");
        Assert.That(folder, Is.Not.Zero);
        var (unlink, rmdir) = (_rig.Request(), _rig.Request());
        Assert.That(await FileSystem.UnlinkAsync(_model, "one", unlink), Is.EqualTo(Errno.None));
        Assert.That(await FileSystem.RemoveFolderAsync(_model, "empty", rmdir, CancellationToken.None), Is.EqualTo(Errno.None));
        await _rig.TakeOverAsync();
        Assert.That(await FileSystem.UnlinkAsync(_model, "one", unlink with { IsResent = true }), Is.EqualTo(Errno.None));
        Assert.That(await FileSystem.RemoveFolderAsync(_model, "empty", rmdir with { IsResent = true }, CancellationToken.None), Is.EqualTo(Errno.None));
        Assert.That(await FileSystem.UnlinkAsync(_model, "one", _rig.Request()), Is.EqualTo(Errno.ENOENT));
        Assert.That(await FileSystem.UnlinkAsync(_model, "never", _rig.Request() with { IsResent = true }), Is.EqualTo(Errno.ENOENT));
    }

    [Test]
    public async Task Removing_a_model_that_is_removed_already_succeeds()
    {
        await _rig.MakeFolderAsync(1, "fresh");
        var request = _rig.Request();
        Assert.That(await FileSystem.RemoveFolderAsync(1, "fresh", request, CancellationToken.None), Is.EqualTo(Errno.None));
        await _rig.TakeOverAsync();
        Assert.That(await FileSystem.RemoveFolderAsync(1, "fresh", request with { IsResent = true }, CancellationToken.None), Is.EqualTo(Errno.None));
        Assert.That(await FileSystem.RemoveFolderAsync(1, "fresh", _rig.Request(), CancellationToken.None), Is.EqualTo(Errno.ENOENT));
    }

    [Test]
    public async Task A_rename_that_is_done_leaves_the_file_where_it_is_and_readable_by_its_inode()
    {
        var one = (await _rig.LookupAsync("m/one")).Id;
        await _rig.LookupAsync("m/two");
        var request = _rig.Request();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Replace, request), Is.EqualTo(Errno.None));
        await _rig.TakeOverAsync();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Replace, request with { IsResent = true }), Is.EqualTo(Errno.None));
        Assert.That(await _rig.ReadFileAsync(one), Is.EqualTo("1"));
        Assert.That((await _rig.LookupAsync("m/two")).Id, Is.EqualTo(one));
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Replace, _rig.Request()), Is.EqualTo(Errno.ENOENT));
    }

    [Test]
    public async Task An_exchange_that_is_done_is_not_undone()
    {
        var one = (await _rig.LookupAsync("m/one")).Id;
        var two = (await _rig.LookupAsync("m/two")).Id;
        var request = _rig.Request();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Exchange, request), Is.EqualTo(Errno.None));
        await _rig.TakeOverAsync();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Exchange, request with { IsResent = true }), Is.EqualTo(Errno.None));
        Assert.That((await _rig.LookupAsync("m/two")).Id, Is.EqualTo(one));
        Assert.That((await _rig.LookupAsync("m/one")).Id, Is.EqualTo(two));
        Assert.That((await _rig.ReadFileAsync(one), await _rig.ReadFileAsync(two)), Is.EqualTo(("1", "2")));
    }

    [Test]
    public async Task A_rename_over_an_open_file_keeps_both_contents()
    {
        var (one, two) = ((await _rig.LookupAsync("m/one")).Id, (await _rig.LookupAsync("m/two")).Id);
        var open = (await FileSystem.OpenAsync(two, forWriting: false, truncate: false, _rig.Request())).Value.Handle;
        var request = _rig.Request();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Replace, request), Is.EqualTo(Errno.None));
        await _rig.TakeOverAsync();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Replace, request with { IsResent = true }), Is.EqualTo(Errno.None));
        Assert.That(_rig.Read(open), Is.EqualTo("2"));
        Assert.That(await _rig.ReadFileAsync(one), Is.EqualTo("1"));
        FileSystem.Release(open);
        Assert.That(Directory.EnumerateFileSystemEntries(_rig.Model("m").Copy!.Unlinked), Is.Empty);
    }

    [Test]
    public async Task A_daemon_that_died_between_the_two_steps_of_a_rename_over_an_open_file_lost_nothing()
    {
        var (one, two) = ((await _rig.LookupAsync("m/one")).Id, (await _rig.LookupAsync("m/two")).Id);
        var open = (await FileSystem.OpenAsync(two, forWriting: false, truncate: false, _rig.Request())).Value.Handle;
        var request = _rig.Request();
        var content = _rig.Model("m").Copy!.Content;
        PosixFile.Stat(content + "/one", out var source);
        await _rig.TakeOverAsync();

        // What the dead daemon did: its intent, and the first step.
        using (var log = SessionLog.Resume(_rig.SessionLogPath, _ => { }))
        {
            log.Append(new SessionRecord(SessionRecordType.Intent, request.Unique, Signed: (long)source.Inode));
        }

        Assert.That(PosixFile.Rename(content + "/one", content + "/two", 2), Is.EqualTo(Errno.None));
        await _rig.TakeOverAsync();
        Assert.That(await FileSystem.RenameAsync(_model, "one", _model, "two", RenameKind.Replace, request with { IsResent = true }), Is.EqualTo(Errno.None));
        Assert.That(await _rig.ReadFileAsync(one), Is.EqualTo("1"));
        Assert.That(_rig.Read(open), Is.EqualTo("2"));
        Assert.That(await _rig.ListAsync(_model), Is.EqualTo(new[] { "full", "two" }));
    }

    [Test]
    public async Task An_empty_project_survives_the_daemon()
    {
        await using var rig = await FileSystemRig.StartAsync(options => options with { Layout = ModelFs.Cache.NameLayout.Project });
        var project = await rig.MakeFolderAsync(1, "team");
        await rig.TakeOverAsync();
        Assert.That((await rig.LookupAsync("team")).Id, Is.EqualTo(project));
        Assert.That(await rig.ListAsync(1), Is.EqualTo(new[] { "team" }));
        await rig.MakeFolderAsync(project, "gpt");
        Assert.That(await rig.ListAsync(project), Is.EqualTo(new[] { "gpt" }));
    }
}
