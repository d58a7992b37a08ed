using System.Diagnostics;

namespace ModelFs.Stores;

/// <summary>One range of a download: filled by one task and drained by one reader at the same time.</summary>
internal sealed class RangePart(long offset, int length, NativeBuffer buffer)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _progress;
    private int _awaited;
    private Exception? _failure;
    private readonly long _begun = Stopwatch.GetTimestamp();
    private int _filled;

    /// <summary>In the object, in bytes.</summary>
    internal long Offset => offset;

    /// <summary>In bytes.</summary>
    internal int Length => length;

    /// <summary>Owned by the reader, which reuses it.</summary>
    internal NativeBuffer Buffer => buffer;

    /// <summary>How long it took to fill, from the making of the part; set when its task has ended.</summary>
    internal TimeSpan Took { get; private set; }

    /// <summary>What the filling task writes to next.</summary>
    internal Memory<byte> Free => buffer.Memory[_filled..length];

    /// <summary>Notes that the last byte is there.</summary>
    internal void NoteFilled() => Took = Stopwatch.GetElapsedTime(_begun);

    /// <summary>Hands <paramref name="count"/> more bytes to the reader.</summary>
    internal void Advance(int count)
    {
        TaskCompletionSource? progress;
        lock (_lock)
        {
            _filled += count;
            progress = null;
            if (_filled > _awaited)
            {
                (progress, _progress) = (_progress, null);
            }
        }

        progress?.TrySetResult();
    }

    /// <summary>Makes the next wait of the reader fail, also when filled bytes are left.</summary>
    internal void Fail(Exception failure)
    {
        TaskCompletionSource? progress;
        lock (_lock)
        {
            _failure = failure;
            (progress, _progress) = (_progress, null);
        }

        progress?.TrySetResult();
    }

    /// <summary>Waits until bytes beyond <paramref name="drained"/> are there. One waits at a time.</summary>
    /// <returns>How many bytes of the part are filled.</returns>
    internal async ValueTask<int> WaitBeyondAsync(int drained, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task progress;
            lock (_lock)
            {
                if (_failure is not null)
                {
                    System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
                }

                if (_filled > drained)
                {
                    return _filled;
                }

                _awaited = drained;
                _progress ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                progress = _progress.Task;
            }

            await progress.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
