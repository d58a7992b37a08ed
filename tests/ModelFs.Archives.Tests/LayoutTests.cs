using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Which layout an archive has when its members do not all agree.</summary>
public sealed class LayoutTests
{
    [TestCase("bert/a bert/b", ArchiveLayout.Named, "a b")]
    [TestCase("bert/bert", ArchiveLayout.Named, "bert")]
    [TestCase("./bert/a", ArchiveLayout.Named, "a")]
    [TestCase("./ ./bert/a", ArchiveLayout.Dot, "bert bert/a")]
    [TestCase("/ bert/a", ArchiveLayout.EmptyRoot, "bert bert/a")]
    [TestCase("bert/a other", ArchiveLayout.Bare, "bert bert/a other")]
    [TestCase("bert", ArchiveLayout.Bare, "bert")]
    [TestCase("renamed/a", ArchiveLayout.Bare, "renamed renamed/a")]
    [TestCase("a ./b", ArchiveLayout.Dot, "a b")]
    [TestCase("/ ./b", ArchiveLayout.EmptyRoot, "b")]
    [TestCase("", ArchiveLayout.Bare, "")]
    public async Task The_most_telling_sign_decides(string names, ArchiveLayout layout, string paths)
    {
        var tar = new RawTar();
        foreach (var name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            tar.Add(name, name.EndsWith('/') ? '5' : '0', mode: 0x1ed);
        }

        using var temporary = new TemporaryFolder();
        var model = await Unpacking.ToFolderAsync(tar.Gzip(), temporary.Path);
        Assert.That(model.Layout, Is.EqualTo(layout));
        Assert.That(model.Entries.Skip(1).Select(entry => entry.Path), Is.EqualTo(paths.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.That(await ModelTree.ScanAsync(temporary.Path, null, CancellationToken.None), Is.EqualTo(model.Entries));
    }

    [Test]
    public async Task A_model_of_a_project_is_named_by_its_own_name()
    {
        using var temporary = new TemporaryFolder();
        var model = await Unpacking.ToFolderAsync(new RawTar().Add("m/a").Gzip(), temporary.Path, model: Unpacking.Name("project/m"));
        Assert.That(model.Layout, Is.EqualTo(ArchiveLayout.Named));
    }

    [Test]
    public async Task Folders_that_the_archive_does_not_name_are_as_old_as_the_newest_thing_in_them()
    {
        var model = await Unpacking.AndDropAsync(new RawTar()
            .Pax(("mtime", "1.5")).Add("a/b/old").Pax(("mtime", "-1.25")).Add("a/older").Pax(("mtime", "7")).Add("new").Gzip());
        var times = model.Entries.ToDictionary(entry => entry.Path, entry => entry.ModifiedTime);
        Assert.That(times["a/older"], Is.EqualTo(new UnixTime(-2, 750_000_000)));
        Assert.That(times["a/b"], Is.EqualTo(new UnixTime(1, 500_000_000)));
        Assert.That(times["a"], Is.EqualTo(new UnixTime(1, 500_000_000)));
        Assert.That(times[""], Is.EqualTo(new UnixTime(7, 0)));
        Assert.That(model.Entries[1].Mode, Is.EqualTo(0x1ed));
    }
}
