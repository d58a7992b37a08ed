namespace ModelFs.Archives.Streaming;

/// <summary>Bytes that come in blocks, for one thread that uses them where they lie.</summary>
internal abstract class BlockReader : IAsyncDisposable
{
    private ReadOnlyMemory<byte> _current;
    private int _offset;

    /// <summary>Bytes consumed so far.</summary>
    public long Position { get; private set; }

    /// <summary>Whether the next block is needed before anything can be peeked at.</summary>
    protected bool IsUsedUp => _offset == _current.Length;

    /// <summary>The bytes at hand, without consuming them; waits for the next block. Empty at the end. Valid until the next call of this object.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        if (IsUsedUp && TryTakeNext(out var next))
        {
            Use(next);
        }

        return _current.Span[_offset..];
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
    public abstract ValueTask DisposeAsync();

    /// <summary>Waits for the next block, which is valid until the next call; false at the end.</summary>
    protected abstract bool TryTakeNext(out ReadOnlyMemory<byte> next);

    /// <summary>Goes on with a block.</summary>
    protected void Use(ReadOnlyMemory<byte> next)
    {
        _current = next;
        _offset = 0;
    }

    /// <summary>What is left of the block in use.</summary>
    protected ReadOnlyMemory<byte> Rest() => _current[_offset..];
}
