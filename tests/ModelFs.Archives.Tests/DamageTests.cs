using System.Buffers.Binary;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>A broken archive is an error, never a short or different tree.</summary>
public sealed class DamageTests
{
    private const int TarHeaderBits = 512 * 8;

    private static readonly byte[] s_tar = new RawTar()
        .Add("./", '5', mode: 0x1ed)
        .Add("./metadata.json", content: "{}\n")
        .Pax(("mtime", "1700000000.5")).Add("./weights", content: "0123456789")
        .Add("./link", '2', link: "weights")
        .Tar();

    private static readonly byte[] s_gzip = RawTar.Gzip(s_tar);

    [Test]
    public async Task A_cut_archive_is_refused_at_every_byte_whether_or_not_the_store_knows_its_length()
    {
        for (var length = 0; length < s_gzip.Length; length++)
        {
            Assert.That((await Unpacking.RefusalAsync(s_gzip[..length])).Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"cut at {length}");
            Assert.That((await Unpacking.RefusalAsync(s_gzip[..length], length: s_gzip.Length)).Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"cut at {length}");
        }
    }

    [Test]
    public async Task A_flipped_bit_is_refused_or_changes_nothing()
    {
        var whole = await Unpacking.AndDropAsync(s_gzip);
        var harmless = new List<int>();
        for (var bit = 0; bit < s_gzip.Length * 8; bit++)
        {
            var damaged = (byte[])s_gzip.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var model = await Unpacking.AndDropAsync(damaged);
                Assert.That(model.Entries, Is.EqualTo(whole.Entries), $"bit {bit}");
                harmless.Add(bit / 8);
            }
            catch (ArchiveException refusal)
            {
                Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"bit {bit}");
            }
        }

        // The header's flags (bit 0 says "text"), time, hints and system mean nothing, and some deflate codes have twins: zeros copied from one byte
        // before or from two. Magic, method, checksum and length never have.
        Assert.That(harmless, Has.None.LessThan(3).And.None.GreaterThanOrEqualTo(s_gzip.Length - 8));
        Assert.That(harmless, Has.Count.LessThan(s_gzip.Length));
    }

    [Test]
    public async Task A_flipped_bit_in_a_header_of_a_plain_tar_is_refused()
    {
        const int checksumAt = 148, checksumEnd = 156;
        for (var bit = 0; bit < TarHeaderBits; bit++)
        {
            if (bit / 8 is >= checksumAt and < checksumEnd)
            {
                continue; // the field's own blanks have several spellings
            }

            var damaged = (byte[])s_tar.Clone();
            damaged[512 + (bit / 8)] ^= (byte)(1 << (bit % 8));
            Assert.That((await Unpacking.RefusalAsync(damaged, ArchiveFormat.Tar)).Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"bit {bit}");
        }
    }

    [TestCase(ArchiveFormat.Tar)]
    [TestCase(ArchiveFormat.TarBz2)]
    [TestCase(ArchiveFormat.Zip)]
    public async Task Other_formats_are_refused_when_they_are_cut(ArchiveFormat format)
    {
        var whole = format == ArchiveFormat.Tar ? s_tar : FixtureBytes(format);
        for (var length = 0; length < whole.Length; length += format == ArchiveFormat.Tar ? 128 : 61)
        {
            Assert.That((await Unpacking.RefusalAsync(whole[..length], format)).Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"cut at {length}");
        }
    }

    [TestCase(ArchiveFormat.TarBz2)]
    [TestCase(ArchiveFormat.Zip)]
    public async Task Other_compressed_formats_never_give_another_content(ArchiveFormat format)
    {
        var whole = FixtureBytes(format);
        var model = await Unpacking.AndDropAsync(whole, format);
        var contents = model.Entries.Where(entry => entry.Digest is not null).ToDictionary(entry => entry.Path, entry => entry.Digest);
        var refused = 0;
        for (var at = 0; at < whole.Length; at += 37)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            try
            {
                var other = await Unpacking.AndDropAsync(damaged, format);
                var changed = other.Entries.Where(entry => contents.TryGetValue(entry.Path, out var digest) && digest != entry.Digest);
                Assert.That(changed, Is.Empty, $"byte {at}");
            }
            catch (ArchiveException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.GreaterThan(0));
    }

    [Test]
    public async Task A_wrong_checksum_or_length_in_the_gzip_trailer_is_refused()
    {
        foreach (var (at, word) in new[] { (s_gzip.Length - 8, "checksum"), (s_gzip.Length - 4, "length") })
        {
            var damaged = (byte[])s_gzip.Clone();
            BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(at), 12345);
            Assert.That((await Unpacking.RefusalAsync(damaged)).Message, Does.Contain(word));
        }
    }

    [Test]
    public async Task The_checksum_of_every_member_is_compared_wherever_it_ends()
    {
        // Members end before, at and behind the end of a block of the pipeline, and one is empty.
        const int block = 1 << 20;
        var tar = new RawTar().Add("f", content: new string('x', 3 * block)).Tar();
        int[] ends = [block - 1, block, (2 * block) + 1, tar.Length];
        var members = ends.Select((end, number) => RawTar.Gzip(tar[(number == 0 ? 0 : ends[number - 1])..end])).ToList();
        members.Insert(2, Convert.FromHexString("1F8B080000000000000303000000000000000000"));
        await Unpacking.AndDropAsync([.. members.SelectMany(member => member)]);
        foreach (var member in members)
        {
            member[^8] ^= 1;
            Assert.That((await Unpacking.RefusalAsync([.. members.SelectMany(each => each)])).Message, Does.Contain("checksum"));
            member[^8] ^= 1;
        }
    }

    [Test]
    public async Task What_is_not_gzip_is_refused()
    {
        foreach (var bytes in new[] { [], "<?xml version=\"1.0\"?><Error/>"u8.ToArray(), new byte[2000], s_tar })
        {
            Assert.That((await Unpacking.RefusalAsync(bytes)).Kind, Is.EqualTo(ArchiveErrorKind.Damaged));
        }
    }

    [Test]
    public async Task Zeros_behind_the_last_member_are_padding_and_anything_else_is_refused()
    {
        var model = await Unpacking.AndDropAsync([.. s_gzip, .. new byte[700_000]]);
        Assert.That(model.Entries, Has.Count.EqualTo(4));
        var refusal = await Unpacking.RefusalAsync([.. s_gzip, .. new byte[700_000], 7]);
        Assert.That(refusal.Message, Does.Contain("follows the last member"));
        Assert.That((await Unpacking.RefusalAsync([.. s_gzip, .. "x"u8])).Kind, Is.EqualTo(ArchiveErrorKind.Damaged));
        Assert.That((await Unpacking.RefusalAsync([.. s_gzip, 0x1f])).Kind, Is.EqualTo(ArchiveErrorKind.Damaged));
    }

    [Test]
    public async Task An_archive_of_another_length_than_the_store_lists_is_refused()
    {
        Assert.That((await Unpacking.RefusalAsync(s_gzip, length: s_gzip.Length + 1)).Message, Does.Contain("instead of"));
        Assert.That((await Unpacking.RefusalAsync(s_gzip, length: s_gzip.Length - 1)).Message, Does.Contain("more than"));
    }

    [Test]
    public async Task A_tar_without_its_end_mark_is_refused_though_its_gzip_is_whole()
    {
        Assert.That((await Unpacking.RefusalAsync(RawTar.Gzip(s_tar[..^1024]))).Message, Does.Contain("end mark"));
        Assert.That((await Unpacking.RefusalAsync(RawTar.Gzip(s_tar[..^512]))).Message, Does.Contain("end mark"));
        Assert.That((await Unpacking.RefusalAsync(RawTar.Gzip(s_tar[..512]))).Message, Does.Contain("end mark"));
    }

    [Test]
    public async Task Bytes_behind_the_end_mark_are_ignored_and_reported()
    {
        var model = await Unpacking.AndDropAsync(RawTar.Gzip([.. s_tar, .. "left over"u8]));
        Assert.That(model.Warnings, Has.One.Contains("end mark"));
    }

    private static byte[] FixtureBytes(ArchiveFormat format) =>
        File.ReadAllBytes(Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures"), "named-*" + format.Suffix()).First());
}
