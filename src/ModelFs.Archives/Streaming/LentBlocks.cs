namespace ModelFs.Archives.Streaming;

/// <summary>Uses the blocks of a source where they lie. The source reads ahead by itself.</summary>
/// <param name="source">Not disposed of.</param>
/// <param name="blockBytes">How much is asked for at once.</param>
/// <param name="onRead">Told the bytes read so far after each block, and once more with <c>ended</c> at the end; may throw.</param>
/// <param name="cancellationToken">Ends the waiting.</param>
internal sealed class LentBlocks(IBlockSource source, int blockBytes, Action<long, bool> onRead, CancellationToken cancellationToken) : BlockReader
{
    private long _total;
    private bool _ended;

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => default;

    /// <inheritdoc/>
    protected override bool TryTakeNext(out ReadOnlyMemory<byte> next)
    {
        next = default;
        if (_ended)
        {
            return false;
        }

        // Only threads of the pipeline wait here, never one of the pool.
        var block = source.NextBlockAsync(blockBytes, cancellationToken);
        next = block.IsCompletedSuccessfully ? block.Result : block.AsTask().GetAwaiter().GetResult();
        _total += next.Length;
        _ended = next.IsEmpty;
        onRead(_total, _ended);
        return !_ended;
    }
}
