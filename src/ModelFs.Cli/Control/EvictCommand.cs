using System.CommandLine;

namespace ModelFs.Cli.Control;

/// <summary><c>modelfs evict</c>: drops local copies. What the store does not have stays.</summary>
internal static class EvictCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT] MODEL") { Description = "Models by name or path.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("evict", "Drop the local copies of models; they are fetched again when they are used.") { places };
        command.SetAction((result, cancellationToken) => RunAsync(services, result.GetValue(places) ?? [], cancellationToken));
        return command;
    }

    private static Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, CancellationToken cancellationToken) => ModelRequest.AskAllAsync(
        services,
        ModelRequest.Models(services, arguments, "evict"),
        target => ModelRequest.SendAsync(services, target, "evict", "1", cancellationToken),
        "nothing of it is here any more");
}
