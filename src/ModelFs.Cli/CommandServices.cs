using ModelFs.Cli.Diagnosis;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;
using ModelFs.Cli.Mounts;
using Spectre.Console;

namespace ModelFs.Cli;

/// <summary>Everything that the commands touch of the world, so that tests run them in-process with another one.</summary>
internal sealed record CommandServices
{
    /// <summary>Standard output, for plain text and JSON.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard output, for tables and progress; it knows whether a terminal watches.</summary>
    public required IAnsiConsole Console { get; init; }

    /// <summary>Who runs the command.</summary>
    public required Caller Caller { get; init; }

    /// <summary>Reads an environment variable; null when it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>The clock, and what waits by it.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>The mounts of the machine.</summary>
    public required IMountHost Mounts { get; init; }

    /// <summary>Starts keepers.</summary>
    public required IKeeperLauncher Keeper { get; init; }

    /// <summary>Makes stores.</summary>
    public required IStoreOpener Stores { get; init; }

    /// <summary>Where the machine tells what a mount needs of it.</summary>
    public Machine Machine { get; init; } = Machine.OfThisProcess;

    /// <summary>Serves a mount in this process; null where there is none to serve.</summary>
    public IMountDaemon? Daemon { get; init; }
}
