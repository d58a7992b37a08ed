using System.CommandLine;
using System.Text.Json;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Options;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Draining;

/// <summary><c>modelfs unmount</c>: brings changes to the store, says what it waited for, unmounts, and waits for the keeper's end.</summary>
internal static class UnmountCommand
{
    private static readonly TimeSpan s_defaultDrain = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_keeperGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pollEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "Where the store is mounted." };
        var drainTimeout = new Option<string?>("--drain-timeout")
        {
            HelpName = "SECONDS",
            Description = "How long to wait for changes to reach the store; what is left is kept, and sent by the next mount. Default: 60.",
        };
        var lazy = new Option<bool>("--lazy", "-z") { Description = "Unmount even when programs use the mount; it ends with their last open file." };
        var command = new Command("unmount", "Unmount, after every change has reached the store.") { mountPoint, drainTimeout, lazy };
        command.Aliases.Add("umount");
        command.SetAction((result, cancellationToken) =>
        {
            var timeout = SecondsOption.Value(result, drainTimeout) ?? s_defaultDrain;
            return RunAsync(services, result.GetRequiredValue(mountPoint), timeout, result.GetValue(lazy), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CommandServices services, string place, TimeSpan timeout, bool lazy, CancellationToken cancellationToken)
    {
        var mount = MountSearch.At(services.Mounts, services.Caller.Absolute(place));
        var reading = await services.Mounts.ReadStatusAsync(mount.MountPoint).ConfigureAwait(false);
        if (reading is { Json: null, Failure: StatusFailure.Dead })
        {
            return RemoveDeadMount(services, mount);
        }

        if (!lazy)
        {
            if (reading is { Json: null, Failure: StatusFailure.Silent })
            {
                // The unanswered read of the status holds the mount busy itself.
                throw CommandException.Failure(StatusFailures.Explain(mount.MountPoint, reading.Failure));
            }

            RequireUnused(services, mount);
        }

        var startedAt = services.Time.GetTimestamp();
        var keeper = KeeperOf(reading) ?? services.Mounts.FindKeeper(mount.MountPoint);
        var drained = reading.Json is null
            ? WithoutStatus(services, mount, reading.Failure)
            : await DrainAsync(services, mount, timeout, cancellationToken).ConfigureAwait(false);
        Unmount(services, mount, lazy);
        services.Out.WriteLine($"unmounted {mount.MountPoint}");
        var hasEnded = keeper is not { } pid || await HasEndedAsync(services, pid, timeout - services.Time.GetElapsedTime(startedAt), cancellationToken).ConfigureAwait(false);
        if (!hasEnded)
        {
            // The time was given for the whole of it: the daemon is not to go on trying for its own drain time.
            services.Mounts.StopKeeper(keeper!.Value);
            hasEnded = await HasEndedAsync(services, keeper.Value, s_keeperGrace, cancellationToken).ConfigureAwait(false);
        }

        return Conclude(services, drained, hasEnded, keeper);
    }

    private static async Task<DrainResult> DrainAsync(CommandServices services, MountEntry mount, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var result = await DrainView.ShowAsync(
            services.Console,
            view => new DrainWatch(services.Mounts, services.Time, view).RunAsync(mount.MountPoint, null, timeout, cancellationToken)).ConfigureAwait(false);
        if (result.Errno == Errno.EROFS)
        {
            // A read-only mount has nothing to bring to the store.
            return new DrainResult(0, []);
        }

        if (result.Errno is not (0 or Errno.ETIMEDOUT))
        {
            services.Error.WriteLine($"modelfs: {mount.MountPoint}: {SyncErrors.Explain(services.Mounts, mount.MountPoint, result)}");
        }

        return result;
    }

    private static DrainResult WithoutStatus(CommandServices services, MountEntry mount, StatusFailure failure)
    {
        services.Error.WriteLine($"modelfs: warning: {StatusFailures.Explain(mount.MountPoint, failure)}; the daemon drains by itself, what it waits for can't be shown");
        return new DrainResult(0, []);
    }

    private static int RemoveDeadMount(CommandServices services, MountEntry mount)
    {
        Unmount(services, mount, lazy: true);
        services.Out.WriteLine($"removed the dead mount at {mount.MountPoint}; changes that were not published yet are kept in its cache, and the next mount with that cache sends them");
        return ExitCode.Done;
    }

    private static void Unmount(CommandServices services, MountEntry mount, bool lazy)
    {
        switch (services.Mounts.Unmount(mount.MountPoint, lazy))
        {
            case 0:
                return;
            case Errno.EBUSY:
                RequireUnused(services, mount);
                throw CommandException.Failure(
                    $"{mount.MountPoint} is in use by a program that {(services.Caller.IsRoot ? "this mount namespace" : "this user")} can't see; {(services.Caller.IsRoot ? "end it" : "ask root for `fuser -vm`")}, or unmount with --lazy");
            case Errno.EINVAL:
                throw CommandException.Failure($"{mount.MountPoint} was unmounted by somebody else meanwhile");
            default:
                throw CommandException.Failure($"{mount.MountPoint} belongs to another user; unmount it as that user or as root");
        }
    }

    private static void RequireUnused(CommandServices services, MountEntry mount)
    {
        var inner = services.Mounts.List().FirstOrDefault(entry => entry.MountPoint != mount.MountPoint && MountSearch.IsWithin(entry.MountPoint, mount.MountPoint));
        if (inner is not null)
        {
            throw CommandException.Failure($"{mount.MountPoint} is in use: {inner.MountPoint} is mounted in it; unmount that first");
        }

        var holders = services.Mounts.HoldersOf(mount.MountPoint);
        if (holders.Count > 0)
        {
            throw CommandException.Failure(
                $"{mount.MountPoint} is in use, nothing was unmounted:{string.Concat(holders.Select(holder => $"\n  {holder.Name} (pid {holder.Pid}): {holder.How}"))}\nend these programs or leave the folder, or unmount with --lazy");
        }
    }

    private static int? KeeperOf(StatusReading reading)
    {
        try
        {
            return reading.Json is not null && StatusReport.FromJson(reading.Json) is { KeeperPid: > 0 } report ? report.KeeperPid : null;
        }
        catch (JsonException)
        {
            // Of another version: the process list tells as well.
            return null;
        }
    }

    private static async Task<bool> HasEndedAsync(CommandServices services, int keeper, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var startedAt = services.Time.GetTimestamp();
        while (services.Mounts.IsKeeperRunning(keeper))
        {
            if (services.Time.GetElapsedTime(startedAt) >= timeout)
            {
                return false;
            }

            await Task.Delay(s_pollEvery, services.Time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private static int Conclude(CommandServices services, DrainResult drained, bool hasEnded, int? keeper)
    {
        if (!hasEnded)
        {
            services.Error.WriteLine($"modelfs: the keeper (pid {keeper}) has not ended yet; it goes on bringing changes to the store");
        }

        foreach (var model in drained.Pending)
        {
            services.Error.WriteLine($"modelfs: not in the store when it was unmounted: {DrainView.Describe(model)}; it is kept, and the next mount with the same cache sends it");
        }

        return drained is { Errno: 0, Pending.Count: 0 } && hasEnded ? ExitCode.Done : ExitCode.Pending;
    }
}
