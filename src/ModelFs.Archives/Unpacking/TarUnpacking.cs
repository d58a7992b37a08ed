using ModelFs.Archives.Bzip2;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;
using ModelFs.Archives.Streaming;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// Unpacks a tar in up to three overlapped stages: reading the archive, decompressing it, writing the tree. At most
/// <c>ArchiveBlocks + DataBlocks</c> and the two blocks in hand are in memory, whatever the archive holds.
/// </summary>
internal static class TarUnpacking
{
    private const int ArchiveBlockBytes = 512 << 10;
    private const int ArchiveBlocks = 4;
    private const int DataBlockBytes = 1 << 20;
    private const int DataBlocks = 5;

    public static async Task RunAsync(
        Stream archive, long archiveLength, ArchiveFormat format, IMemberSink tree, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var check = new LengthCheck(archiveLength, progress);
        BlockReader source = archive is IBlockSource lender
            ? new LentBlocks(lender, ArchiveBlockBytes, check.OnRead, cancellationToken)
            : ReadAhead.OverStream(archive, ArchiveBlockBytes, ArchiveBlocks, check.OnRead, cancellationToken);
        await using (source.ConfigureAwait(false))
        {
            switch (format)
            {
                case ArchiveFormat.TarGz or ArchiveFormat.Tgz:
                    using (var inflater = DeflateCodec.NewInflater())
                    {
                        var checksums = new MemberChecksums();
                        await DecodeAsync(new GzipReader(source, inflater, checksums).Fill, checksums.Check, tree, cancellationToken).ConfigureAwait(false);
                    }

                    break;
                case ArchiveFormat.TarBz2:
                    await DecodeAsync(new Bzip2Reader(source, new BlockReaderStream(source)).Fill, null, tree, cancellationToken).ConfigureAwait(false);
                    break;
                case ArchiveFormat.Tar:
                    await OnOwnThread(() => ReadMembers(source, tree, cancellationToken)).ConfigureAwait(false);
                    break;
                case ArchiveFormat.Zip:
                    throw new ArgumentOutOfRangeException(nameof(format), format, "a zip is no tar");
            }
        }
    }

    private static async Task DecodeAsync(BlockFill decoder, BlockCheck? check, IMemberSink tree, CancellationToken cancellationToken)
    {
        var data = ReadAhead.OnOwnThread(decoder, DataBlockBytes, DataBlocks, cancellationToken, check);
        await using (data.ConfigureAwait(false))
        {
            await OnOwnThread(() => ReadMembers(data, tree, cancellationToken)).ConfigureAwait(false);
        }
    }

    private static Task OnOwnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void ReadMembers(BlockReader data, IMemberSink tree, CancellationToken cancellationToken)
    {
        var reader = new TarReader(data);
        while (reader.Next() is { } member)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tree.Add(member, reader.NextContent);
        }

        if (reader.HasBytesAfterEnd)
        {
            tree.Warn("bytes that follow the end mark of the tar are ignored, as other tar readers do");
        }
    }
}
