using System.CommandLine;
using System.Text.Json;
using ModelFs.Cli.Draining;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Control;

/// <summary><c>modelfs resolve</c>: decides which version of a model stays, after a conflict or when it needs review.</summary>
internal static class ResolveCommand
{
    private const string ConflictsFolder = ".modelfs/conflicts";

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT] MODEL")
        {
            Description = "A model with a conflict or in need of review; or a kept version, by its name or path below .modelfs/conflicts.",
            Arity = new ArgumentArity(1, 2),
        };
        var keep = new Option<string>("--keep")
        {
            HelpName = "mine|theirs|both",
            Description = "mine: publish the local version in place of the store's. theirs: give the local one up. both: publish the local one as a model of its own.",
            Required = true,
        };
        keep.AcceptOnlyFromAmong("mine", "theirs", "both");
        var command = new Command("resolve", "Decide which version of a model stays after a conflict.") { places, keep };
        command.SetAction((result, cancellationToken) => RunAsync(services, result.GetValue(places) ?? [], result.GetRequiredValue(keep), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, string keep, CancellationToken cancellationToken)
    {
        var targets = SyncTarget.Find(services.Mounts, services.Caller, arguments, "resolve");
        if (targets is not [{ Model: { } model } target])
        {
            throw CommandException.Usage("name one model: modelfs resolve [MOUNTPOINT] MODEL --keep mine|theirs|both");
        }

        var report = await ReportAsync(services, target.Mount).ConfigureAwait(false);
        var kept = KeptVersionOf(report, model);
        var errno = kept is null
            ? await ModelRequest.SendAsync(services, target, "resolve", keep, cancellationToken).ConfigureAwait(false)
            : await services.Mounts.AskAsync(
                Path.Combine(target.Mount.MountPoint, ConflictsFolder, kept.Name), "user.modelfs.resolve", keep, cancellationToken).ConfigureAwait(false);
        if (errno != 0)
        {
            services.Error.WriteLine($"modelfs: {model}: {ModelRequest.Explain(services, target, errno)}");
            return ModelRequest.CodeOf(errno);
        }

        services.Out.WriteLine(keep switch
        {
            "mine" => $"{kept?.Model ?? model}: the local version is in the store",
            "theirs" => $"{kept?.Model ?? model}: the local version was given up",
            _ => $"{kept?.Model ?? model}: the local version is in the store as {kept?.NewName ?? "a model of its own"}",
        });
        return ExitCode.Done;
    }

    private static ConflictStatus? KeptVersionOf(StatusReport report, string name)
    {
        var prefix = ConflictsFolder + "/";
        var ownName = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
        if (report.Conflicts.FirstOrDefault(conflict => conflict.Name == ownName) is { } named)
        {
            return named;
        }

        if (report.Models.Any(model => model.Name == name && model.NeedsReview))
        {
            return null;
        }

        return report.Conflicts.Where(conflict => conflict.Model == name).ToList() switch
        {
            [] => throw CommandException.Failure($"nothing is to be decided about {name}: it has no conflict and needs no review"),
            [var only] => only,
            var several => throw CommandException.Failure(
                $"{name} has {several.Count} kept versions; name the one that is meant:{string.Concat(several.Select(conflict => $"\n  {conflict.Name}"))}"),
        };
    }

    private static async Task<StatusReport> ReportAsync(CommandServices services, MountEntry mount)
    {
        var reading = await services.Mounts.ReadStatusAsync(mount.MountPoint).ConfigureAwait(false);
        try
        {
            return reading.Json is not null ? StatusReport.FromJson(reading.Json) : throw CommandException.Failure(StatusFailures.Explain(mount.MountPoint, reading.Failure));
        }
        catch (JsonException)
        {
            throw CommandException.Failure(StatusFailures.Explain(mount.MountPoint, StatusFailure.Unreadable));
        }
    }
}
