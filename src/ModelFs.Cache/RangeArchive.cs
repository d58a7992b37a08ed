using ModelFs.Archives.Streaming;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>An archive that is fetched in parallel ranges, and unpacked from the memory that they arrive in.</summary>
internal sealed class RangeArchive(ParallelRangeReader reader) : ForwardOnlyStream, IBlockSource
{
    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => reader.ReadAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> NextBlockAsync(int bytes, CancellationToken cancellationToken) => reader.ReadBlockAsync(bytes, cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            reader.Dispose();
        }

        base.Dispose(disposing);
    }
}
