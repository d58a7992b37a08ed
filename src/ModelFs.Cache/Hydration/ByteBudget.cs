namespace ModelFs.Cache.Hydration;

/// <summary>A bound on bytes in memory that is shared in the order of asking. More than all of it can be taken at once only when nothing else is.</summary>
internal sealed class ByteBudget(long bytesMax)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(long Bytes, TaskCompletionSource Granted)> _waiting = new();
    private long _taken;

    /// <summary>Takes so many bytes, once they are free.</summary>
    public async Task TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        LinkedListNode<(long Bytes, TaskCompletionSource Granted)> place;
        lock (_gate)
        {
            if (_waiting.Count == 0 && Fits(bytes))
            {
                _taken += bytes;
                return;
            }

            place = _waiting.AddLast((bytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        try
        {
            await place.Value.Granted.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                if (place.List is not null)
                {
                    _waiting.Remove(place);
                    throw;
                }
            }

            GiveBack(bytes);
            throw;
        }
    }

    /// <summary>Gives bytes back.</summary>
    public void GiveBack(long bytes)
    {
        lock (_gate)
        {
            _taken -= bytes;
            while (_waiting.First is { } next && Fits(next.Value.Bytes))
            {
                _taken += next.Value.Bytes;
                _waiting.RemoveFirst();
                next.Value.Granted.SetResult();
            }
        }
    }

    private bool Fits(long bytes) => _taken == 0 || _taken + bytes <= bytesMax;
}
