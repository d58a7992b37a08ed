using System.Globalization;

namespace ModelFs.Cli.Options;

/// <summary>
/// How option values are written, whatever they come from. Every parser throws <see cref="FormatException"/> with a message that
/// completes "SOURCE: …" and shows a value that would do.
/// </summary>
internal static class OptionText
{
    private static readonly (string Suffix, long Factor)[] s_sizeUnits =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("K", 1L << 10), ("M", 1L << 20), ("G", 1L << 30), ("T", 1L << 40), ("B", 1),
    ];

    /// <summary>A size in bytes, units as coreutils take them: <c>10G</c> and <c>10GiB</c> count by 1024, <c>10GB</c> by 1000; fractions are allowed.</summary>
    public static long Size(string text)
    {
        var number = text.Trim();
        var factor = 1L;
        foreach (var (suffix, unit) in s_sizeUnits)
        {
            if (number.EndsWith(suffix, unit < 1_000_000 && suffix.Length < 3 ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase))
            {
                number = number[..^suffix.Length].TrimEnd();
                factor = unit;
                break;
            }
        }

        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value > long.MaxValue / factor)
        {
            throw new FormatException($"'{text}' is not a size; write for example 10G, 500MiB or 750MB");
        }

        return (long)(value * factor);
    }

    /// <summary>Bytes per second, written as a size, at least 1K; <c>0</c> and <c>off</c> mean no limit.</summary>
    public static long? Rate(string text) => text.Trim() is "0" or "off" ? null
        : Size(text) is >= 1024 and var rate ? rate
        : throw new FormatException($"'{text}' per second is too little to work with; write for example 500K or 10MiB, or off");

    /// <summary>Seconds, fractions allowed: <c>1</c>, <c>0.25</c>, also <c>30s</c>; at most a year.</summary>
    public static TimeSpan Seconds(string text)
    {
        var number = text.Trim();
        if (number.EndsWith('s'))
        {
            number = number[..^1];
        }

        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && seconds <= TimeSpan.FromDays(365).TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException($"'{text}' is not a number of seconds; write for example 30 or 0.5");
    }

    /// <summary>A switch: <c>true</c>, <c>yes</c>, <c>on</c>, <c>1</c> and their opposites.</summary>
    public static bool Switch(string text) => text.Trim().ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" or "1" => true,
        "FALSE" or "NO" or "OFF" or "0" => false,
        _ => throw new FormatException($"'{text}' is neither true nor false"),
    };

    /// <summary>How many of something; 0 and more.</summary>
    public static int Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : throw new FormatException($"'{text}' is not a number of versions; write 0 or more");

    /// <summary>A numeric user or group id.</summary>
    public static uint Id(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id != uint.MaxValue
            ? id
            : throw new FormatException($"'{text}' is not a numeric id; `id -u` and `id -g` show yours");

    /// <summary>One of a few words.</summary>
    public static T OneOf<T>(string text, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        foreach (var (word, value) in choices)
        {
            if (string.Equals(word, text.Trim(), StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        var words = new List<string>();
        foreach (var (word, _) in choices)
        {
            words.Add(word);
        }

        throw new FormatException($"'{text}' is none of {string.Join(", ", words)}");
    }
}
