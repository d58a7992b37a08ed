using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>How long inodes, handles and the copies behind them live.</summary>
internal sealed class InodeLifeTests
{
    private FileSystemRig _rig = null!;
    private ulong _model;

    private ModelFileSystem FileSystem => _rig.FileSystem;

    [SetUp]
    public async Task Start()
    {
        _rig = await FileSystemRig.StartAsync(objects: ("m.tar.gz", SampleArchive.Of(("one", "1"), ("sub/two", "2"))));
        _model = (await _rig.LookupAsync("m")).Id;
    }

    [TearDown]
    public async Task Stop() => await _rig.DisposeAsync();

    [Test]
    public async Task An_inode_goes_when_it_was_forgotten_as_often_as_it_was_handed_out()
    {
        var first = await _rig.LookupAsync("m/one");
        var second = await FileSystem.LookupAsync(_model, "one", CancellationToken.None);
        Assert.That(second.Value.Id, Is.EqualTo(first.Id));
        FileSystem.Forget(first.Id, 1);
        Assert.That(FileSystem.GetAttributes(first.Id).Error, Is.EqualTo(Errno.None));
        FileSystem.Forget(first.Id, 1);
        Assert.That(FileSystem.GetAttributes(first.Id).Error, Is.EqualTo(Errno.ESTALE));
        Assert.That((await _rig.LookupAsync("m/one")).Id, Is.GreaterThan(first.Id), "ids are never used again");
    }

    [Test]
    public async Task An_open_file_outlives_its_forget_and_goes_with_its_last_handle()
    {
        var file = (await _rig.LookupAsync("m/one")).Id;
        var open = (await FileSystem.OpenAsync(file, forWriting: false, truncate: false, _rig.Request())).Value.Handle;
        FileSystem.Forget(file, 1);
        Assert.That(_rig.Read(open), Is.EqualTo("1"));
        FileSystem.Release(open);
        Assert.That(FileSystem.GetAttributes(file).Error, Is.EqualTo(Errno.ESTALE));
    }

    [Test]
    public async Task The_kernel_may_keep_the_pages_of_a_small_file_until_it_has_had_a_writer()
    {
        var file = (await _rig.LookupAsync("m/one")).Id;
        Assert.That(await MayCacheAsync(file, forWriting: false), Is.True);
        Assert.That(await MayCacheAsync(file, forWriting: true), Is.False);
        Assert.That(await MayCacheAsync(file, forWriting: false), Is.False, "a mapping of the writer may still change it");

        var shortened = (await _rig.LookupAsync("m/sub/two")).Id;
        await FileSystem.SetAttributesAsync(shortened, new FsChange(null, null, 0, null, null), CancellationToken.None);
        Assert.That(await MayCacheAsync(shortened, forWriting: false), Is.False);
    }

    [Test]
    public async Task The_kernel_may_not_keep_the_pages_of_a_large_file_or_of_one_that_a_dead_daemon_knew()
    {
        var limit = (int)new FileSystemOptions().CachedFileBytesMax;
        _rig.Store.Put("n.tar.gz", SampleArchive.Of(("small", new string('a', limit)), ("large", new string('a', limit + 1))));
        await _rig.RemountAsync();
        Assert.That(await MayCacheAsync((await _rig.LookupAsync("n/small")).Id, forWriting: false), Is.True);
        Assert.That(await MayCacheAsync((await _rig.LookupAsync("n/large")).Id, forWriting: false), Is.False);
        await _rig.TakeOverAsync();
        Assert.That(await MayCacheAsync((await _rig.LookupAsync("n/small")).Id, forWriting: false), Is.False);
    }

