using System.CommandLine;

namespace ModelFs.Cli.Control;

/// <summary><c>modelfs warm</c>: fetches models before somebody needs them.</summary>
internal static class WarmCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT] MODEL") { Description = "Models by name or path.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("warm", "Fetch models, so that their first use does not wait.") { places };
        command.SetAction((result, cancellationToken) => RunAsync(services, result.GetValue(places) ?? [], cancellationToken));
        return command;
    }

    private static Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, CancellationToken cancellationToken) => ModelRequest.AskAllAsync(
        services,
        ModelRequest.Models(services, arguments, "warm"),
        target => ModelRequest.SendAsync(services, target, "warm", "1", cancellationToken),
        "is here",
        atOnce: true);
}
