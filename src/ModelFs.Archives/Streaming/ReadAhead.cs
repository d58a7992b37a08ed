using System.Buffers;
using System.Threading.Channels;

namespace ModelFs.Archives.Streaming;

/// <summary>Fills a block from its start and returns the bytes that were written; fewer than the block holds only at the end of the data.</summary>
internal delegate int BlockFill(Span<byte> block);

/// <summary>
/// Bytes that a producer makes ahead of their consumer, in a few pooled blocks. The stages of unpacking and packing are joined by it, so that
/// reading, (de)compressing and writing overlap while the memory in use is <c>blocks × block size</c>.
/// One thread consumes. A producer's error comes out of <see cref="Peek"/> after the bytes that were made before it.
/// </summary>
internal sealed class ReadAhead : IAsyncDisposable
{
    private readonly Channel<Block> _blocks;
    private readonly CancellationTokenSource _stop;
    private readonly Task _pump;
    private Block _current;
    private int _offset;

    private ReadAhead(int blocksMax, Func<ReadAhead, Task> startPump, CancellationToken cancellationToken)
    {
        _blocks = Channel.CreateBounded<Block>(new BoundedChannelOptions(blocksMax) { SingleReader = true, SingleWriter = true });
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _pump = startPump(this);
    }

    /// <summary>Bytes consumed so far.</summary>
    public long Position { get; private set; }

    /// <summary>Reads <paramref name="stream"/> ahead.</summary>
    /// <param name="stream">Not disposed.</param>
    /// <param name="blockBytes">Size of a block.</param>
    /// <param name="blocksMax">Blocks that may wait for the consumer.</param>
    /// <param name="onRead">Told the bytes read so far after each block, and once more with <c>ended</c> at the end; may throw.</param>
    /// <param name="cancellationToken">Ends both sides.</param>
    public static ReadAhead OverStream(
        Stream stream, int blockBytes, int blocksMax, Action<long, bool> onRead, CancellationToken cancellationToken) =>
        new(blocksMax, self => Task.Run(() => self.PumpStreamAsync(stream, blockBytes, onRead), CancellationToken.None), cancellationToken);

    /// <summary>Runs <paramref name="fill"/> ahead on a thread of its own.</summary>
    public static ReadAhead OnOwnThread(BlockFill fill, int blockBytes, int blocksMax, CancellationToken cancellationToken) =>
        new(
            blocksMax,
            self => Task.Factory.StartNew(
                () => self.PumpFill(fill, blockBytes), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            cancellationToken);

    /// <summary>The bytes at hand, without consuming them; waits for the producer. Empty at the end. Valid until the next call of this object.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        if (_offset == _current.Length && TakeNextBlock(wait: true))
        {
            _offset = 0;
        }

        return _current.Bytes.AsSpan(_offset, _current.Length - _offset);
    }

    /// <summary>As <see cref="Peek"/>, for consumers that must not hold their thread.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PeekAsync()
    {
        if (_offset == _current.Length && await _blocks.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false) && TakeNextBlock(wait: false))
        {
            _offset = 0;
        }

        return _current.Bytes.AsMemory(_offset, _current.Length - _offset);
    }

    /// <summary>Consumes bytes that <see cref="Peek"/> showed; its span stays valid until the next call.</summary>
    public void Advance(int count)
    {
        _offset += count;
        Position += count;
    }

    /// <summary>Consumes and returns the next bytes, at most <paramref name="most"/>. Empty at the end.</summary>
    public ReadOnlySpan<byte> Take(long most)
    {
        var bytes = Peek();
        if (bytes.Length > most)
        {
            bytes = bytes[..(int)most];
        }

        Advance(bytes.Length);
        return bytes;
    }

    /// <summary>Consumes bytes until <paramref name="destination"/> is full.</summary>
    /// <returns>The bytes copied; fewer than asked for only at the end.</returns>
    public int ReadFully(Span<byte> destination)
    {
        var copied = 0;
        while (copied < destination.Length)
        {
            var bytes = Take(destination.Length - copied);
            if (bytes.IsEmpty)
            {
                break;
            }

            bytes.CopyTo(destination[copied..]);
            copied += bytes.Length;
        }

        return copied;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _pump.ConfigureAwait(false);
        Release();
        while (_blocks.Reader.TryRead(out var block))
        {
            ArrayPool<byte>.Shared.Return(block.Bytes!);
        }

        _stop.Dispose();
    }

    private bool TakeNextBlock(bool wait)
    {
        Block next;
        while (!_blocks.Reader.TryRead(out next))
        {
            // Only the threads of this pipeline wait here, never one of the pool (see OnOwnThread).
            if (!wait || !_blocks.Reader.WaitToReadAsync(_stop.Token).AsTask().GetAwaiter().GetResult())
            {
                return false;
            }
        }

        Release();
        _current = next;
        return true;
    }

    private void Release()
    {
        if (_current.Bytes is { } bytes)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _current = default;
        _offset = 0;
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
                bytes = ArrayPool<byte>.Shared.Rent(blockBytes);
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
            ReturnUnsent(bytes);
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
                bytes = ArrayPool<byte>.Shared.Rent(blockBytes);
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
            ReturnUnsent(bytes);
        }
    }

    private void Send(Block block)
    {
        while (!_blocks.Writer.TryWrite(block))
        {
            _blocks.Writer.WaitToWriteAsync(_stop.Token).AsTask().GetAwaiter().GetResult();
        }
    }

    private static void ReturnUnsent(byte[]? bytes)
    {
        if (bytes is not null)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>A pooled array and the bytes of it that count.</summary>
    private readonly record struct Block(byte[]? Bytes, int Length);
}
