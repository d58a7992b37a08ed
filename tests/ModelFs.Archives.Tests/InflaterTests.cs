using System.IO.Compression;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;
using ModelFs.Archives.Streaming;

namespace ModelFs.Archives.Tests;

/// <summary>Both inflaters decode the same, whatever the pieces, and see every cut.</summary>
[TestFixture("system")]
[TestFixture("isa-l")]
public sealed class InflaterTests(string codec)
{
    [OneTimeSetUp]
    public void Needs_the_codec()
    {
        if (codec == "isa-l" && DeflateCodec.Name != codec)
        {
            Assert.Ignore("libmodelfs.so is not beside the tests: run make -C native");
        }
    }

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(1 << 16)]
    public async Task Members_are_decoded_in_any_pieces(int blockBytes)
    {
        const int seed = 1;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var data = new byte[70_000];
        random.NextBytes(data.AsSpan(0, 30_000));
        byte[] packed = [.. Pack(data.AsSpan(0, 100)), .. Pack([]), .. Pack(data.AsSpan(100)), .. new byte[100]];
        foreach (var outputBytes in new[] { 1, 13, 4096, 1 << 20 })
        {
            if ((long)outputBytes * blockBytes >= 7)
            {
                Assert.That(await DecodeAsync(packed, blockBytes, outputBytes), Is.EqualTo(data), $"{outputBytes} bytes of room");
            }
        }
    }

    [Test]
    public async Task A_cut_member_is_refused_at_every_byte()
    {
        var packed = Pack("some text, some text, some more text"u8);
        for (var length = 0; length < packed.Length; length++)
        {
            var refusal = await RefusalAsync(packed[..length]);
            Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"cut at {length}");
        }
    }

    [TestCase(10, Description = "fixed codes")]
    [TestCase(1500, Description = "codes of its own")]
    public async Task A_flipped_bit_is_refused_or_decodes_to_the_same_bytes(int words)
    {
        var data = System.Text.Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, words).Select(i => $"{i * i % 997:x}")));
        var packed = Pack(data);
        for (var bit = 0; bit < packed.Length * 8; bit++)
        {
            var damaged = (byte[])packed.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.That(await DecodeAsync(damaged, 1 << 16, 4096), Is.EqualTo(data), $"bit {bit}");
            }
            catch (ArchiveException refusal)
            {
                Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Damaged), $"bit {bit}");
            }
        }
    }

    private async Task<ArchiveException> RefusalAsync(byte[] packed)
    {
        try
        {
            await DecodeAsync(packed, 1 << 16, 4096);
        }
        catch (ArchiveException refusal)
        {
            return refusal;
        }

        throw new AssertionException("it was accepted");
    }

    private async Task<byte[]> DecodeAsync(byte[] packed, int blockBytes, int outputBytes)
    {
        using IInflater inflater = codec == "isa-l" ? new NativeInflater() : new ManagedInflater();
        var source = ReadAhead.OverStream(new MemoryStream(packed), blockBytes, 4, (_, _) => { }, CancellationToken.None);
        await using (source)
        {
            var checksums = new MemberChecksums();
            var reader = new GzipReader(source, inflater, checksums);
            var data = new MemoryStream();
            var block = new byte[outputBytes];
            int filled;
            do
            {
                filled = reader.Fill(block);
                checksums.Check(block.AsSpan(0, filled));
                data.Write(block, 0, filled);
            }
            while (filled == block.Length);
            checksums.Check([]);
            return data.ToArray();
        }
    }

    private static byte[] Pack(ReadOnlySpan<byte> data)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(data);
            if (data.IsEmpty)
            {
                packed.Write([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            }
        }

        return packed.ToArray();
    }
}
