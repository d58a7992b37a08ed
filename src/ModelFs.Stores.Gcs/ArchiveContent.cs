using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace ModelFs.Stores.Gcs;

/// <summary>Part of an archive on its way up: tells the deadline of every block that the connection took.</summary>
internal sealed class ArchiveContent : HttpContent
{
    private const int BlockBytes = 128 * 1024;

    private readonly IPublishContent _archive;
    private readonly long _offset;
    private readonly long _length;
    private readonly ProgressDeadline _deadline;

    /// <summary>Prepares a part.</summary>
    /// <param name="archive">The whole archive.</param>
    /// <param name="offset">Of the part, in bytes.</param>
    /// <param name="length">Of the part, in bytes.</param>
    /// <param name="deadline">Touched by each block.</param>
    internal ArchiveContent(IPublishContent archive, long offset, long length, ProgressDeadline deadline)
    {
        _archive = archive;
        _offset = offset;
        _length = length;
        _deadline = deadline;
        Headers.ContentType = new MediaTypeHeaderValue(GcsPublisher.ContentType);
    }

    /// <summary>CRC-32C of a whole archive.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Rejected"/> when it ends early.</exception>
    internal static async Task<Crc32C> ChecksumAsync(IPublishContent archive, CancellationToken cancellationToken)
    {
        var crc = default(Crc32C);
        await ForEachBlockAsync(
            archive,
            archive.OpenToCheck(0, archive.Length),
            0,
            archive.Length,
            block =>
            {
                crc.Append(block.Span);
                return ValueTask.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
        return crc;
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        ForEachBlockAsync(
            _archive,
            _archive.OpenRead(_offset, _length),
            _offset,
            _length,
            async block =>
            {
                await stream.WriteAsync(block, cancellationToken).ConfigureAwait(false);
                _deadline.Touch();
            },
            cancellationToken);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    private static async Task ForEachBlockAsync(IPublishContent archive, Stream source, long offset, long length, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            for (var left = length; left > 0;)
            {
                var read = await source.ReadAsync(block.AsMemory(0, (int)Math.Min(block.Length, left)), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    throw new StoreException(StoreErrorKind.Rejected, $"the archive to publish ended at byte {offset + length - left} of {archive.Length}; nothing was published");
                }

                await take(block.AsMemory(0, read)).ConfigureAwait(false);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }
}
