using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>What is packed can be listed from its end, and read member by member.</summary>
public sealed class IndexTests
{
    [Test]
    public async Task The_index_says_what_unpacking_finds([Values] ArchiveLayout layout, [Values] PackCompression compression)
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Path);
        var (archive, packed) = await PackTests.PackAsync(temporary.Path, entries, layout, compression: compression);
        await IndexedArchive.AgreesWithUnpackAsync(archive, temporary.Path);
        Assert.That(packed.Index!.Location, Is.EqualTo(IndexedArchive.IndexOf(archive)!.Location));
        Assert.That(packed.Segments, Is.EqualTo(new[] { new ArchiveSegment(false, 0, archive.Length) }));
    }

    [Test]
    public async Task Large_files_have_members_of_their_own_every_4_MiB_and_small_ones_share()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(temporary.Path, "big"), SampleTree.Content((9 << 20) + 1));
        File.WriteAllBytes(Path.Combine(temporary.Path, "middle"), SampleTree.Content(300_000));
        File.WriteAllBytes(Path.Combine(temporary.Path, "small1"), SampleTree.Content(1000));
        File.WriteAllBytes(Path.Combine(temporary.Path, "small2"), SampleTree.Content(100_000));
        var index = (await PackedIndexAsync(temporary.Path)).Index;

        Assert.That(MembersOf("big"), Is.EqualTo((1, 4)));
        Assert.That(MembersOf("middle"), Is.EqualTo((5, 2)));
        Assert.That(MembersOf("small1"), Is.EqualTo((7, 1)));
        Assert.That(MembersOf("small2"), Is.EqualTo((7, 1)));
        Assert.That(index.Members, Has.Count.EqualTo(9));
        var big = index.Entries[index.Find("big")];
        Assert.That(index.Members[1].TarBytes, Is.EqualTo(big.HeaderBytes + (16 << 10)), "the headers, and little that is sent again when only they change");
        Assert.That(index.Members[2].TarBytes, Is.EqualTo((4 << 20) - (16 << 10)));
        Assert.That(index.Members[3].TarBytes, Is.EqualTo(4 << 20));

        (int First, int Count) MembersOf(string path)
        {
            var entry = index.Entries[index.Find(path)];
            return (entry.FirstMember, entry.MemberCount);
        }
    }

    [Test]
    public async Task What_deflate_hardly_shrinks_is_stored_and_the_rest_deflated()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(temporary.Path, "random"), SampleTree.Content(1 << 20));
        File.WriteAllText(Path.Combine(temporary.Path, "text.json"), string.Concat(Enumerable.Range(0, 100_000).Select(i => $"\"{i}\": {i},\n")));
        var (archive, packed) = await PackTests.PackAsync(temporary.Path, await ModelTree.ScanAsync(temporary.Path, null, default), ArchiveLayout.Dot);
        var index = IndexedArchive.IndexOf(archive)!;
        Assert.That(CodingOf("random"), Is.EqualTo(MemberCoding.Stored));
        Assert.That(CodingOf("text.json"), Is.EqualTo(MemberCoding.Deflated));
        Assert.That(packed.Compression.ToString(), Does.Match("^1,050,112 bytes stored because deflate shrinks them by 0 % only \\(sampled\\), [0-9,]+ bytes deflated to [0-9,]+$"));

        MemberCoding CodingOf(string path) => index.Members[index.Entries[index.Find(path)].FirstMember].Coding;
    }

    [Test]
    public async Task Files_stand_in_the_order_that_is_asked_for_behind_their_folders()
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Path);
        var options = new PackOptions(ArchiveFormat.TarGz, ArchiveLayout.Dot, Unpacking.Bert) { Order = ["metadata.json", "gone", "a/weights", "empty"] };
        var output = new MemoryStream();
        var packed = await ModelPacker.PackAsync(temporary.Path, entries, options, output, CancellationToken.None);
        await IndexedArchive.AgreesWithUnpackAsync(output.ToArray(), temporary.Path);
        Assert.That(packed.Entries, Is.EqualTo(entries));
        Assert.That(packed.Index!.Entries.Select(entry => entry.Entry.Path).Take(5), Is.EqualTo(new[] { "", "metadata.json", "a", "a/weights", "a-b" }));
    }

    [Test]
    public async Task An_index_longer_than_the_first_request_names_what_is_missing()
    {
        using var temporary = new TemporaryFolder();
        for (var i = 0; i < 8_000; i++)
        {
            File.WriteAllText(Path.Combine(temporary.Path, $"{i:x4}-{i * 7919:x8}"), i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        var archive = (await PackedIndexAsync(temporary.Path)).Archive;
        var tail = archive.AsSpan()[^ArchiveIndexReader.TailBytes..];
        Assert.That(ArchiveIndexReader.TryRead(tail, archive.Length, Unpacking.Bert, UnpackLimits.Default, out var location, out _), Is.False);
        Assert.That(location.Length, Is.GreaterThan(ArchiveIndexReader.TailBytes));
        var rest = archive.AsSpan((int)location.Offset);
        Assert.That(ArchiveIndexReader.TryParse(rest, location, Unpacking.Bert, UnpackLimits.Default, out var index), Is.True);
        Assert.That(index!.Tree, Has.Count.EqualTo(8_001));
    }

    [Test]
    public async Task A_thousand_files_are_listed_from_the_first_request()
    {
        using var temporary = new TemporaryFolder();
        for (var i = 0; i < 1_000; i++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(temporary.Path, $"component_{i % 10}")).FullName;
            File.WriteAllText(Path.Combine(folder, $"some_file_with_a_typical_name_{i:d4}.json"), $"{{\"n\": {i}}}");
        }

        var archive = (await PackedIndexAsync(temporary.Path)).Archive;
        Assert.That(ArchiveIndexReader.TryReadFooter(archive, archive.Length, out var location), Is.True);
        Assert.That(location.Length, Is.LessThan(ArchiveIndexReader.TailBytes / 2));
    }

    [Test]
    public async Task An_archive_that_was_stored_under_another_name_is_foreign_only_where_its_names_change_meaning([Values] ArchiveLayout layout)
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Path);
        var (archive, _) = await PackTests.PackAsync(temporary.Path, entries, layout);
        var renamed = IndexedArchive.IndexOf(archive, Unpacking.Name("other"));
        Assert.That(renamed is null, Is.EqualTo(layout == ArchiveLayout.Named));
    }

    [Test]
    public async Task A_tree_that_exceeds_the_limits_is_foreign()
    {
        using var temporary = new TemporaryFolder();
        var archive = (await PackedIndexAsync(temporary.Path, await SampleTree.WriteTypicalAsync(temporary.Path))).Archive;
        Assert.That(Reads(new UnpackLimits(EntriesMax: 11)), Is.False);
        Assert.That(Reads(new UnpackLimits(BytesMax: 1_000_000)), Is.False);
        Assert.That(Reads(new UnpackLimits(RatioMax: 0.5)), Is.False);
        Assert.That(Reads(UnpackLimits.Default), Is.True);

        bool Reads(UnpackLimits limits) => ArchiveIndexReader.TryRead(archive, archive.Length, Unpacking.Bert, limits, out _, out _);
    }

    [Test]
    public async Task An_archive_of_a_single_member_has_no_index()
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Path);
        var (archive, packed) = await PackTests.PackAsync(temporary.Path, entries, ArchiveLayout.Dot, structure: ArchiveStructure.SingleMember);
        Assert.That(packed.Index, Is.Null);
        Assert.That(IndexedArchive.IndexOf(archive), Is.Null);
    }

    private static async Task<(byte[] Archive, ArchiveIndex Index)> PackedIndexAsync(string folder, IReadOnlyList<TreeEntry>? entries = null)
    {
        var (archive, packed) = await PackTests.PackAsync(folder, entries ?? await ModelTree.ScanAsync(folder, null, CancellationToken.None), ArchiveLayout.Dot);
        return (archive, packed.Index!);
    }
}
