namespace ModelFs.Stores;

/// <summary>Cancels a call that makes no progress: the deadline starts anew with each <see cref="Touch"/>, and stands still while paused.</summary>
public sealed class ProgressDeadline : IDisposable
{
    private readonly TimeSpan _noProgress;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;
    private long _touched;
    private volatile bool _paused;
    private volatile bool _hasPassed;

    /// <summary>Starts the deadline.</summary>
    /// <param name="noProgress">How long there may be no progress.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Of the caller; cancels the token as well.</param>
    public ProgressDeadline(TimeSpan noProgress, TimeProvider time, CancellationToken cancellationToken)
    {
        _noProgress = noProgress;
        _time = time;
        _touched = time.GetTimestamp();
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _timer = time.CreateTimer(static self => ((ProgressDeadline)self!).Check(), this, noProgress, Timeout.InfiniteTimeSpan);
    }

    /// <summary>For the call: cancelled by the caller or by the deadline.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether it was the deadline that cancelled.</summary>
    public bool HasPassed => _hasPassed;

    /// <summary>Says that something moved, or that waiting begins.</summary>
    public void Touch()
    {
        Volatile.Write(ref _touched, _time.GetTimestamp());
        _paused = false;
    }

    /// <summary>Says that nobody waits for progress until the next <see cref="Touch"/>.</summary>
    public void Pause() => _paused = true;

    /// <summary>Ends what still runs under the token, because nobody waits for it any more.</summary>
    public void Cancel() => _source.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    private void Check()
    {
        var left = _paused ? _noProgress : _noProgress - _time.GetElapsedTime(Volatile.Read(ref _touched));
        try
        {
            if (left > TimeSpan.Zero)
            {
                // Timers count whole milliseconds; a rounded-down rest would make it fire early again and again.
                _timer.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
            else
            {
                _hasPassed = true;
                _source.Cancel();
            }
        }
        catch (ObjectDisposedException)
        {
            // The call ended while its timer fired.
        }
    }
}