    [Test]
    public async Task New_files_go_through_the_page_cache_where_many_small_ones_were_made_until_one_is_large()
    {
        var folder = (await FileSystem.MakeFolderAsync(_model, "many", 0x1ED, _rig.Request(), CancellationToken.None)).Value.Id;
        for (var made = 0; made < 16; made++)
        {
            Assert.That(await MakeAsync(folder, $"{made}", 10), Is.False);
        }

        Assert.That(await MakeAsync(_model, "beside", 10), Is.False, "each folder counts by itself");
        Assert.That(await MakeAsync(folder, "small", 10), Is.True);
        Assert.That(await MakeAsync(folder, "read-only", 10, mode: 0x124), Is.False, "a daemon that takes over could not open it for writing");
        Assert.That(await MakeAsync(folder, "large", (int)new FileSystemOptions().CachedFileBytesMax + 1), Is.True, "nobody can know");
        Assert.That(await MakeAsync(folder, "after", 10), Is.False);
        Assert.That(await MayCacheAsync((await _rig.LookupAsync("m/many/small")).Id, forWriting: false), Is.False, "it had a writer");
    }

    [Test]
    public async Task A_successor_knows_which_handles_were_opened_through_the_page_cache()
    {
        var (one, two) = ((await _rig.LookupAsync("m/one")).Id, (await _rig.LookupAsync("m/sub/two")).Id);
        FileSystem.NoteCached((await FileSystem.OpenAsync(one, forWriting: false, truncate: false, _rig.Request())).Value.Handle);
        await FileSystem.OpenAsync(two, forWriting: false, truncate: false, _rig.Request());
        await _rig.TakeOverAsync();
        await _rig.TakeOverAsync();
        Assert.That(_rig.Inherited, Is.EquivalentTo(new[] { new FsInherited(one, IsCached: true), new FsInherited(two, IsCached: false) }));
    }

    [Test]
    public async Task The_root_is_never_forgotten()
    {
        FileSystem.Forget(1, 1_000);
        Assert.That(await _rig.ListAsync(1), Is.EqualTo(new[] { "m" }));
    }

    [Test]
    public async Task A_replaced_version_goes_from_the_disk_with_the_last_inode()
    {
        var file = (await _rig.LookupAsync("m/one")).Id;
        Assert.That(await _rig.ReadFileAsync(file), Is.EqualTo("1"));
        var old = _rig.Model("m").Copy!;
        _rig.Store.Put("m.tar.gz", SampleArchive.Of(("one", "new")));
        _rig.Time.Advance(TimeSpan.FromMinutes(1));
        await _rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await FileSystemRig.UntilAsync(() => old.IsRetired && _rig.Retired.Contains(old), "the switch");

        Assert.That(await _rig.ReadFileAsync(file), Is.EqualTo("1"), "whoever holds the old version keeps it whole");
        Assert.That(await _rig.ListAsync(_model), Is.EqualTo(new[] { "one", "sub" }));
        var fresh = (await _rig.LookupAsync("m/one")).Id;
        Assert.That(await _rig.ReadFileAsync(fresh), Is.EqualTo("new"));
        Assert.That((await _rig.LookupAsync("m")).Id, Is.Not.EqualTo(_model));

        FileSystem.Forget(file, 1);
        Assert.That(Directory.Exists(old.Folder), Is.True);
        FileSystem.Forget(_model, 2);
        await FileSystemRig.UntilAsync(() => !Directory.Exists(old.Folder), "the old version to go");
    }

    [Test]
    public async Task A_file_unlinked_while_open_is_read_written_and_cut_until_it_is_closed()
    {
        var created = await _rig.CreateAsync(_model, "scratch");
        var handle = created.Opened.Handle;
        FileSystem.Write(handle, 0, "before"u8);
        Assert.That(await FileSystem.UnlinkAsync(_model, "scratch", _rig.Request()), Is.EqualTo(Errno.None));
        Assert.That(FileSystem.GetAttributes(created.Entry.Id).Value.Attributes.LinkCount, Is.Zero);
        FileSystem.Write(handle, 6, " and after"u8);
        Assert.That(_rig.Read(handle), Is.EqualTo("before and after"));
        await FileSystem.SetAttributesAsync(created.Entry.Id, new FsChange(handle, null, 3, null, null), CancellationToken.None);
        Assert.That(_rig.Read(handle), Is.EqualTo("bef"));
        Assert.That(await _rig.LookupErrorAsync(_model, "scratch"), Is.EqualTo(Errno.ENOENT));
        var again = await _rig.WriteFileAsync(_model, "scratch", "another");
        Assert.That(again, Is.Not.EqualTo(created.Entry.Id));
        FileSystem.Release(handle);
        Assert.That(Directory.EnumerateFileSystemEntries(_rig.Model("m").Copy!.Unlinked), Is.Empty);
        Assert.That(await _rig.ReadFileAsync(again), Is.EqualTo("another"));
    }

