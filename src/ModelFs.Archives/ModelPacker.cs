using System.Buffers;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Packing;
using ModelFs.Archives.Streaming;
using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>Makes an archive from a model folder.</summary>
public static class ModelPacker
{
    private const int BlockBytes = 1 << 20;
    private const int Blocks = 4;

    /// <summary>Writes the files of <paramref name="folder"/> as one archive to <paramref name="output"/>. Reading and compressing overlap; memory is bounded.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="entries">What to pack, as <see cref="ModelTree.ScanAsync"/> listed it, sorted.</param>
    /// <param name="options">Format, layout, compression; with a base only what the base does not have is read and written.</param>
    /// <param name="output">Takes the archive, or those of its segments that are not of the base; not disposed.</param>
    /// <param name="cancellationToken">Ends the work at the next block.</param>
    /// <exception cref="PackException">A file is not what <paramref name="entries"/> says: shorter, longer, other bytes, gone. What was written is useless.</exception>
    /// <exception cref="ArchiveException">The tree holds what can't be unpacked again: a link that leads out, or a path that is too long.</exception>
    /// <exception cref="ArgumentException">The format is one that ModelFs only reads.</exception>
    /// <exception cref="IOException">The output or the file system failed.</exception>
    public static async Task<PackedModel> PackAsync(
        string folder, IReadOnlyList<TreeEntry> entries, PackOptions options, Stream output, CancellationToken cancellationToken)
    {
        if (!options.Format.CanWrite())
        {
            throw new ArgumentException($"{options.Format} archives are only read", nameof(options));
        }

        // What a reader of ours would refuse must not be published.
        LinkRule.Check(entries);
        MemberName.RequireReadable(entries);
        folder = Path.TrimEndingDirectorySeparator(folder);
        var ordered = PackOrder.Arrange(entries, options.Order);
        return options.IsIndexed
            ? await IndexedPacking.RunAsync(folder, PackPlan.Make(ordered, options), options, output, cancellationToken).ConfigureAwait(false)
            : await PackWholeAsync(folder, ordered, options, output, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<PackedModel> PackWholeAsync(
        string folder, IReadOnlyList<TreeEntry> entries, PackOptions options, Stream output, CancellationToken cancellationToken)
    {
        using var producer = new TarProducer(folder, entries, options);
        var tar = ReadAhead.OnOwnThread(producer.Fill, BlockBytes, Blocks, cancellationToken);
        long archiveBytes, tarBytes;
        await using (tar.ConfigureAwait(false))
        {
            archiveBytes = options.Format == ArchiveFormat.Tar
                ? await CopyAsync(tar, output, cancellationToken).ConfigureAwait(false)
                : await CompressAsync(tar, options, output, cancellationToken).ConfigureAwait(false);
            tarBytes = tar.Position;
        }

        var isStored = options.Format == ArchiveFormat.Tar || options.Compression == PackCompression.Store;
        var report = isStored ? new CompressionReport(tarBytes, 0, 0, 0, 0) : new CompressionReport(0, 0, 0, tarBytes, archiveBytes);
        var packed = producer.Packed.OrderBy(entry => entry.Path, StringComparer.Ordinal).ToList();
        return new PackedModel(archiveBytes, packed, [new ArchiveSegment(false, 0, archiveBytes)], report, null);
    }

    private static async Task<long> CopyAsync(ReadAhead tar, Stream output, CancellationToken cancellationToken)
    {
        for (var data = await tar.PeekAsync().ConfigureAwait(false); !data.IsEmpty; data = await tar.PeekAsync().ConfigureAwait(false))
        {
            await output.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            tar.Advance(data.Length);
        }

        return tar.Position;
    }

    private static async Task<long> CompressAsync(ReadAhead tar, PackOptions options, Stream output, CancellationToken cancellationToken)
    {
        using var gzip = new GzipWriter(options.Compression == PackCompression.Store ? new StoringDeflater() : DeflateCodec.NewDeflater(options.Level));
        var buffer = new ArrayBufferWriter<byte>(BlockBytes + (BlockBytes / 8));
        long written = 0;
        GzipWriter.Begin(buffer);
        for (var data = await tar.PeekAsync().ConfigureAwait(false); !data.IsEmpty; data = await tar.PeekAsync().ConfigureAwait(false))
        {
            gzip.Write(data.Span, buffer);
            tar.Advance(data.Length);
            written += await FlushAsync().ConfigureAwait(false);
        }

        gzip.End(buffer);
        return written + await FlushAsync().ConfigureAwait(false);

        async ValueTask<int> FlushAsync()
        {
            var count = buffer.WrittenCount;
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
            buffer.ResetWrittenCount();
            return count;
        }
    }
}
