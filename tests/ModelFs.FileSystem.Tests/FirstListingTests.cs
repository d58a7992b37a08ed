using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>The first listing of a model follows the making of its files on the cache's disk, and shows the same as every later one.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class FirstListingTests
{
    private const int Count = 3000;

    private static readonly string[] s_names = [.. Enumerable.Range(0, Count).Select(number => $"{number:D4}")];
    private static readonly byte[] s_archive = IndexedArchive.Of(
        "m", [("metadata.json", "{}"u8.ToArray()), .. s_names.Select(name => ("nlu/" + name, System.Text.Encoding.ASCII.GetBytes(name))), ("zero", [])]);

    private FileSystemRig _rig = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _rig = await FileSystemRig.StartAsync(objects: ("m.tar.gz", s_archive));
    }

    [TearDown]
    public async Task StopAsync() => await _rig.DisposeAsync();

    [Test]
    public async Task It_shows_every_name_with_its_attributes()
    {
        var model = await _rig.LookupAsync("m");
        Assert.That((await ListPlusAsync(model.Id)).Select(each => each.Name), Is.EqualTo(new[] { "metadata.json", "nlu", "zero" }));
        var folder = await FolderAsync(model.Id);
        var listed = await ListPlusAsync(folder);
        Assert.That(listed.Select(each => each.Name), Is.EqualTo(s_names));
        Assert.That(listed.Select(each => each.Entry.Attributes.Size), Is.All.EqualTo(4));
        await _rig.Cache.AcquireAsync(_rig.Model("m"), CancellationToken.None);
        Assert.That(
            (await ListPlusAsync(folder)).Select(each => (each.Name, each.Entry.Id, each.Entry.Attributes.Number)),
            Is.EqualTo(listed.Select(each => (each.Name, each.Entry.Id, each.Entry.Attributes.Number))),
            "a later listing tells the same inodes");
    }

    [Test]
    public async Task Numbers_are_told_to_who_asks_for_them_in_the_middle_of_it()
    {
        var model = await _rig.LookupAsync("m");
        var handle = (await _rig.FileSystem.OpenFolderAsync(model.Id, _rig.Request(), CancellationToken.None)).Value;
        var names = (await NamesAsync(model.Id, handle, restart: true, forLookUp: true)).Value;
        Assert.That(names.Select(name => name.Name), Is.EqualTo(new[] { "metadata.json", "nlu", "zero" }));
        var numbered = (await NamesAsync(model.Id, handle, restart: false, forLookUp: false)).Value;
        Assert.That(numbered.Select(name => name.Name), Is.EqualTo(names.Select(name => name.Name)));
        Assert.That(numbered.Select(name => name.Number), Is.All.GreaterThan(0));
    }

    [Test]
    public async Task A_name_that_is_asked_for_at_once_is_waited_for()
    {
        var folder = await FolderAsync((await _rig.LookupAsync("m")).Id);
        var last = await _rig.FileSystem.LookupAsync(folder, s_names[^1], CancellationToken.None);
        Assert.That(last.Error, Is.EqualTo(Errno.None));
        Assert.That(await _rig.ReadFileAsync(last.Value.Id), Is.EqualTo(s_names[^1]));
    }

    [Test]
    public async Task It_goes_on_after_the_daemon_was_replaced()
    {
        var model = await _rig.LookupAsync("m");
        await ListPlusAsync(model.Id);
        var folder = await FolderAsync(model.Id);
        var handle = (await _rig.FileSystem.OpenFolderAsync(folder, _rig.Request(), CancellationToken.None)).Value;
        var names = (await NamesAsync(folder, handle, restart: true, forLookUp: true)).Value;
        var standing = await _rig.FileSystem.StandingAsync(folder, names, 0, CancellationToken.None);
        Assert.That(standing, Is.Positive);
        await _rig.TakeOverAsync();
        names = (await NamesAsync(folder, handle, restart: false, forLookUp: true)).Value;
        Assert.That(names.Select(name => name.Name), Is.EqualTo(s_names));
        Assert.That((await ListPlusAsync(folder)).Select(each => each.Name), Is.EqualTo(s_names));
    }

    /// <summary>A model's inner folder, found as READDIRPLUS finds it: without waiting for the files.</summary>
    private async Task<ulong> FolderAsync(ulong model) => (await ListPlusAsync(model)).Single(each => each.Name == "nlu").Entry.Id;

    /// <summary>Lists as READDIRPLUS does: each name is looked up when it was counted as one that can be.</summary>
    private async Task<IReadOnlyList<(string Name, FsEntry Entry)>> ListPlusAsync(ulong folder)
    {
        var handle = (await _rig.FileSystem.OpenFolderAsync(folder, _rig.Request(), CancellationToken.None)).Value;
        var names = await NamesAsync(folder, handle, restart: true, forLookUp: true);
        Assert.That(names.Error, Is.EqualTo(Errno.None));
        var found = new List<(string Name, FsEntry Entry)>();
        while (found.Count < names.Value.Count)
        {
            var standing = await _rig.FileSystem.StandingAsync(folder, names.Value, found.Count, CancellationToken.None);
            Assert.That(standing, Is.GreaterThan(found.Count));
            foreach (var name in names.Value.Skip(found.Count).Take(standing - found.Count))
            {
                var entry = await _rig.FileSystem.LookupListedAsync(folder, name.Name);
                Assert.That(entry.Error, Is.EqualTo(Errno.None), name.Name);
                found.Add((name.Name, entry.Value));
            }
        }

        _rig.FileSystem.Release(handle);
        return found;
    }

    private ValueTask<FsResult<IReadOnlyList<FsName>>> NamesAsync(ulong folder, ulong handle, bool restart, bool forLookUp) =>
        _rig.FileSystem.NamesOfAsync(folder, handle, restart, forLookUp, CancellationToken.None);
}
