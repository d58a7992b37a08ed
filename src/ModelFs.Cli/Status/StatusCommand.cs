using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Status;

/// <summary><c>modelfs status</c>: what each mount does, for people or as JSON.</summary>
internal static class StatusCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var mountPoint = new Argument<string?>("MOUNTPOINT") { Description = "One mount; without it, all of them.", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "The daemon's own report: one object for a named mount, an array for all." };
        var all = new Option<bool>("--all", "-a") { Description = "List also the models of which nothing is here." };
        var command = new Command("status", "Show mounts: models, cache, what is on its way to the store.") { mountPoint, json, all };
        command.SetAction((result, _) => RunAsync(services, result.GetValue(mountPoint), result.GetValue(json), result.GetValue(all)));
        return command;
    }

    private static async Task<int> RunAsync(CommandServices services, string? place, bool asJson, bool showsAbsent)
    {
        var mounts = place is null ? MountSearch.ModelFsMounts(services.Mounts) : [MountSearch.At(services.Mounts, services.Caller.Absolute(place))];
        var documents = new List<string>();
        var code = ExitCode.Done;
        foreach (var mount in mounts)
        {
            var reading = await services.Mounts.ReadStatusAsync(mount.MountPoint).ConfigureAwait(false);
            var report = Parse(ref reading);
            if (report is null)
            {
                var problem = StatusFailures.Explain(mount.MountPoint, reading.Failure);
                services.Error.WriteLine("modelfs: " + problem);
                documents.Add(ProblemJson(mount, problem));
                code = ExitCode.Failed;
            }
            else if (asJson)
            {
                documents.Add(reading.Json!.Trim());
            }
            else
            {
                new StatusView(services.Console, services.Time, showsAbsent).Write(report);
                if (mount != mounts[^1])
                {
                    services.Out.WriteLine();
                }
            }
        }

        if (asJson && (place is null || code == ExitCode.Done))
        {
            services.Out.WriteLine(place is null ? "[" + string.Join(",\n", documents) + "]" : documents[0]);
        }
        else if (mounts.Count == 0)
        {
            services.Out.WriteLine("ModelFs is mounted nowhere here; see `modelfs mount --help`");
        }

        return code;
    }

    private static StatusReport? Parse(ref StatusReading reading)
    {
        try
        {
            return reading.Json is null ? null : StatusReport.FromJson(reading.Json);
        }
        catch (JsonException)
        {
            reading = new StatusReading(null, StatusFailure.Unreadable);
            return null;
        }
    }

    /// <summary>Takes the place of a report in the array, so that a script sees the mount and why it says nothing.</summary>
    private static string ProblemJson(MountEntry mount, string problem) =>
        $"{{\"version\":1,\"store\":{Quote(mount.Source)},\"mountpoint\":{Quote(mount.MountPoint)},\"problem\":{Quote(problem)}}}";

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
