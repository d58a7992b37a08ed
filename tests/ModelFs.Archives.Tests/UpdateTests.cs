using System.Diagnostics;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>A pack on a base takes over what is unchanged, and is otherwise as good as a full one, however many came before.</summary>
public sealed class UpdateTests
{
    [Test]
    public async Task A_change_of_a_small_file_takes_over_everything_else()
    {
        using var model = await UpdatedModel.StartAsync();
        File.WriteAllText(model.PathOf("metadata.json"), "{\"changed\": true}");
        var packed = await model.UpdateAsync();
        Assert.That(packed.ArchiveBytes - packed.BytesFromBase, Is.LessThan(64 << 10));
        Assert.That(packed.Segments.Count(segment => segment.IsFromBase), Is.LessThanOrEqualTo(2));
    }

    [Test]
    public async Task A_change_inside_of_a_large_file_takes_over_its_other_pieces()
    {
        using var model = await UpdatedModel.StartAsync();
        using (var file = File.OpenWrite(model.PathOf("sub/weights")))
        {
            file.Position = 9 << 20;
            file.Write(SampleTree.Content(10_000));
        }

        var packed = await model.UpdateAsync();
        Assert.That(packed.ArchiveBytes - packed.BytesFromBase, Is.LessThan((4 << 20) + (64 << 10)), "the piece with the change, and the beginning, where the time stands");
        Assert.That(packed.BytesFromBase, Is.GreaterThan(12 << 20));
    }

    [Test]
    public async Task What_was_compressed_is_read_and_what_was_stored_is_made_again_where_the_base_is_far()
    {
        using var model = await UpdatedModel.StartAsync();
        File.WriteAllText(model.PathOf("text.json"), string.Concat(Enumerable.Range(0, 600_000).Select(i => $"\"{i}\": {i},\n")));
        await model.UpdateAsync();
        File.WriteAllText(model.PathOf("metadata.json"), "{\"changed\": true}");
        var packed = await model.UpdateAsync(readsBase: true);
        var text = packed.Index!.Entries[packed.Index.Find("text.json")];
        Assert.That(packed.Segments.Any(segment => segment.IsFromBase), Is.False, "the output is the whole archive");
        Assert.That(packed.BytesFromBase, Is.EqualTo(packed.Index.Members.Skip(text.FirstMember).Take(text.MemberCount).Sum(member => member.ArchiveBytes)));
        Assert.That(packed.Compression.DeflatedBytes, Is.LessThan(2 << 20), "nothing that is worth a request is compressed again");
        await IndexedArchive.AgreesWithUnpackAsync(model.Archive, model.Folder);
    }

    [Test]
    public async Task A_base_that_is_not_what_its_index_says_is_not_copied()
    {
        using var model = await UpdatedModel.StartAsync();
        File.WriteAllText(model.PathOf("text.json"), string.Concat(Enumerable.Range(0, 600_000).Select(i => $"\"{i}\": {i},\n")));
        var packed = await model.UpdateAsync();
        var text = packed.Index!.Entries[packed.Index.Find("text.json")];
        model.Archive[packed.Index.Members[text.FirstMember + 1].Offset + 1000] ^= 1;
        File.WriteAllText(model.PathOf("metadata.json"), "{\"changed\": true}");
        Assert.That(async () => await model.UpdateAsync(readsBase: true), Throws.TypeOf<ArchiveException>());
    }

    [Test]
    public async Task An_equal_tree_is_taken_over_whole_but_for_its_end()
    {
        using var model = await UpdatedModel.StartAsync();
        var before = model.Archive;
        var packed = await model.UpdateAsync();
        Assert.That(model.Archive, Is.EqualTo(before));
        Assert.That(packed.Segments[0], Is.EqualTo(new ArchiveSegment(true, 0, packed.Index!.Members[^1].Offset)));
    }

    [Test]
    public async Task A_folder_whose_time_alone_changed_is_taken_over_with_its_old_time()
    {
        using var model = await UpdatedModel.StartAsync();
        File.WriteAllText(model.PathOf("sub/scratch"), "x");
        File.Delete(model.PathOf("sub/scratch"));
        var packed = await model.UpdateAsync();
        Assert.That(packed.BytesFromBase, Is.GreaterThan(packed.ArchiveBytes - 4096));
    }

    [Test]
    public async Task The_same_change_of_the_same_base_gives_the_same_archive()
    {
        using var model = await UpdatedModel.StartAsync();
        File.WriteAllText(model.PathOf("new.json"), "{}");
        File.Delete(model.PathOf("small/7"));
        var once = await model.PackAsync();
        var twice = await model.PackAsync();
        Assert.That(twice.Archive, Is.EqualTo(once.Archive));
        Assert.That(twice.Packed.Segments, Is.EqualTo(once.Packed.Segments));
    }

