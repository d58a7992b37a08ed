using System.CommandLine;
using System.Globalization;

namespace ModelFs.Cli.Control;

/// <summary>
/// The hidden command that sets an extended attribute and prints the errno. Setting one may block inside of the kernel and holds the mount
/// meanwhile; only the end of the process ends it, so a wait that must be given up runs in a process of its own.
/// </summary>
internal static class SetAttributeCommand
{
    /// <summary>Its name.</summary>
    public const string Name = "set-attribute";

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var path = new Argument<string>("PATH");
        var name = new Argument<string>("NAME");
        var value = new Argument<string>("VALUE");
        var command = new Command(Name, "Set an extended attribute of a path in a mount, and print the errno.") { path, name, value };
        command.Hidden = true;
        command.SetAction(result => services.Out.Write(Ask(result.GetRequiredValue(path), result.GetRequiredValue(name), result.GetRequiredValue(value)).ToString(CultureInfo.InvariantCulture)));
        return command;
    }

    /// <summary>On a read-only mount the kernel lets nobody set anything; what is about this machine's copies only can be asked for by reading there.</summary>
    private static int Ask(string path, string name, string value)
    {
        var errno = Interop.SetXattr(path, name, value);
        if (errno != Errno.EROFS)
        {
            return errno;
        }

        errno = Interop.AskByReading(path, name, value);
        return errno is Errno.ENOTSUP or Errno.ENODATA ? Errno.EROFS : errno;
    }
}
