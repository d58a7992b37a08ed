using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Options;
using ModelFs.Cli.Rasa;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Mounting;

/// <summary><c>modelfs mount</c>: checks everything, starts the keeper, and returns when the mount is ready.</summary>
internal static class MountCommand
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var store = new Argument<string?>("STORE")
        {
            Description = "Where the models are: a folder, s3://bucket[/prefix]?endpoint=URL&region=R, gs://bucket[/prefix] or mongodb://host/db?collection=NAME.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var mountPoint = new Argument<string?>("MOUNTPOINT") { Description = "An existing folder in which the models appear.", Arity = ArgumentArity.ZeroOrOne };
        var foreground = new Option<bool>("--foreground", "-f") { Description = "Stay in the terminal and log to it; for service managers and containers." };
        var fstab = new Option<string[]>("--options", "-o") { HelpName = "NAME=VALUE,…", Description = "The same options as fstab(5) writes them, with underscores; -o help lists them." };
        var flags = MountOptionTable.All.ToDictionary(option => option, Flag);
        var command = new Command("mount", "Mount a store: show each of its models as a folder, fetched when first opened.") { store, mountPoint, foreground, fstab };
        foreach (var option in MountOptionTable.All)
        {
            command.Add(flags[option]);
        }

        command.SetAction((result, cancellationToken) =>
        {
            var texts = result.GetValue(fstab) ?? [];
            if (texts.Contains("help"))
            {
                WriteFstabHelp(services.Out);
                return Task.FromResult(ExitCode.Done);
            }

            var request = MountRequest.From(services.Caller, option => result.GetResult(flags[option]) is null ? null : FlagText(result, flags[option]), texts, services.Variable);
            var namesStore = flags.FirstOrDefault(flag => flag.Key.Name is "store-file" or "storage" && FlagText(result, flag.Value) is not null).Key;
            var (storeText, place) = Places(result.GetValue(store), result.GetValue(mountPoint), namesStore);
            return RunAsync(services, request, storeText, place, result.GetValue(foreground), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        CommandServices services, MountRequest request, string? storeText, string? place, bool foreground, CancellationToken cancellationToken)
    {
        var mountPoint = place ?? RasaMountPoint.Find(RasaSettings.Read(request.RasaConfig, services.Variable), services.Caller)
            ?? throw CommandException.Usage("no mount point is named: modelfs mount STORE MOUNTPOINT");
        var store = StoreFinder.Find(services, new StoreSources(storeText, request.StoreFile, request.Storage, request.RasaConfig));
        var launch = MountPlan.Make(services, request, store, mountPoint, foreground);
        PrepareFolders(launch);
        if (foreground)
        {
            throw CommandException.Failure(services.Keeper.Become(launch));
        }

        var answer = await services.Keeper.LaunchAsync(launch, cancellationToken).ConfigureAwait(false);
        if (answer.Error is { } error)
        {
            throw CommandException.Failure(error);
        }

        await services.Out.WriteLineAsync(
            $"""
            {launch.Settings.StoreDisplay} is mounted at {launch.Settings.MountPoint}
              show what it does:  modelfs status {Quote(mountPoint)}
              end it:             modelfs unmount {Quote(mountPoint)}
              its log:            {launch.LogFile}
            """).ConfigureAwait(false);
        await WriteWarningsAsync(services, launch.Settings.MountPoint).ConfigureAwait(false);
        return ExitCode.Done;
    }

    /// <summary>What the operator should know at once: why the mount may not be what is expected. A mount of another user does not tell; its log does.</summary>
    private static async Task WriteWarningsAsync(CommandServices services, string mountPoint)
    {
        var reading = await services.Mounts.ReadStatusAsync(mountPoint).ConfigureAwait(false);
        try
        {
            foreach (var warning in reading.Json is null ? [] : StatusReport.FromJson(reading.Json).Warnings)
            {
                await services.Error.WriteLineAsync($"modelfs: warning: {warning}").ConfigureAwait(false);
            }
        }
        catch (JsonException)
        {
            // The mount serves; what is wrong with its status is for `modelfs status` to say.
        }
    }

    /// <summary>One argument is the mount point, unless it is an address.</summary>
    /// <param name="first">The first argument, or null.</param>
    /// <param name="second">The second argument, or null.</param>
    /// <param name="namesStore">The option on the command line that names the store, or null.</param>
    private static (string? Store, string? MountPoint) Places(string? first, string? second, MountOption? namesStore) => (first, second) switch
    {
        ({ } store, { }) when namesStore is not null => throw CommandException.Usage($"STORE is given twice: as '{store}' and by {namesStore.Flag}; leave one out"),
        ({ } store, { } place) => (store, place),
        ({ } store, null) when store.Contains("://", StringComparison.Ordinal) => (store, null),
        ({ } place, null) => (null, place),
        _ => (null, null),
    };

    private static Option Flag(MountOption option) => option.IsSwitch
        ? new Option<bool>(option.Flag) { Description = option.Description }
        : new Option<string>(option.Flag) { Description = option.Description, HelpName = option.ValueName };

    private static string? FlagText(ParseResult result, Option flag) => flag switch
    {
        Option<bool> onOff => result.GetResult(onOff) is { Implicit: false } ? (result.GetValue(onOff) ? "true" : "false") : null,
        Option<string> valued => result.GetValue(valued),
        _ => null,
    };

    /// <summary>Only the daemon's own user may look into the cache: what is in it has no owner but the store.</summary>
    private static void PrepareFolders(KeeperLaunch launch)
    {
        MakeFolder(launch.Settings.CacheDirectory, launch.User);
        if (!launch.Foreground)
        {
            MakeFolder(Path.GetDirectoryName(launch.LogFile)!, null);
        }
    }

    private static void MakeFolder(string folder, Owner? owner)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                return;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            Directory.CreateDirectory(folder, OwnerOnly);
            if (owner is { } user && Interop.ChangeOwner(folder, user.Uid, user.Gid) != 0)
            {
                throw CommandException.Failure($"{folder} could not be given to user {user.Uid}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Failure($"the folder {folder} could not be created: {exception.Message}; choose another by --cache-dir or --log-file");
        }
    }

    private static void WriteFstabHelp(TextWriter output)
    {
        output.WriteLine("Options for -o and the options field of /etc/fstab, with their flag and environment variable:");
        foreach (var option in MountOptionTable.All)
        {
            var usage = option.IsSwitch ? option.FstabName : option.FstabName + "=" + option.ValueName;
            output.WriteLine($"  {usage,-28} {option.Flag,-20} {option.Variable}");
        }
    }

    private static string Quote(string path) => path.All(c => char.IsLetterOrDigit(c) || "/._-+:@".Contains(c, StringComparison.Ordinal)) ? path : "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
