using System.CommandLine;
using ModelFs.Cli.Draining;

namespace ModelFs.Cli.Control;

/// <summary><c>modelfs pin</c>: keeps models here.</summary>
internal static class PinCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT] MODEL") { Description = "Models by name or path.", Arity = ArgumentArity.OneOrMore };
        var off = new Option<bool>("--off") { Description = "Release them: they may be dropped again when room is needed." };
        var command = new Command("pin", "Fetch models and keep them here, whatever room is needed.") { places, off };
        command.SetAction((result, cancellationToken) => RunAsync(services, result.GetValue(places) ?? [], result.GetValue(off), cancellationToken));
        return command;
    }

    private static Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, bool off, CancellationToken cancellationToken) => ModelRequest.AskAllAsync(
        services,
        ModelRequest.Models(services, arguments, "pin"),
        target => off ? ModelRequest.SendAsync(services, target, "pinned", "0", cancellationToken) : PinAndFetchAsync(services, target, cancellationToken),
        off ? "released" : "is here and stays");

    private static async Task<int> PinAndFetchAsync(CommandServices services, SyncTarget target, CancellationToken cancellationToken)
    {
        var errno = await ModelRequest.SendAsync(services, target, "pinned", "1", cancellationToken).ConfigureAwait(false);
        return errno == 0 ? await ModelRequest.SendAsync(services, target, "warm", "1", cancellationToken).ConfigureAwait(false) : errno;
    }
}
