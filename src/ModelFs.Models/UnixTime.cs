namespace ModelFs.Models;

/// <summary>A point in time as file systems keep it: seconds since 1970-01-01 UTC, and nanoseconds 0 to 999,999,999 within the second.</summary>
/// <param name="Seconds">Whole seconds; negative before 1970.</param>
/// <param name="Nanoseconds">0 to 999,999,999, counted forward from <paramref name="Seconds"/>.</param>
public readonly record struct UnixTime(long Seconds, uint Nanoseconds)
{
    /// <summary>Converts from a .NET time (100 ns steps).</summary>
    public static UnixTime From(DateTimeOffset time)
    {
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }

        return new UnixTime(seconds, (uint)(rest * 100));
    }

    /// <summary>Converts to a .NET time; what is finer than 100 ns is cut off.</summary>
    public DateTimeOffset ToDateTimeOffset() => DateTimeOffset.UnixEpoch.AddTicks((Seconds * TimeSpan.TicksPerSecond) + (Nanoseconds / 100));
}
