namespace ModelFs.Stores;

/// <summary>
/// Reads one object from front to back while several ranged requests fetch ahead. All parts are pinned to one revision; the first failure ends the whole.
/// </summary>
/// <remarks>
/// Parts are handed out in order, and a part's bytes as they arrive. Memory stays below
/// <see cref="ParallelReadOptions.InFlightBytesMax"/>, and is given back to the system when the reader is disposed of. For one reader at a time.
/// How large parts are and how many are fetched at once follows what is observed, see <see cref="RangePlan"/>.
/// </remarks>
public sealed class ParallelRangeReader : ForwardOnlyStream
{
    private readonly IModelStore _store;
    private readonly StoredObject _source;
    private readonly IProgress<long>? _progress;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<(RangePart Part, Task Filling)> _ahead = new();
    private readonly Stack<NativeBuffer> _free = new();
    private readonly RangePlan _plan;
    private long _nextOffset;
    private long _delivered;
    private int _drained;
    private bool _disposed;

    /// <summary>Makes the reader; the first read starts the requests.</summary>
    /// <param name="store">Where the object is; not disposed of.</param>
    /// <param name="source">The object at the revision to read.</param>
    /// <param name="options">How to cut it.</param>
    /// <param name="progress">Told the bytes delivered so far, from the reading thread.</param>
    /// <param name="cancellationToken">Ends all requests and reads.</param>
    public ParallelRangeReader(IModelStore store, StoredObject source, ParallelReadOptions options, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        _store = store;
        _source = source;
        _progress = progress;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _plan = new RangePlan(source.Length, store.Traits.ReadStreamsMax, options);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        var block = await NextAsync(1, buffer.Length, cancellationToken).ConfigureAwait(false);
        block.CopyTo(buffer);
        return block.Length;
    }

    /// <summary>Reads without copying: the memory in which the next bytes arrived, valid until the next read.</summary>
    /// <param name="bytes">How many; it waits for all of them, or for what is left of a part.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Empty at the end.</returns>
    public ValueTask<ReadOnlyMemory<byte>> ReadBlockAsync(int bytes, CancellationToken cancellationToken) => NextAsync(bytes, bytes, cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var (part, filling) in _ahead)
        {
            // A buffer is freed only when nobody can write to it any more.
            await filling.ConfigureAwait(false);
            _free.Push(part.Buffer);
        }

        foreach (IDisposable buffer in _free)
        {
            buffer.Dispose();
        }

        _stop.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<ReadOnlyMemory<byte>> NextAsync(int bytesMin, int bytesMax, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await RetireDrainedAsync().ConfigureAwait(false);
        if (_delivered == _source.Length)
        {
            return default;
        }

        using var either = cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, cancellationToken) : null;
        FetchAhead();
        var part = _ahead.Peek().Part;
        if (_drained == 0)
        {
            _plan.NoteBegun(isWhole: part.Free.IsEmpty);
        }

        var wanted = Math.Min(bytesMin, part.Length - _drained);
        var filled = await part.WaitBeyondAsync(_drained + wanted - 1, either?.Token ?? _stop.Token).ConfigureAwait(false);
        var block = part.Buffer.Memory.Slice(_drained, Math.Min(filled - _drained, bytesMax));
        _drained += block.Length;
        _delivered += block.Length;
        _progress?.Report(_delivered);
        return block;
    }

    /// <summary>Gives back the buffer of a part of which the last bytes were read: who reads may use them until the next read.</summary>
    private async ValueTask RetireDrainedAsync()
    {
        if (_ahead.Count > 0 && _drained == _ahead.Peek().Part.Length)
        {
            var (part, filling) = _ahead.Dequeue();
            _drained = 0;
            await filling.ConfigureAwait(false);
            _plan.NoteFetched(part.Length, part.Took);
            _free.Push(part.Buffer);
        }
    }

    private void FetchAhead()
    {
        while (_ahead.Count < _plan.PartsMax && _nextOffset < _source.Length)
        {
            var part = new RangePart(_nextOffset, (int)Math.Min(_plan.PartBytes, _source.Length - _nextOffset), NewBuffer());
            _plan.NoteAsked();
            _nextOffset += part.Length;
            _ahead.Enqueue((part, Task.Run(() => FillAsync(part))));
        }
    }

    /// <summary>A buffer of the plan's part size; used ones of another size are given back.</summary>
    private NativeBuffer NewBuffer()
    {
        while (_free.TryPop(out var used))
        {
            if (used.Length == _plan.PartBytes)
            {
                return used;
            }

            ((IDisposable)used).Dispose();
        }

        return new NativeBuffer(_plan.PartBytes);
    }

    /// <summary>Never throws: what goes wrong is told to the reader of the part.</summary>
    private async Task FillAsync(RangePart part)
    {
        try
        {
            var stream = await _store.ReadAsync(_source, part.Offset, part.Length, _stop.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                while (!part.Free.IsEmpty)
                {
                    var read = await stream.ReadAsync(part.Free, _stop.Token).ConfigureAwait(false);
                    if (read == 0)
                    {
                        throw new StoreException(StoreErrorKind.Unavailable, $"{_store.DisplayName}: {_source.Key} ended before its length");
                    }

                    part.Advance(read);
                }

                part.NoteFilled();
            }
        }
#pragma warning disable CA1031 // Whatever ends the part must reach its reader, or it would wait for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            part.Fail(exception);
        }
    }
}
