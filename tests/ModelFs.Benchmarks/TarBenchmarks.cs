using System.Formats.Tar;
using BenchmarkDotNet.Attributes;
using ModelFs.Archives.Streaming;

namespace ModelFs.Benchmarks;

/// <summary>Reading a tar in memory, all names and all content.</summary>
public class TarBenchmarks
{
    private byte[] _tar = [];
    private long _contentBytes;

    /// <summary>How many files the tar holds, and how large each is.</summary>
    [Params("5000 x 4 KiB", "16 x 4 MiB")]
    public string Files { get; set; } = "";

    /// <summary>Makes the tar as Python does: with PAX headers for times that have fractions.</summary>
    [GlobalSetup]
    public void Make()
    {
        var (count, bytes) = Files[0] == '5' ? (5000, 4 << 10) : (16, 4 << 20);
        var content = SampleContent.Text(bytes);
        using var made = new MemoryStream();
        using (var writer = new TarWriter(made, TarEntryFormat.Pax, leaveOpen: true))
        {
            for (var number = 0; number < count; number++)
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"model/{number / 1000:000}/file_{number:000000}")
                {
                    DataStream = new MemoryStream(content),
                    ModificationTime = DateTimeOffset.FromUnixTimeMilliseconds(1_600_000_000_123),
                });
            }
        }

        _tar = made.ToArray();
        _contentBytes = (long)count * bytes;
    }

    /// <summary>The reader that a fetch uses.</summary>
    [Benchmark]
    public async Task<long> ModelFsReader()
    {
        var source = ReadAhead.OverStream(new MemoryStream(_tar), 1 << 20, 4, (_, _) => { }, CancellationToken.None);
        await using (source.ConfigureAwait(false))
        {
            return Checked(ReadAll(new ModelFs.Archives.Tar.TarReader(source)));
        }
    }

    /// <summary>.NET's own reader, which checks less.</summary>
    [Benchmark(Baseline = true)]
    public long SystemReader()
    {
        using var reader = new System.Formats.Tar.TarReader(new MemoryStream(_tar));
        var block = new byte[1 << 16];
        long total = 0;
        while (reader.GetNextEntry() is { } entry)
        {
            int count;
            while (entry.DataStream is { } data && (count = data.Read(block)) > 0)
            {
                total += count;
            }
        }

        return Checked(total);
    }

    private static long ReadAll(ModelFs.Archives.Tar.TarReader reader)
    {
        long total = 0;
        while (reader.Next() is not null)
        {
            int count;
            while ((count = reader.NextContent().Length) > 0)
            {
                total += count;
            }
        }

        return total;
    }

    private long Checked(long total) => total == _contentBytes ? total : throw new InvalidOperationException($"{total} bytes came out");
}
