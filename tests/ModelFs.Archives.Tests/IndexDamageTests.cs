using ModelFs.Archives.Indexed;
using ModelFs.Archives.Packing;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Whatever happens to an indexed archive, no reader gets a byte that was not packed: the index is not taken, or a member is refused.</summary>
public sealed class IndexDamageTests
{
    private byte[] _archive = null!;
    private ArchiveIndex _index = null!;
    private Dictionary<string, byte[]> _contents = null!;

    [OneTimeSetUp]
    public async Task Pack()
    {
        using var temporary = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(temporary.Path, "sub"));
        File.WriteAllText(Path.Combine(temporary.Path, "metadata.json"), "{\"language\": \"en\", \"pipeline\": [1, 2, 3, 1, 2, 3, 1, 2, 3]}");
        File.WriteAllBytes(Path.Combine(temporary.Path, "sub/weights"), SampleTree.Content(100));
        File.WriteAllBytes(Path.Combine(temporary.Path, "empty"), []);
        File.CreateSymbolicLink(Path.Combine(temporary.Path, "link"), "sub/weights");
        _archive = (await PackTests.PackAsync(temporary.Path, await ModelTree.ScanAsync(temporary.Path, null, default), ArchiveLayout.Dot)).Archive;
        _index = IndexedArchive.IndexOf(_archive)!;
        _contents = IndexedArchive.ContentOf(_archive, _index);
    }

    [Test]
    public void A_flipped_bit_anywhere_makes_the_archive_foreign_or_a_member_damaged([Values] bool checksCrc)
    {
        var (foreign, damaged, harmless) = (0, 0, 0);
        for (var bit = 0; bit < _archive.Length * 8; bit++)
        {
            var changed = Flip(bit);
            if (IndexedArchive.IndexOf(changed) is not { } index)
            {
                foreign++;
                Assert.That(bit / 8, Is.GreaterThanOrEqualTo(_index.Location.Offset));
                continue;
            }

            try
            {
                Assert.That(IndexedArchive.ContentOf(changed, index, checksCrc), Is.EqualTo(_contents), $"bit {bit}");
                harmless++;
            }
            catch (ArchiveException refusal)
            {
                Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"bit {bit}");
                damaged++;
            }
        }

        // Some deflate codes have twins that decode to the same bytes; nothing else may go unnoticed, but for the CRC where only the digest counts.
        var unseen = checksCrc ? 0 : 32 * _index.Members.Count;
        Assert.That(foreign, Is.EqualTo((_archive.Length - (int)_index.Location.Offset) * 8));
        Assert.That(damaged, Is.GreaterThan((_index.Location.Offset * 8 * 0.9) - unseen));
        Assert.That(foreign + damaged + harmless, Is.EqualTo(_archive.Length * 8));
    }

    [Test]
    public async Task A_changed_byte_anywhere_is_refused_by_a_whole_unpack_or_changes_nothing()
    {
        var whole = await Unpacking.AndDropAsync(_archive);
        for (var at = 0; at < _archive.Length; at++)
        {
            try
            {
                Assert.That((await Unpacking.AndDropAsync(Flip((at * 8) + (at % 8)))).Entries, Is.EqualTo(whole.Entries), $"byte {at}");
            }
            catch (ArchiveException refusal)
            {
                Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"byte {at}");
            }
        }
    }

    [Test]
    public void A_cut_archive_is_foreign_at_every_byte()
    {
        for (var length = 0; length < _archive.Length; length++)
        {
            Assert.That(IndexedArchive.IndexOf(_archive.AsSpan(0, length)), Is.Null, $"cut at {length}");
        }
    }

    [Test]
    public void An_archive_that_something_was_put_before_or_behind_is_foreign()
    {
        Assert.That(IndexedArchive.IndexOf([.. _archive, 0]), Is.Null);
        Assert.That(IndexedArchive.IndexOf([.. _archive, .. _archive]), Is.Null);
        Assert.That(IndexedArchive.IndexOf([.. RawTar.Gzip([0]), .. _archive]), Is.Null);
    }

    [Test]
    public async Task The_index_of_another_tree_of_the_same_shape_does_not_pass()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(Path.Combine(temporary.Path, "metadata.json"), "{}");
        var entries = await ModelTree.ScanAsync(temporary.Path, null, default);
        var (archive, packed) = await PackTests.PackAsync(temporary.Path, entries, ArchiveLayout.Dot, compression: PackCompression.Store);
        var own = packed.Index!;
        foreach (var other in new[] { entries[1] with { Path = "metadata.jsom" }, entries[1] with { Mode = 0x1ff }, entries[1] with { ModifiedTime = new UnixTime(7, 7) } })
        {
            PackedEntry[] listed = [.. own.Entries.Select(entry => new PackedEntry(entry.Entry.Path.Length > 0 ? other : entry.Entry, entry.HeaderBytes))];
            byte[] lying = [.. archive.AsSpan(0, (int)own.Location.Offset), .. IndexWriter.Make(ArchiveLayout.Dot, "", own.Members, listed)];
            var index = IndexedArchive.IndexOf(lying);
            Assert.That(index, Is.Not.Null);
            Assert.That(() => IndexedArchive.ContentOf(lying, index!), Throws.TypeOf<ArchiveException>().With.Message.Contains("other headers"));
        }
    }

    [Test]
    public void A_tree_that_unpacking_would_refuse_is_foreign()
    {
        TreeEntry root = new("", TreeEntryType.Directory, 0x1ed, default);
        TreeEntry folder = root with { Path = "a" };
        TreeEntry file = new("a/b", TreeEntryType.File, 0x1a4, default, 0, null, default(ContentDigest));
        TreeEntry link = new("link", TreeEntryType.SymbolicLink, 0x1ff, default, 0, "a/b");
        Assert.That(Reads(root, folder, file, link), Is.True);

        Assert.That(Reads(), Is.False, "nothing");
        Assert.That(Reads(folder, file), Is.False, "no root");
        Assert.That(Reads(root, file, folder), Is.False, "a file before its folder");
        Assert.That(Reads(root, file), Is.False, "a file without its folder");
        Assert.That(Reads(root, folder, file, file), Is.False, "a file twice");
        Assert.That(Reads(root, folder, folder, file), Is.False, "a folder twice");
        Assert.That(Reads(root, folder, file with { Path = "a" }), Is.False, "a file in the place of a folder");
        Assert.That(Reads(root, link with { Path = "a" }, file), Is.False, "a file behind a link");
        Assert.That(Reads(root, link with { LinkTarget = "../b" }), Is.False, "a link that leads out");
        Assert.That(Reads(root, link with { LinkTarget = "/b" }), Is.False, "an absolute link");
        Assert.That(Reads(root, link with { LinkTarget = "" }), Is.False, "a link to nothing");
        Assert.That(Reads(root, link with { Mode = 0x1ed }), Is.False, "a link with a mode");
        Assert.That(Reads(root, folder with { Size = 512 }), Is.False, "a folder with content");
        foreach (var path in new[] { "/x", "..", "../x", "a/../x", "./x", "a//x", "a/", ".", "a/./x", "x\0", new string('x', 256) })
        {
            Assert.That(Reads(root, folder, file with { Path = path }), Is.False, path);
        }
    }

    [Test]
    public void Members_and_entries_that_do_not_add_up_are_foreign()
    {
        TreeEntry root = new("", TreeEntryType.Directory, 0x1ed, default);
        TreeEntry file = new("f", TreeEntryType.File, 0x1a4, default, 5_000, null, default(ContentDigest));
        PackedEntry[] entries = [new(root, 512), new(file, 512)];
        Assert.That(Reads(entries, 512 + 512 + 5_120, 10_240 - 6_144), Is.True, "one member");
        Assert.That(Reads(entries, 512 + 512 + 1_000, 4_120, 10_240 - 6_144), Is.True, "a file in two members");
        Assert.That(Reads(entries, 512 + 512 + 5_000, 120, 10_240 - 6_144), Is.True, "padding in a member of its own");
        Assert.That(Reads(entries, 512 + 100, 412 + 5_120, 10_240 - 6_144), Is.False, "a header in two members");
        Assert.That(Reads(entries, 512 + 512, 5_120, 10_240 - 6_144), Is.False, "a header without its content's first byte");
        Assert.That(Reads(entries, 512 + 512 + 5_120, 10_240), Is.False, "no whole record");
        Assert.That(Reads(entries, 512 + 512 + 5_120, 20_480 - 6_144), Is.False, "a record too many");
        Assert.That(Reads(entries, 10_240), Is.False, "the end mark in the member of a file");
        Assert.That(Reads(entries, 512 + 512 + 4_608, 10_240 - 5_632), Is.False, "the end mark inside of a file");
        Assert.That(Reads([new(root, 512), new(file, 0)], 512 + 5_120, 10_240 - 5_632), Is.False, "a file without header");

        static bool Reads(PackedEntry[] entries, params int[] members) => IndexDamageTests.Reads(entries, members);
    }

    [Test]
    public void The_reader_survives_any_text_and_what_it_accepts_is_safe_to_read()
    {
        const int runs = 30_000, seed = 20_260_101;
        var random = new Random(seed);
        Assert.That(ArchiveIndexReader.TryInflate(_archive.AsSpan((int)_index.Location.Offset), _index.Location, out var text), Is.True);
        var accepted = 0;
        for (var run = 0; run < runs; run++)
        {
            var changed = Mutate(random, text!);
            byte[] archive = [.. _archive.AsSpan(0, (int)_index.Location.Offset), .. IndexWriter.Wrap(changed, _index.Location.Offset)];
            if (changed.Length < 28 || IndexedArchive.IndexOf(archive) is not { } index)
            {
                continue;
            }

            accepted++;
            try
            {
                foreach (var (path, content) in IndexedArchive.ContentOf(archive, index))
                {
                    Assert.That(content, Is.EqualTo(_contents[path]), $"seed {seed}, run {run}");
                }
            }
            catch (ArchiveException refusal)
            {
                Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"seed {seed}, run {run}");
            }
        }

        Assert.That(accepted, Is.InRange(1, runs / 2));
    }

    [Test]
    public void The_reader_survives_any_bytes()
    {
        var random = new Random(20_260_102);
        for (var run = 0; run < 30_000; run++)
        {
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            if (run % 2 == 0)
            {
                bytes = [.. bytes, .. Mutate(random, _archive.AsSpan((int)_index.Location.Offset).ToArray())];
            }

            var length = random.Next(4) == 0 ? random.NextInt64() : bytes.Length;
            if (ArchiveIndexReader.TryReadFooter(bytes, length, out var location) && location.Length <= bytes.Length)
            {
                _ = ArchiveIndexReader.TryParse(bytes.AsSpan()[^location.Length..], location, Unpacking.Bert, UnpackLimits.Default, out _);
            }
        }
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        var changed = bytes.ToList();
        for (var i = random.Next(1, 5); i > 0 && changed.Count > 0; i--)
        {
            var at = random.Next(changed.Count);
            switch (random.Next(5))
            {
                case 0:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 1:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    changed.RemoveRange(at, Math.Min(random.Next(1, 60), changed.Count - at));
                    break;
                case 3:
                    changed.InsertRange(at, changed.GetRange(at, Math.Min(random.Next(1, 60), changed.Count - at)));
                    break;
                default:
                    changed[at] = (byte)(random.Next(2) * 255);
                    break;
            }
        }

        return [.. changed];
    }

    private static bool Reads(params TreeEntry[] entries)
    {
        var tarBytes = 512 * entries.Length;
        return Reads([.. entries.Select(entry => new PackedEntry(entry, 512))], tarBytes, 10_240 - tarBytes);
    }

    /// <summary>Whether an index of these entries, in members of these lengths, is taken.</summary>
    private static bool Reads(PackedEntry[] entries, params int[] tarBytes)
    {
        var members = new List<ArchiveMember>();
        foreach (var bytes in tarBytes.Where(bytes => bytes > 0))
        {
            var last = members.Count == 0 ? default : members[^1];
            members.Add(new ArchiveMember(last.End, bytes, last.TarEnd, bytes, MemberCoding.Stored, default));
        }

        var end = IndexWriter.Make(ArchiveLayout.Dot, "", members, entries);
        return ArchiveIndexReader.TryRead(end, members[^1].End + end.Length, Unpacking.Bert, UnpackLimits.Default, out _, out _);
    }

    private byte[] Flip(int bit)
    {
        var changed = (byte[])_archive.Clone();
        changed[bit / 8] ^= (byte)(1 << (bit % 8));
        return changed;
    }
}
