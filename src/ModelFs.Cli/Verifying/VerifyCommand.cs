using System.CommandLine;
using ModelFs.Cache.Hydration;
using ModelFs.Cli.Draining;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Verifying;

/// <summary><c>modelfs verify</c>: compares what is in a cache with the digests that are known of it.</summary>
internal static class VerifyCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT] MODEL")
        {
            Description = "A mount, and models in it by name or path. Without a model: all that is here of that mount; without anything: all mounts.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var folder = new Option<string?>("--cache-dir") { HelpName = "DIR", Description = "Check this cache while nothing is mounted with it, without its store; MODELs are names then." };
        var repair = new Option<bool>("--repair") { Description = "Fetch anew what is damaged; with --cache-dir drop it, so that the next use fetches it." };
        var command = new Command("verify", "Check the cache against the digests of its archives.") { places, folder, repair };
        command.SetAction(async (result, cancellationToken) =>
        {
            var names = result.GetValue(places) ?? [];
            var repairs = result.GetValue(repair);
            var reports = result.GetValue(folder) is { } path
                ? OfFolderAsync(services.Caller.Absolute(path), names, repairs, cancellationToken)
                : OfMountsAsync(services, names, repairs, cancellationToken);
            var isDamaged = false;
            await foreach (var report in reports.ConfigureAwait(false))
            {
                Write(services, report);
                isDamaged |= report.IsLeftDamaged;
            }

            return isDamaged ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static async IAsyncEnumerable<VerifyReport> OfMountsAsync(
        CommandServices services, IReadOnlyList<string> places, bool repair, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var target in SyncTarget.Find(services.Mounts, services.Caller, places))
        {
            foreach (var model in target.Model is { } named ? [named] : await ModelsOfAsync(services, target.Mount.MountPoint).ConfigureAwait(false))
            {
                var (errno, json) = await services.Mounts.VerifyAsync(target.Mount.MountPoint, model, repair, cancellationToken).ConfigureAwait(false);
                yield return errno == 0 && json is not null
                    ? VerifyReport.FromJson(json)
                    : throw CommandException.Failure($"{target.Mount.MountPoint}: {model} could not be checked: {SyncErrors.Explain(services.Mounts, target.Mount.MountPoint, new DrainResult(errno, []))}");
            }
        }
    }

    /// <summary>The models of a mount of which anything is here.</summary>
    private static async Task<IReadOnlyList<string>> ModelsOfAsync(CommandServices services, string mountPoint)
    {
        var reading = await services.Mounts.ReadStatusAsync(mountPoint).ConfigureAwait(false);
        if (reading.Json is not { } json)
        {
            throw CommandException.Failure(StatusFailures.Explain(mountPoint, reading.Failure));
        }

        return [.. StatusReport.FromJson(json).Models.Where(model => model.LocalRevision is not null || model.IsPending).Select(model => model.Name)];
    }

    private static async IAsyncEnumerable<VerifyReport> OfFolderAsync(
        string path, IReadOnlyList<string> names, bool repair, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path))
        {
            throw CommandException.Failure($"there is no folder {path}");
        }

        var cache = OfflineCache.Open(path);
        await using (cache.ConfigureAwait(false))
        {
            foreach (var model in cache.Find(names))
            {
                yield return await cache.VerifyAsync(model, repair, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static void Write(CommandServices services, VerifyReport report)
    {
        var note = report.Note is null ? "" : $"; {report.Note}";
        var checkedFiles = $"{DisplayText.Count(report.Files, "file")}, {DisplayText.Bytes(report.Bytes)}";
        if (!report.IsDamaged)
        {
            services.Out.WriteLine($"{report.Model}: {checkedFiles}: as it should be{note}");
            return;
        }

        services.Out.WriteLine($"{report.Model}: {checkedFiles}: {(report.IsLeftDamaged ? "damaged" : "repaired")}{note}");
        if (report.IsIndexDamaged)
        {
            services.Out.WriteLine("  the index beside it is not that of its archive");
        }

        foreach (var path in report.Damaged)
        {
            services.Out.WriteLine($"  {report.Model}/{path}");
        }

        foreach (var reason in report.NotRepaired ?? [])
        {
            services.Error.WriteLine($"modelfs: {report.Model}: {reason}");
        }

        if (report.NotRepaired is null)
        {
            services.Error.WriteLine($"modelfs: {report.Model} is damaged in the cache; `modelfs verify --repair` fetches it anew");
        }
    }
}
