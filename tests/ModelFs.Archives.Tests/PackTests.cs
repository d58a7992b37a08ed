using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>What is packed is what was there, in the layout that was asked for, and twice the same.</summary>
public sealed class PackTests
{
    [Test]
    public async Task A_packed_model_unpacks_to_the_same_tree(
        [Values] ArchiveLayout layout,
        [Values(ArchiveFormat.TarGz, ArchiveFormat.Tar)] ArchiveFormat format,
        [Values] PackCompression compression,
        [Values] ArchiveStructure structure)
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Folder("source"));
        var (archive, packed) = await PackAsync(temporary.Folder("source"), entries, layout, format, compression, structure);
        var model = await Unpacking.ToFolderAsync(archive, temporary.Folder("target"), format);

        Assert.That(packed.ArchiveBytes, Is.EqualTo(archive.Length));
        Assert.That(packed.ContentBytes, Is.EqualTo(model.ContentBytes));
        Assert.That(packed.Entries, Is.EqualTo(entries));
        Assert.That(model.Layout, Is.EqualTo(layout));
        Assert.That(WithoutRoot(model.Entries), Is.EqualTo(WithoutRoot(entries)));
        Assert.That(WithoutRoot(await ModelTree.ScanAsync(temporary.Folder("target"), null, CancellationToken.None)), Is.EqualTo(WithoutRoot(entries)));
        if (layout != ArchiveLayout.Bare)
        {
            Assert.That(model.Entries[0], Is.EqualTo(entries[0]));
            Assert.That(model.TreeDigest, Is.EqualTo(packed.TreeDigest));
        }
    }

    [Test]
    public async Task The_same_tree_gives_the_same_bytes([Values] ArchiveStructure structure)
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Folder("one"));
        var again = await SampleTree.WriteTypicalAsync(temporary.Folder("two"));
        var (first, _) = await PackAsync(temporary.Folder("one"), entries, ArchiveLayout.Dot, structure: structure);
        var (second, _) = await PackAsync(temporary.Folder("two"), again, ArchiveLayout.Dot, structure: structure);
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public async Task A_tar_is_padded_to_whole_records_and_plain_where_it_can_be()
    {
        using var temporary = new TemporaryFolder();
        TreeEntry[] entries = [new("", TreeEntryType.Directory, 0x1ed, new UnixTime(5, 0)), new("metadata.json", TreeEntryType.File, 0x1a4, new UnixTime(5, 0), 3)];
        SampleTree.Write(temporary.Path, entries, _ => "{}\n"u8.ToArray());
        var (archive, _) = await PackAsync(temporary.Path, entries, ArchiveLayout.Named, ArchiveFormat.Tar);
        Assert.That(archive, Has.Length.EqualTo(10_240));
        Assert.That(System.Text.Encoding.ASCII.GetString(archive, 0, 6), Is.EqualTo("bert/\0"));
        Assert.That(System.Text.Encoding.ASCII.GetString(archive, 512, 18), Is.EqualTo("bert/metadata.json"));
        Assert.That(System.Text.Encoding.ASCII.GetString(archive, 1024, 3), Is.EqualTo("{}\n"));
    }

    [Test]
    public async Task A_file_that_is_not_what_was_listed_stops_the_pack([Values] ArchiveStructure structure)
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Path);
        var path = Path.Combine(temporary.Path, "a/weights");
        var content = File.ReadAllBytes(path);

        File.WriteAllBytes(path, content[..^1]);
        await RefusesAsync("shorter");
        File.WriteAllBytes(path, [.. content, 1]);
        await RefusesAsync("longer");
        content[1000] ^= 1;
        File.WriteAllBytes(path, content);
        await RefusesAsync("changed");
        InteropFiles.SetMode(Path.GetDirectoryName(path)!, 0x1c0);
        File.Delete(path);
        await RefusesAsync("opened");

        async Task RefusesAsync(string reason)
        {
            try
            {
                await PackAsync(temporary.Path, entries, ArchiveLayout.Dot, structure: structure);
                Assert.Fail("it was packed");
            }
            catch (PackException refusal)
            {
                Assert.That(refusal.Path, Is.EqualTo("a/weights"));
                Assert.That(refusal.Message, Does.Contain(reason));
            }
        }
    }

    [TestCase(ArchiveFormat.Zip)]
    [TestCase(ArchiveFormat.TarBz2)]
    public void Formats_that_are_only_read_are_not_written(ArchiveFormat format) =>
        Assert.That(() => PackAsync("/nowhere", [], ArchiveLayout.Dot, format), Throws.ArgumentException);

    internal static async Task<(byte[] Archive, PackedModel Packed)> PackAsync(
        string folder,
        IReadOnlyList<TreeEntry> entries,
        ArchiveLayout layout,
        ArchiveFormat format = ArchiveFormat.TarGz,
        PackCompression compression = PackCompression.Auto,
        ArchiveStructure structure = ArchiveStructure.Indexed)
    {
        var output = new MemoryStream();
        var options = new PackOptions(format, layout, Unpacking.Bert, compression, structure);
        var packed = await ModelPacker.PackAsync(folder, entries, options, output, CancellationToken.None);
        return (output.ToArray(), packed);
    }

    /// <summary>Packs upon an earlier archive, and puts the new one together.</summary>
    internal static async Task<(byte[] Archive, PackedModel Packed)> PackUponAsync(
        string folder, IReadOnlyList<TreeEntry> entries, byte[] before, ArchiveLayout layout = ArchiveLayout.Dot, bool readsBase = false)
    {
        var output = new MemoryStream();
        var options = new PackOptions(ArchiveFormat.TarGz, layout, Unpacking.Bert)
        {
            Base = IndexedArchive.IndexOf(before),
            ReadBase = readsBase ? (offset, length, _) => Task.FromResult<Stream>(new MemoryStream(before, (int)offset, (int)length, writable: false)) : null,
        };
        var packed = await ModelPacker.PackAsync(folder, entries, options, output, CancellationToken.None);
        var archive = new MemoryStream();
        foreach (var segment in packed.Segments)
        {
            archive.Write((segment.IsFromBase ? before : output.ToArray()).AsSpan((int)segment.Offset, (int)segment.Length));
        }

        return (archive.ToArray(), packed);
    }

    private static IEnumerable<TreeEntry> WithoutRoot(IEnumerable<TreeEntry> entries) => entries.Skip(1);
}