    [Test]
    public async Task A_base_of_another_layout_is_not_built_on()
    {
        using var model = await UpdatedModel.StartAsync();
        var (_, packed) = await model.PackAsync(ArchiveLayout.Bare);
        Assert.That(packed.BytesFromBase, Is.Zero);
    }

    [Test]
    public async Task Any_sequence_of_edits_gives_what_a_full_pack_gives([Range(1, 6)] int seed, [Values] bool readsBase)
    {
        var random = new Random(seed);
        using var model = await UpdatedModel.StartAsync((ArchiveLayout)(seed % 4));
        long fromBase = 0;
        for (var edit = 0; edit < 12; edit++)
        {
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                RandomEdit.Do(random, model.Folder);
            }

            var packed = await model.UpdateAsync(readsBase);
            fromBase += packed.BytesFromBase;
            var entries = await ModelTree.ScanAsync(model.Folder, null, CancellationToken.None);
            var (_, full) = await PackTests.PackAsync(model.Folder, entries, model.Layout);
            Assert.That(WithoutFolderTimes(packed.Index!.Tree), Is.EqualTo(WithoutFolderTimes(full.Index!.Tree)), $"seed {seed}, edit {edit}");
            Assert.That(packed.Index.TreeDigest, Is.EqualTo(full.Index.TreeDigest), $"seed {seed}, edit {edit}");
            Assert.That(packed.Index.Members, Has.Count.LessThanOrEqualTo((2 * full.Index.Members.Count) + 1), "the archive falls to pieces");
            await IndexedArchive.AgreesWithUnpackAsync(model.Archive, model.Folder);
        }

        Assert.That(fromBase > 1 << 20, Is.EqualTo(!readsBase), "what is taken over: all, or only runs of compressed members that are worth a request, which this model does not have");
        await TarListsEachFileOnceAsync(model);
    }

    private static IEnumerable<TreeEntry> WithoutFolderTimes(IEnumerable<TreeEntry> entries) =>
        entries.Select(entry => entry.Type == TreeEntryType.Directory ? entry with { ModifiedTime = default } : entry);

    private static async Task TarListsEachFileOnceAsync(UpdatedModel model)
    {
        var path = model.Folder + ".tar.gz";
        await File.WriteAllBytesAsync(path, model.Archive);
        using var process = Process.Start(new ProcessStartInfo("tar", ["--list", "-zf", path]) { RedirectStandardOutput = true })!;
        var names = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        File.Delete(path);
        Assert.That(process.ExitCode, Is.Zero);
        Assert.That(names, Is.Unique);
        Assert.That(names, Has.Length.EqualTo(IndexedArchive.IndexOf(model.Archive)!.Entries.Count));
    }

    /// <summary>A model folder and its archive, which every update replaces.</summary>
    private sealed class UpdatedModel : IDisposable
    {
        private readonly TemporaryFolder _temporary = new();

        private UpdatedModel(ArchiveLayout layout)
        {
            Layout = layout;
            Folder = _temporary.Folder("model");
        }

        public ArchiveLayout Layout { get; }

        public string Folder { get; }

        public byte[] Archive { get; private set; } = [];

        public static async Task<UpdatedModel> StartAsync(ArchiveLayout layout = ArchiveLayout.Dot)
        {
            var model = new UpdatedModel(layout);
            Directory.CreateDirectory(model.PathOf("small"));
            Directory.CreateDirectory(model.PathOf("sub"));
            File.WriteAllText(model.PathOf("metadata.json"), "{}");
            File.WriteAllBytes(model.PathOf("middle"), SampleTree.Content(600_000));
            File.WriteAllBytes(model.PathOf("sub/weights"), SampleTree.Content(17 << 20));
            for (var i = 0; i < 30; i++)
            {
                File.WriteAllBytes(model.PathOf($"small/{i}"), SampleTree.Content(i * 2_000));
            }

            model.Archive = (await model.PackAsync()).Archive;
            return model;
        }

        public string PathOf(string path) => Path.Combine(Folder, path);

        public async Task<PackedModel> UpdateAsync(bool readsBase = false)
        {
            (Archive, var packed) = await PackAsync(readsBase: readsBase);
            Assert.That(packed.ArchiveBytes, Is.EqualTo(Archive.Length));
            Assert.That(IndexedArchive.IndexOf(Archive)?.Location, Is.EqualTo(packed.Index!.Location));
            return packed;
        }

        public async Task<(byte[] Archive, PackedModel Packed)> PackAsync(ArchiveLayout? layout = null, bool readsBase = false) =>
            await PackTests.PackUponAsync(Folder, await ModelTree.ScanAsync(Folder, null, CancellationToken.None), Archive, layout ?? Layout, readsBase);

        public void Dispose() => _temporary.Dispose();
    }
}
