namespace ModelFs.Stores;

/// <summary>A limit of bytes per second that all streams of one direction share.</summary>
/// <param name="bytesPerSecond">At least one.</param>
/// <param name="time">The clock.</param>
internal sealed class ByteRate(long bytesPerSecond, TimeProvider time)
{
    private const int BlockBytesMin = 512;
    private const int BlockBytesMax = 256 * 1024;

    private readonly Lock _lock = new();
    private long _freeAt = time.GetTimestamp();

    /// <summary>What one step may move: about an eighth of a second's worth, so that no step makes its caller wait for long.</summary>
    internal int BlockBytes => (int)Math.Clamp(bytesPerSecond / 8, BlockBytesMin, BlockBytesMax);

    /// <summary>Counts bytes that moved, and waits until the limit allows more.</summary>
    internal async ValueTask CountAsync(int bytes, CancellationToken cancellationToken)
    {
        var wait = Reserve(bytes);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Unused time is not saved up: the limit holds for every second.</summary>
    private TimeSpan Reserve(int bytes)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _freeAt = Math.Max(_freeAt, now) + (long)(bytes * (double)time.TimestampFrequency / bytesPerSecond);
            return time.GetElapsedTime(now, _freeAt);
        }
    }
}
