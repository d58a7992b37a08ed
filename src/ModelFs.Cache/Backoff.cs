namespace ModelFs.Cache;

/// <summary>Pauses between attempts: doubled each time up to a cap, with up to a quarter taken off at random so that many mounts don't meet.</summary>
internal static class Backoff
{
    /// <summary>The pause after the given number of failed attempts in a row (1 or more).</summary>
    public static TimeSpan After(int failures, TimeSpan min, TimeSpan max)
    {
        var factor = Math.Pow(2, Math.Min(failures - 1, 30));
        var pause = Math.Min(min.TotalMilliseconds * factor, max.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(pause * (1 - (Random.Shared.NextDouble() / 4)));
    }
}
