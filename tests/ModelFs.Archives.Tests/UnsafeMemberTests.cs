using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>An archive can't write, read or link outside of its model folder, and can't make what is no file, folder or link.</summary>
public sealed class UnsafeMemberTests
{
    public static IEnumerable<TestCaseData> UnsafeTars()
    {
        yield return Case("absolute file", tar => tar.Add("/etc/passwd", content: "x"));
        yield return Case("absolute folder", tar => tar.Add("/etc/", '5'));
        yield return Case("parent", tar => tar.Add("../evil", content: "x"));
        yield return Case("parent inside", tar => tar.Add("a/../../evil", content: "x"));
        yield return Case("parent inside that stays", tar => tar.Add("a/../b", content: "x"));
        yield return Case("only parent", tar => tar.Add("..", '5'));
        yield return Case("pax path", tar => tar.Pax(("path", "../evil")).Add("good", content: "x"));
        yield return Case("gnu long name", tar => tar.Add("././@LongLink", 'L', "../evil\0").Add("good", content: "x"));
        yield return Case("nul in pax path", tar => tar.Pax(("path", "good\0evil")).Add("good", content: "x"));
        yield return Case("file as the model folder", tar => tar.Add("./", '2', link: "a"));
        yield return Case("link out", tar => tar.Add("l", '2', link: "../outside"));
        yield return Case("absolute link", tar => tar.Add("l", '2', link: "/etc"));
        yield return Case("link out of a named model", tar => tar.Add("bert/l", '2', link: "../x"));
        yield return Case("link through a link", tar => tar
            .Add("x/y/up", '2', link: "../..").Add("q", '2', link: "x/y/up/.."));
        yield return Case("file below a link", tar => tar.Add("d/", '5').Add("l", '2', link: "d").Add("l/file", content: "x"));
        yield return Case("file below a file", tar => tar.Add("f", content: "x").Add("f/file", content: "x"));
        yield return Case("folder over a link", tar => tar.Add("l", '2', link: "d").Add("l/", '5'));
        yield return Case("file over a folder", tar => tar.Add("d/", '5').Add("d", content: "x"));
        yield return Case("link over an implied folder", tar => tar.Add("d/f", content: "x").Add("d", '2', link: "x"));
        yield return Case("absolute hard link", tar => tar.Add("h", '1', link: "/etc/passwd"));
        yield return Case("hard link out", tar => tar.Add("h", '1', link: "../passwd"));
        yield return Case("character device", tar => tar.Add("null", '3'));
        yield return Case("block device", tar => tar.Add("sda", '4'));
        yield return Case("fifo", tar => tar.Add("pipe", '6'));

        static TestCaseData Case(string name, Action<RawTar> build)
        {
            var tar = new RawTar();
            build(tar);
            return new TestCaseData(tar.Gzip()).SetArgDisplayNames(name);
        }
    }

    [TestCaseSource(nameof(UnsafeTars))]
    public async Task Unsafe_members_are_refused_and_nothing_is_written_beside_the_folder(byte[] archive)
    {
        using var temporary = new TemporaryFolder();
        var target = temporary.Folder("target");
        ArchiveException? refusal = null;
        try
        {
            await Unpacking.ToFolderAsync(archive, target);
        }
        catch (ArchiveException error)
        {
            refusal = error;
        }

        Assert.That(refusal?.Kind, Is.EqualTo(ArchiveErrorKind.Unsafe), refusal?.Message);
        Assert.That(Directory.GetFileSystemEntries(temporary.Path), Is.EqualTo(new[] { target }));
    }

