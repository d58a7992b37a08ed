using System.CommandLine;
using System.Text.Json;

namespace ModelFs.Cli.Mounting;

/// <summary>Serves one mount. The keeper starts it; users do not.</summary>
internal interface IMountDaemon
{
    /// <summary>Runs until the mount ends.</summary>
    /// <returns>The exit code that the keeper acts on: 0 when drained, 75 when something is pending.</returns>
    Task<int> RunAsync(MountSettings settings, CancellationToken cancellationToken);
}

/// <summary>The hidden command <c>modelfs daemon</c>.</summary>
internal static class DaemonCommand
{
    /// <summary>Its name, as the keeper is told it.</summary>
    public const string Name = "daemon";

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services, IMountDaemon daemon)
    {
        var command = new Command(Name, "Serve one mount for modelfs-keeper.") { Hidden = true };
        command.SetAction((_, cancellationToken) => daemon.RunAsync(Settings(services), cancellationToken));
        return command;
    }

    private static MountSettings Settings(CommandServices services)
    {
        var json = services.Variable(MountSettings.Variable)
            ?? throw CommandException.Usage($"{MountSettings.Variable} is not set: this command is started by modelfs-keeper; use `modelfs mount`");
        try
        {
            return MountSettings.FromJson(json);
        }
        catch (JsonException exception)
        {
            throw CommandException.Usage($"{MountSettings.Variable} can't be read: {exception.Message}");
        }
    }
}
