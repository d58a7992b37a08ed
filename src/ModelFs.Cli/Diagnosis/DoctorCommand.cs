using System.CommandLine;
using System.Text.Json;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;
using Spectre.Console;

namespace ModelFs.Cli.Diagnosis;

/// <summary><c>modelfs doctor</c>: looks at everything that a mount depends on, and says of each trouble what to do.</summary>
internal static class DoctorCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var store = new Argument<string?>("STORE") { Description = "As for `modelfs mount`; without it no store is looked at, unless the environment names one.", Arity = ArgumentArity.ZeroOrOne };
        var cache = new Option<string?>("--cache-dir") { HelpName = "DIR", Description = "The cache folder to look at. Default: the one that a mount of STORE would use." };
        var readOnly = new Option<bool>("--read-only") { Description = "Write nothing to the store: which conditions it keeps is not found out then." };
        var json = new Option<bool>("--json") { Description = "One JSON object: version, failed, warnings, findings (check, level, what, remedy)." };
        var command = new Command("doctor", "Check what mounts depend on: kernel, programs, cache, a store, mounts that are there.") { store, cache, readOnly, json };
        var stores = new StoreArguments(services, command);
        command.SetAction(async (result, cancellationToken) =>
        {
            var isNamed = result.GetValue(store) is not null || stores.NameStore(result) || services.Variable("MODELFS_STORE") is not null;
            var address = isNamed ? stores.Find(result, result.GetValue(store)) : null;
            var findings = await RunAsync(services, address, result.GetValue(cache), stores.Authorities(result), result.GetValue(readOnly), cancellationToken).ConfigureAwait(false);
            var failed = findings.Count(finding => finding.Level == FindingLevel.Failed);
            var warnings = findings.Count(finding => finding.Level == FindingLevel.Warning);
            if (result.GetValue(json))
            {
                services.Out.WriteLine(JsonSerializer.Serialize(new Diagnosis(1, failed, warnings, findings), DiagnosisJson.Default.Diagnosis));
            }
            else
            {
                Write(services, findings, failed, warnings);
            }

            return failed > 0 ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static async Task<IReadOnlyList<Finding>> RunAsync(
        CommandServices services, StoreAddress? address, string? cacheFolder, string? caFile, bool isReadOnly, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>(new MachineChecks(services).Run());
        var cache = cacheFolder is not null ? services.Caller.Absolute(cacheFolder) : address is null ? null : CacheLocation.Default(address.Display, services.Caller.IsRoot, services.Variable);
        if (cache is not null)
        {
            findings.AddRange(new CacheChecks(services.Time, cache).Run());
        }

        if (address is not null)
        {
            findings.AddRange(await new StoreChecks(services, address, caFile, isReadOnly).RunAsync(cancellationToken).ConfigureAwait(false));
        }

        findings.AddRange(await new MountChecks(services).RunAsync().ConfigureAwait(false));
        return findings;
    }

    private static void Write(CommandServices services, IReadOnlyList<Finding> findings, int failed, int warnings)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn(new GridColumn().PadRight(0));
        foreach (var finding in findings)
        {
            grid.AddRow(Level(finding.Level), new Text(finding.Check), new Text(finding.What));
            if (finding.Remedy is { } remedy)
            {
                grid.AddRow(new Text(""), new Text(""), new Text("-> " + remedy));
            }
        }

        services.Console.Write(grid);
        services.Out.WriteLine(failed + warnings == 0 ? "all is well" : $"{DisplayText.Count(failed, "failure")}, {DisplayText.Count(warnings, "warning")}");
    }

    private static Text Level(FindingLevel level) => level switch
    {
        FindingLevel.Ok => new Text("ok", new Style(Color.Green)),
        FindingLevel.Warning => new Text("warning", new Style(Color.Yellow)),
        FindingLevel.Failed => new Text("FAILED", new Style(Color.Red)),
    };
}
