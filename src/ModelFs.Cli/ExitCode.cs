namespace ModelFs.Cli;

/// <summary>What a command's exit code tells a script. The numbers are a contract and are shown by <c>--help</c>.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>It failed; standard error says what, and what to do.</summary>
    public const int Failed = 1;

    /// <summary>The command line, a setting or an environment variable can't be right.</summary>
    public const int Usage = 2;

    /// <summary>Changes are still on their way to the store (EX_TEMPFAIL); they are kept and sent later.</summary>
    public const int Pending = 75;

    /// <summary>Ended by Ctrl-C, as shells count it (128 + SIGINT).</summary>
    public const int Interrupted = 130;
}
