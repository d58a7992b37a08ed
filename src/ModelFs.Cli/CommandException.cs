namespace ModelFs.Cli;

/// <summary>Ends a command with one message on standard error and an exit code.</summary>
internal sealed class CommandException : Exception
{
    private CommandException(int code, string message)
        : base(message) => Code = code;

    /// <summary>One of <see cref="ExitCode"/>.</summary>
    public int Code { get; }

    /// <summary>The user's input can't be right (<see cref="ExitCode.Usage"/>).</summary>
    public static CommandException Usage(string message) => new(ExitCode.Usage, message);

    /// <summary>What was asked for did not work (<see cref="ExitCode.Failed"/>).</summary>
    public static CommandException Failure(string message) => new(ExitCode.Failed, message);
}
