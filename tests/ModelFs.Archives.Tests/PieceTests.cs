using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Stored pieces of files that are left where they are: the archive is the same, and nothing but what was packed ever gets into it.</summary>
public sealed class PieceTests
{
    private const int PieceBytes = 4 << 20;

    [TestCase(PackCompression.Auto)]
    [TestCase(PackCompression.Store)]
    public async Task An_archive_whose_pieces_are_left_in_their_files_is_the_same(PackCompression compression)
    {
        using var temporary = new TemporaryFolder();
        var entries = await WriteAsync(temporary.Path);
        var (whole, _) = await PackTests.PackAsync(temporary.Path, entries, ArchiveLayout.Named, compression: compression);
        var (archive, packed, written) = await PackLeavingAsync(temporary.Path, entries, compression);

        Assert.That(archive.AsSpan().SequenceEqual(whole), "the same bytes");
        Assert.That(packed.ArchiveBytes, Is.EqualTo(whole.Length));
        Assert.That(written, Is.LessThan(whole.Length / 10));
        Assert.That(packed.Segments.Sum(segment => segment.Length), Is.EqualTo(whole.Length));
    }

    [Test]
    public async Task A_piece_of_a_file_that_was_changed_is_refused()
    {
        using var temporary = new TemporaryFolder();
        var entries = await WriteAsync(temporary.Path);
        var (_, packed, _) = await PackLeavingAsync(temporary.Path, entries, PackCompression.Auto);
        var piece = packed.Segments.Select(segment => segment.Piece).Last(piece => piece?.Path == "odd")!;
        var path = Path.Combine(temporary.Path, "odd");
        var content = File.ReadAllBytes(path);
        Assert.That(piece.PaddingBytes, Is.Positive, "it is the last piece of its file");

        File.WriteAllBytes(path, [.. content, 1]);
        Assert.That(() => Make(temporary.Path, piece), Throws.Nothing, "what follows the piece is not its own");
        content[piece.Offset] ^= 1;
        File.WriteAllBytes(path, content);
        Refuses("changed");
        File.WriteAllBytes(path, content[..^1]);
        Refuses("shorter");
        File.Delete(path);
        Refuses("opened");

        void Refuses(string reason)
        {
            var refusal = Assert.Throws<PackException>(() => Make(temporary.Path, piece));
            Assert.That(refusal!.Path, Is.EqualTo("odd"));
            Assert.That(refusal.Message, Does.Contain(reason));
        }
    }

    [Test]
    public async Task A_stored_piece_is_read_where_it_lies_and_only_if_every_byte_of_its_member_is_right()
    {
        using var temporary = new TemporaryFolder();
        var (archive, packed) = await PackTests.PackAsync(temporary.Path, await WriteAsync(temporary.Path), ArchiveLayout.Named);
        var index = packed.Index!;
        var odd = index.Entries.Single(entry => entry.Entry.Path == "odd");
        var number = odd.FirstMember + odd.MemberCount - 1;
        var member = index.Members[number];
        var content = File.ReadAllBytes(Path.Combine(temporary.Path, "odd"));
        using var inflater = new MemberInflater();

        var slices = IndexedArchive.InflateOne(inflater, archive, index, number).ToList();
        Assert.That(slices, Has.Count.EqualTo((member.TarBytes + 65_534) / 65_535), "one for each block");
        Assert.That(slices.SelectMany(slice => slice.Bytes.ToArray()), Is.EqualTo(content[(int)slices[0].FileOffset..]));

        foreach (var at in new[] { 0, 9, 10, 11, 14, 15, 65_549, 65_550, 65_551, 65_555, member.ArchiveBytes - 9, member.ArchiveBytes - 8, member.ArchiveBytes - 1 })
        {
            var damaged = (byte[])archive.Clone();
            damaged[member.Offset + at] ^= 1;
            Assert.That(() => IndexedArchive.InflateOne(inflater, damaged, index, number), Throws.TypeOf<ArchiveException>(), $"byte {at}");
        }
    }

    private static byte[] Make(string folder, StoredPiece piece)
    {
        var member = new byte[piece.ArchiveBytes];
        member.AsSpan().Fill(0xff);
        piece.Make(folder, member);
        return member;
    }

    /// <summary>Packs, and puts the archive together as a reader of it would.</summary>
    private static async Task<(byte[] Archive, PackedModel Packed, long Written)> PackLeavingAsync(string folder, IReadOnlyList<TreeEntry> entries, PackCompression compression)
    {
        var output = new MemoryStream();
        var options = new PackOptions(ArchiveFormat.TarGz, ArchiveLayout.Named, Unpacking.Bert, compression) { LeavesPieces = true };
        var packed = await ModelPacker.PackAsync(folder, entries, options, output, CancellationToken.None);
        var archive = new MemoryStream();
        foreach (var segment in packed.Segments)
        {
            archive.Write(segment.Piece is { } piece ? Make(folder, piece) : output.GetBuffer().AsSpan((int)segment.Offset, (int)segment.Length));
        }

        return (archive.ToArray(), packed, output.Length);
    }

    /// <summary>Content that deflate does not shrink, in files whose last pieces end in every way.</summary>
    private static async Task<IReadOnlyList<TreeEntry>> WriteAsync(string folder)
    {
        var random = new Random(7);
        foreach (var (name, length) in new[] { ("even", 2 * PieceBytes), ("odd", PieceBytes + 131_073 + 70_000), ("one-more", PieceBytes + 1), ("small", 1000) })
        {
            var content = new byte[length];
            random.NextBytes(content);
            await File.WriteAllBytesAsync(Path.Combine(folder, name), content);
        }

        return await ModelTree.ScanAsync(folder, null, CancellationToken.None);
    }
}