    [Test]
    public async Task What_a_model_folder_cannot_hold_is_refused_with_the_remedy()
    {
        var sparse = await Unpacking.RefusalAsync(new RawTar().Pax(("GNU.sparse.major", "1")).Add("s", content: "x").Gzip());
        Assert.That(sparse.Kind, Is.EqualTo(ArchiveErrorKind.Unsupported));
        Assert.That(sparse.Message, Does.Contain("--sparse"));
        Assert.That((await Unpacking.RefusalAsync(new RawTar().Add("s", 'S').Gzip())).Kind, Is.EqualTo(ArchiveErrorKind.Unsupported));
        Assert.That((await Unpacking.RefusalAsync(new RawTar().Add("s", 'M').Gzip())).Kind, Is.EqualTo(ArchiveErrorKind.Unsupported));

        var latin1 = await Unpacking.RefusalAsync(new RawTar().Add([0x67, 0x72, 0xfc, 0x6e], content: "x").Gzip());
        Assert.That(latin1.Kind, Is.EqualTo(ArchiveErrorKind.Unsupported));
        Assert.That(latin1.Message, Does.Contain("'grün'").And.Contain("UTF-8"));

        var tooLong = await Unpacking.RefusalAsync(new RawTar().Pax(("path", new string('n', 256))).Add("n", content: "x").Gzip());
        Assert.That(tooLong.Kind, Is.EqualTo(ArchiveErrorKind.Unsupported));
        var deep = string.Join('/', Enumerable.Repeat(new string('n', 250), 15));
        Assert.That((await Unpacking.RefusalAsync(new RawTar().Pax(("path", deep)).Add("n", content: "x").Gzip())).Kind, Is.EqualTo(ArchiveErrorKind.Unsupported));
    }

    [Test]
    public async Task A_hard_link_to_what_is_not_there_is_refused()
    {
        var refusal = await Unpacking.RefusalAsync(new RawTar().Add("h", '1', link: "missing").Gzip());
        Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged));
    }

    [Test]
    public async Task Links_that_stay_inside_are_kept_as_written_even_when_they_lead_nowhere()
    {
        using var temporary = new TemporaryFolder();
        var archive = new RawTar()
            .Add("a/b/up", '2', link: "../../c").Add("circle", '2', link: "circle").Add("nowhere", '2', link: "missing/./x")
            .Add("here", '2', link: ".").Add("c", content: "x").Gzip();
        var model = await Unpacking.ToFolderAsync(archive, temporary.Path);
        Assert.That(model.Entries.Count(entry => entry.Type == TreeEntryType.SymbolicLink), Is.EqualTo(4));
        Assert.That(File.ReadAllText(Path.Combine(temporary.Path, "a/b/up")), Is.EqualTo("x"));
        Assert.That(new FileInfo(Path.Combine(temporary.Path, "nowhere")).LinkTarget, Is.EqualTo("missing/./x"));
    }

    [Test]
    public async Task Setuid_setgid_and_sticky_bits_are_dropped()
    {
        var model = await Unpacking.AndDropAsync(new RawTar().Add("d/", '5', mode: 0x3ff).Add("d/f", content: "x", mode: 0xfed).Gzip());
        Assert.That(model.Entries.Select(entry => entry.Mode), Is.EqualTo(new[] { 0x1ed, 0x1ff, 0x1ed }));
    }

    [Test]
    public async Task The_last_of_several_members_of_one_name_wins()
    {
        using var temporary = new TemporaryFolder();
        var archive = new RawTar()
            .Add("f", content: "first, longer").Add("h", '1', link: "f").Add("f", content: "last")
            .Add("l", '2', link: "f").Add("l", content: "a file").Add("m", content: "x").Add("m", '2', link: "f").Gzip();
        var model = await Unpacking.ToFolderAsync(archive, temporary.Path);
        Assert.That(model.Entries, Has.Count.EqualTo(5));
        Assert.That(File.ReadAllText(Path.Combine(temporary.Path, "f")), Is.EqualTo("last"));
        Assert.That(File.ReadAllText(Path.Combine(temporary.Path, "h")), Is.EqualTo("first, longer"));
        Assert.That(File.ReadAllText(Path.Combine(temporary.Path, "l")), Is.EqualTo("a file"));
        Assert.That(new FileInfo(Path.Combine(temporary.Path, "m")).LinkTarget, Is.EqualTo("f"));
    }

    [Test]
    public async Task Names_that_collide_on_other_systems_are_reported()
    {
        var model = await Unpacking.AndDropAsync(new RawTar()
            .Add("Model", content: "x").Add("model", content: "y").Add("caf\u00e9", content: "x").Add("cafe\u0301", content: "y").Gzip());
        Assert.That(model.Warnings, Has.Count.EqualTo(2));
        Assert.That(model.Warnings, Has.One.Contains("'Model' and 'model'"));
    }
}
