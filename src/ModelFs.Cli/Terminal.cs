using Spectre.Console;

namespace ModelFs.Cli;

/// <summary>Makes the console for tables and progress.</summary>
internal static class Terminal
{
    /// <summary>What a line holds when nobody watches: wide enough that grep finds a row on one line.</summary>
    private const int PlainWidth = 1000;

    /// <summary>With a terminal: colours, bars and its width. Without: plain text that is never wrapped, without blanks at the ends of lines.</summary>
    public static IAnsiConsole Create(TextWriter output, bool isTerminal)
    {
        if (isTerminal)
        {
            return AnsiConsole.Create(new AnsiConsoleSettings());
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(new TrimmedLineWriter(output)),
        });
        console.Profile.Width = PlainWidth;
        return console;
    }
}