    [Test]
    public async Task A_file_that_its_owner_may_not_write_is_written_through_the_handle_that_made_it()
    {
        var created = (await FileSystem.CreateAsync(_model, "object", 0x124, exclusive: true, truncate: false, _rig.Request(), CancellationToken.None)).Value;
        if (PosixFile.Open(created.Opened.LocalPath!, PosixFile.ReadWrite, 0, out var file) == Errno.None)
        {
            // Root may open anything: then the handle proves it by its descriptor, which survives the removal of the path.
            file.Dispose();
            File.Delete(created.Opened.LocalPath!);
        }

        Assert.That(FileSystem.Write(created.Opened.Handle, 0, "git"u8).Error, Is.EqualTo(Errno.None));
        Assert.That(_rig.Read(created.Opened.Handle), Is.EqualTo("git"));
    }

    [Test]
    public async Task Handles_and_inodes_go_on_under_another_daemon_and_new_ones_are_different()
    {
        var file = (await _rig.LookupAsync("m/sub/two")).Id;
        var open = (await FileSystem.OpenAsync(file, forWriting: true, truncate: false, _rig.Request())).Value.Handle;
        for (var takeover = 0; takeover < 3; takeover++)
        {
            await _rig.TakeOverAsync();
            Assert.That(_rig.Read(open), Is.EqualTo("2"));
            Assert.That(_rig.Model("m").Copy!.OpenWriters, Is.EqualTo(1));
            var other = (await FileSystem.OpenAsync(file, forWriting: false, truncate: false, _rig.Request())).Value.Handle;
            Assert.That(other, Is.GreaterThan(open));
            FileSystem.Release(other);
        }

        Assert.That(FileSystem.Write(open, 1, "!"u8).Error, Is.EqualTo(Errno.None));
        FileSystem.Release(open);
        FileSystem.Release(open);
        Assert.That(_rig.Model("m").Copy!.OpenWriters, Is.Zero, "a release that is sent again counts once");
        Assert.That(await _rig.ReadFileAsync(file), Is.EqualTo("2!"));
    }

    [Test]
    public async Task A_new_mount_knows_nothing_of_the_inodes_before()
    {
        await _rig.RemountAsync();
        Assert.That(FileSystem.GetAttributes(_model).Error, Is.EqualTo(Errno.ESTALE));
        Assert.That(await _rig.ReadFileAsync((await _rig.LookupAsync("m/one")).Id), Is.EqualTo("1"));
        Assert.That(_rig.Store.Downloads, Is.EqualTo(1));
    }

    private async Task<bool> MakeAsync(ulong folder, string name, int size, uint mode = 0x1A4)
    {
        var opened = (await FileSystem.CreateAsync(folder, name, mode, exclusive: true, truncate: false, _rig.Request(), CancellationToken.None)).Value.Opened;
        Assert.That(FileSystem.Write(opened.Handle, 0, new byte[size]).Value, Is.EqualTo(size));
        FileSystem.Release(opened.Handle);
        return opened.CanCache;
    }

    private async Task<bool> MayCacheAsync(ulong file, bool forWriting)
    {
        var opened = (await FileSystem.OpenAsync(file, forWriting, truncate: false, _rig.Request())).Value;
        FileSystem.Release(opened.Handle);
        return opened.CanCache;
    }
}
