using System.CommandLine;
using ModelFs.Cli.Options;

namespace ModelFs.Cli.Draining;

/// <summary><c>modelfs sync</c>: returns when the store has everything that was closed before.</summary>
internal static class SyncCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT] MODEL")
        {
            Description = "A mount, and models in it by name or path. Without a model: all of that mount; without anything: all mounts.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var timeout = new Option<string?>("--timeout") { HelpName = "SECONDS", Description = "Stop waiting after this time (exit code 75); uploads go on. Default: no limit." };
        var command = new Command("sync", "Wait until every change is in the store.") { places, timeout };
        command.SetAction((result, cancellationToken) => RunAsync(services, result.GetValue(places) ?? [], SecondsOption.Value(result, timeout), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var startedAt = services.Time.GetTimestamp();
        var code = ExitCode.Done;
        foreach (var target in SyncTarget.Find(services.Mounts, services.Caller, arguments))
        {
            var rest = timeout - services.Time.GetElapsedTime(startedAt);
            var result = await DrainView.ShowAsync(
                services.Console,
                view => new DrainWatch(services.Mounts, services.Time, view).RunAsync(target.Mount.MountPoint, target.Model, rest, cancellationToken)).ConfigureAwait(false);
            if (result.Errno == 0)
            {
                services.Out.WriteLine($"{target.Path}: the store has everything");
                continue;
            }

            services.Error.WriteLine($"modelfs: {target.Path}: {SyncErrors.Explain(services.Mounts, target.Path, result)}");
            foreach (var model in result.Pending)
            {
                services.Error.WriteLine($"  {DrainView.Describe(model)}");
            }

            // A failure that needs the user outweighs one that only needs time.
            code = code == ExitCode.Failed ? code : SyncErrors.CodeOf(result.Errno);
        }

        return code;
    }
}
