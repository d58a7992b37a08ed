using System.IO.Compression;
using BenchmarkDotNet.Attributes;
using ModelFs.Archives.Deflate;

namespace ModelFs.Benchmarks;

/// <summary>Inflating 16 MiB in memory, in blocks of 256 KiB as a fetch does it.</summary>
public class InflateBenchmarks
{
    private const int ContentBytes = 16 << 20;

    private readonly byte[] _output = new byte[256 << 10];
    private byte[] _packed = [];

    /// <summary>What is inflated.</summary>
    [Params("weights", "text")]
    public string Content { get; set; } = "";

    /// <summary>Packs the content as gzip -6 would.</summary>
    [GlobalSetup]
    public void Pack()
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal))
        {
            deflate.Write(Content == "text" ? SampleContent.Text(ContentBytes) : SampleContent.Weights(ContentBytes));
        }

        _packed = packed.ToArray();
    }

    /// <summary>ISA-L where the library is there; otherwise the same as <see cref="Managed"/>.</summary>
    [Benchmark]
    public long Native()
    {
        using var inflater = DeflateCodec.NewInflater();
        return Inflate(inflater);
    }

    /// <summary>What is used where the library is missing.</summary>
    [Benchmark]
    public long Managed()
    {
        using var inflater = new ManagedInflater();
        return Inflate(inflater);
    }

    /// <summary>.NET's own stream.</summary>
    [Benchmark(Baseline = true)]
    public long SystemStream()
    {
        using var inflate = new DeflateStream(new MemoryStream(_packed), CompressionMode.Decompress);
        long total = 0;
        int count;
        while ((count = inflate.Read(_output)) > 0)
        {
            total += count;
        }

        return Checked(total);
    }

    private long Inflate(IInflater inflater)
    {
        long total = 0;
        var offset = 0;
        bool isEnd;
        do
        {
            isEnd = inflater.Run(_packed.AsSpan(offset), _output, out var consumed, out var produced);
            offset += consumed;
            total += produced;
        }
        while (!isEnd);

        return Checked(total);
    }

    private static long Checked(long total) => total == ContentBytes ? total : throw new InvalidOperationException($"{total} bytes came out");
}
