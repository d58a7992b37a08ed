using System.Globalization;

namespace ModelFs.Cli;

/// <summary>Sizes and times as people read them.</summary>
internal static class DisplayText
{
    private static readonly string[] s_units = ["KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>A size in the largest binary unit that leaves at least 1 in front: <c>12.3 MiB</c>, <c>512 B</c>.</summary>
    public static string Bytes(long bytes)
    {
        if (bytes < 1024)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        }

        var value = bytes / 1024.0;
        var unit = 0;
        // 1023.95 would be shown as 1024.0 of the smaller unit.
        while (value >= 1023.95 && unit < s_units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {s_units[unit]}");
    }

    /// <summary>How long something took or lies back: <c>0.4 s</c>, <c>3 min 20 s</c>, <c>5 h 2 min</c>, <c>3 d 4 h</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        var culture = CultureInfo.InvariantCulture;
        return time switch
        {
            { TotalSeconds: < 10 } => string.Create(culture, $"{Math.Max(0, time.TotalSeconds):0.0} s"),
            { TotalSeconds: < 60 } => string.Create(culture, $"{(int)time.TotalSeconds} s"),
            { TotalMinutes: < 60 } => string.Create(culture, $"{(int)time.TotalMinutes} min {time.Seconds} s"),
            { TotalHours: < 24 } => string.Create(culture, $"{(int)time.TotalHours} h {time.Minutes} min"),
            _ => string.Create(culture, $"{(int)time.TotalDays} d {time.Hours} h"),
        };
    }

    /// <summary><c>1 model</c>, <c>2 models</c>, <c>2,500 models</c>.</summary>
    public static string Count(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:#,0} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>A point in time in UTC to the second, as <c>2026-11-23 15:04:05Z</c>: equal on every machine, so that logs and output can be compared.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
