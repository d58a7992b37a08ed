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
        var value = new Argument<string>("VALUE");
        var command = new Command(Name, "Wait until the store has everything: of the model that VALUE names, or, with 1, of all.") { path, value };
        command.Hidden = true;
        command.SetAction(result => services.Out.Write(Interop.SetXattr(result.GetRequiredValue(path), Attribute, result.GetRequiredValue(value)).ToString(CultureInfo.InvariantCulture)));
        return command;
    }
}
