using System.CommandLine;

namespace ModelFs.Cli.Options;

/// <summary>Reads options of single commands that count seconds.</summary>
internal static class SecondsOption
{
    /// <summary>The value, or null when the option is not given.</summary>
    /// <exception cref="CommandException">It is no number of seconds.</exception>
    public static TimeSpan? Value(ParseResult result, Option<string?> option)
    {
        try
        {
            return result.GetValue(option) is { } text ? OptionText.Seconds(text) : null;
        }
        catch (FormatException exception)
        {
            throw CommandException.Usage($"{option.Name}: {exception.Message}");
        }
    }
}
