using System.Text.Json;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Diagnosis;

/// <summary>How the mounts of this machine are: dead ones, silent ones, and what the living ones warn of.</summary>
/// <param name="services">The world.</param>
internal sealed class MountChecks(CommandServices services)
{
    /// <summary>Looks at every mount of ModelFs.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync()
    {
        var findings = new List<Finding>();
        foreach (var mount in MountSearch.ModelFsMounts(services.Mounts))
        {
            findings.AddRange(await LookAsync(mount).ConfigureAwait(false));
        }

        return findings.Count > 0 ? findings : [Finding.Well("mounts", "there are none, and no dead one is left")];
    }

    private async Task<IReadOnlyList<Finding>> LookAsync(MountEntry mount)
    {
        var check = "mount";
        var reading = await services.Mounts.ReadStatusAsync(mount.MountPoint).ConfigureAwait(false);
        StatusReport report;
        try
        {
            if (reading.Json is null)
            {
                return [OfFailure(check, mount.MountPoint, reading.Failure)];
            }

            report = StatusReport.FromJson(reading.Json);
        }
        catch (JsonException)
        {
            return [OfFailure(check, mount.MountPoint, StatusFailure.Unreadable)];
        }

        var pending = report.Models.Count(model => model.IsPending);
        var findings = new List<Finding> { Finding.Well(check, $"{report.Store} on {mount.MountPoint} is served by process {report.DaemonPid}; {DisplayText.Count(pending, "model")} on the way to the store") };
        findings.AddRange(report.Warnings.Select(warning => Finding.Warning(check, $"{mount.MountPoint}: {warning}", $"modelfs status {mount.MountPoint}")));
        findings.AddRange(report.Models.Where(model => model is { State: "failed", LastError: not null })
            .Select(model => Finding.Warning(check, $"{mount.MountPoint}/{model.Name}: {model.LastError}", "it is tried again by itself; `modelfs sync` tries at once")));
        return findings;
    }

    private static Finding OfFailure(string check, string mountPoint, StatusFailure failure)
    {
        var remedy = failure switch
        {
            StatusFailure.Dead => $"modelfs unmount {mountPoint}; the next mount with the same cache sends what was not published",
            StatusFailure.Denied => "ask as the user who mounted it, or as root",
            StatusFailure.Silent => $"look at its log; modelfs unmount --lazy {mountPoint} takes it away",
            StatusFailure.Unreadable => "is it served by another version of modelfs? Mount it again",
        };
        var finding = Finding.Failure(check, StatusFailures.Explain(mountPoint, failure).Split(';')[0], remedy);
        return failure == StatusFailure.Denied ? finding with { Level = FindingLevel.Warning } : finding;
    }
}
