using System.CommandLine;

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

    private static async Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, bool off, CancellationToken cancellationToken)
    {
        var code = ExitCode.Done;
        foreach (var target in ModelRequest.Models(services, arguments, "pin"))
        {
            var errno = await ModelRequest.SendAsync(services, target, "pinned", off ? "0" : "1", cancellationToken).ConfigureAwait(false);
            if (errno == 0 && !off)
            {
                errno = await ModelRequest.SendAsync(services, target, "warm", "1", cancellationToken).ConfigureAwait(false);
            }

            if (errno != 0)
            {
                services.Error.WriteLine($"modelfs: {target.Path}: {ModelRequest.Explain(services, target, errno)}");
                code = ModelRequest.CodeOf(errno);
                continue;
            }

            services.Out.WriteLine($"{target.Path}: {(off ? "released" : "is here and stays")}");
        }

        return code;
    }
}
