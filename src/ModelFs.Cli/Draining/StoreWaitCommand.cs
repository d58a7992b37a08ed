using System.CommandLine;
using System.Globalization;

namespace ModelFs.Cli.Draining;

/// <summary>
/// The hidden command that sets <c>user.modelfs.sync</c> and prints the errno. Setting it blocks inside of the kernel and holds the mount meanwhile;
/// only the end of the process ends it, so a wait that must be given up runs in a process of its own.
/// </summary>
internal static class StoreWaitCommand
{
    /// <summary>Its name.</summary>
    public const string Name = "wait-for-store";

    private const string Attribute = "user.modelfs.sync";

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var path = new Argument<string>("PATH");
        var command = new Command(Name, "Wait until the store has everything of PATH.") { path };
        command.Hidden = true;
        command.SetAction(result => services.Out.Write(Interop.SetXattr(result.GetRequiredValue(path), Attribute, "1").ToString(CultureInfo.InvariantCulture)));
        return command;
    }
}
