namespace ModelFs.Archives.Streaming;

/// <summary>A stream that can also lend out the memory in which its next bytes already lie, so that they are not copied once more.</summary>
public interface IBlockSource
{
    /// <summary>The next bytes, which count as read; waits for them. Empty at the end. Valid until the next call.</summary>
    /// <param name="bytes">How many; fewer only where their memory or the data ends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<ReadOnlyMemory<byte>> NextBlockAsync(int bytes, CancellationToken cancellationToken);
}
