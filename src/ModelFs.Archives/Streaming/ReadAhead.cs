using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;

namespace ModelFs.Archives.Streaming;

/// <summary>Fills a block from its start and returns the bytes that were written; fewer than the block holds only at the end of the data.</summary>
internal delegate int BlockFill(Span<byte> block);

/// <summary>Looks at a block before its first byte is used, on the consumer's thread; once more at the end, at an empty one.</summary>
internal delegate void BlockCheck(ReadOnlySpan<byte> block);

/// <summary>
/// Bytes that a producer makes ahead of their consumer, in a few pooled blocks. The stages of unpacking and packing are joined by it, so that
/// reading, (de)compressing and writing overlap while the memory in use is <c>blocks × block size</c>.
/// One thread consumes. A producer's error comes out of <see cref="BlockReader.Peek"/> after the bytes that were made before it.
/// </summary>
internal sealed class ReadAhead : BlockReader
{
    private readonly Channel<Block> _blocks;
    private readonly ConcurrentStack<byte[]> _used = [];
    private readonly CancellationTokenSource _stop;
    private readonly BlockCheck? _check;
    private readonly Task _pump;
    private byte[]? _held;

    private ReadAhead(int blocksMax, BlockCheck? check, Func<ReadAhead, Task> startPump, CancellationToken cancellationToken)
    {
        _check = check;
        _blocks = Channel.CreateBounded<Block>(new BoundedChannelOptions(blocksMax) { SingleReader = true, SingleWriter = true });
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _pump = startPump(this);
    }

    /// <summary>Reads <paramref name="stream"/> ahead.</summary>
    /// <param name="stream">Not disposed.</param>
    /// <param name="blockBytes">Size of a block.</param>
    /// <param name="blocksMax">Blocks that may wait for the consumer.</param>
    /// <param name="onRead">Told the bytes read so far after each block, and once more with <c>ended</c> at the end; may throw.</param>
    /// <param name="cancellationToken">Ends both sides.</param>
    public static ReadAhead OverStream(
        Stream stream, int blockBytes, int blocksMax, Action<long, bool> onRead, CancellationToken cancellationToken) =>
        new(blocksMax, check: null, self => Task.Run(() => self.PumpStreamAsync(stream, blockBytes, onRead), CancellationToken.None), cancellationToken);

    /// <summary>Runs <paramref name="fill"/> ahead on a thread of its own. What <paramref name="check"/> throws comes out of <see cref="BlockReader.Peek"/>.</summary>
    public static ReadAhead OnOwnThread(BlockFill fill, int blockBytes, int blocksMax, CancellationToken cancellationToken, BlockCheck? check = null) =>
        new(
            blocksMax,
            check,
            self => Task.Factory.StartNew(
                () => self.PumpFill(fill, blockBytes), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            cancellationToken);

    /// <summary>As <see cref="BlockReader.Peek"/>, for consumers that must not hold their thread.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PeekAsync()
    {
        if (IsUsedUp)
        {
            await _blocks.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false);
            if (TryTake(wait: false, out var next))
            {
                Use(next);
            }
        }

        return Rest();
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _pump.ConfigureAwait(false);
        Release();
        while (_blocks.Reader.TryRead(out var block))
        {
            _used.Push(block.Bytes!);
        }

        // Not one by one, where they were used: what the pool keeps for a thread is lost with the thread.
        foreach (var bytes in _used)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _stop.Dispose();
    }

    /// <inheritdoc/>
    protected override bool TryTakeNext(out ReadOnlyMemory<byte> next) => TryTake(wait: true, out next);

    private bool TryTake(bool wait, out ReadOnlyMemory<byte> next)
    {
        next = default;
        Block block;
        while (!_blocks.Reader.TryRead(out block))
        {
            // Only the threads of this pipeline wait here, never one of the pool (see OnOwnThread).
            if (!wait || !_blocks.Reader.WaitToReadAsync(_stop.Token).AsTask().GetAwaiter().GetResult())
            {
                _check?.Invoke([]);
                return false;
            }
        }

        Release();
        _held = block.Bytes;
        next = block.Bytes.AsMemory(0, block.Length);
        _check?.Invoke(next.Span);
        return true;
    }

    private void Release()
    {
        KeepUsed(_held);
        _held = null;
    }

    private async Task PumpStreamAsync(Stream stream, int blockBytes, Action<long, bool> onRead)
    {
        byte[]? bytes = null;
        try
        {
            long total = 0;
            int length;
            do
            {
                bytes = NewBlock(blockBytes);
                length = await stream.ReadAtLeastAsync(bytes.AsMemory(0, blockBytes), blockBytes, throwOnEndOfStream: false, _stop.Token).ConfigureAwait(false);
                total += length;
                onRead(total, false);
                await _blocks.Writer.WriteAsync(new Block(bytes, length), _stop.Token).ConfigureAwait(false);
                bytes = null;
            }
            while (length == blockBytes);

            onRead(total, true);
            _blocks.Writer.Complete();
        }
        catch (Exception error)
        {
            _blocks.Writer.Complete(error);
        }
        finally
        {
            KeepUsed(bytes);
        }
    }

    private void PumpFill(BlockFill fill, int blockBytes)
    {
        byte[]? bytes = null;
        try
        {
            int length;
            do
            {
                bytes = NewBlock(blockBytes);
                length = fill(bytes.AsSpan(0, blockBytes));
                Send(new Block(bytes, length));
                bytes = null;
            }
            while (length == blockBytes);

            _blocks.Writer.Complete();
        }
        catch (Exception error)
        {
            _blocks.Writer.Complete(error);
        }
        finally
        {
            KeepUsed(bytes);
        }
    }

    private void Send(Block block)
    {
        while (!_blocks.Writer.TryWrite(block))
        {
            _blocks.Writer.WaitToWriteAsync(_stop.Token).AsTask().GetAwaiter().GetResult();
        }
    }

    private byte[] NewBlock(int bytes) => _used.TryPop(out var block) ? block : ArrayPool<byte>.Shared.Rent(bytes);

    private void KeepUsed(byte[]? bytes)
    {
        if (bytes is not null)
        {
            _used.Push(bytes);
        }
    }

    /// <summary>A pooled array and the bytes of it that count.</summary>
    private readonly record struct Block(byte[]? Bytes, int Length);
}
