using System.CommandLine;
using System.Runtime.InteropServices;
using ModelFs.Cli.Options;

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
            Description = "Where the models are: a folder, file:///folder or s3://bucket[/prefix]?endpoint=URL&region=R&path-style=true.",
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
            var (storeText, place) = Places(request, result.GetValue(store), result.GetValue(mountPoint));
            return RunAsync(services, request, storeText, place, result.GetValue(foreground), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        CommandServices services, MountRequest request, string? storeText, string mountPoint, bool foreground, CancellationToken cancellationToken)
    {
        var store = MountPlan.FindStore(services, storeText, request.StoreFile);
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
        return ExitCode.Done;
    }

    /// <summary>With the store from a file or the environment, one argument is the mount point.</summary>
    private static (string? Store, string MountPoint) Places(MountRequest request, string? first, string? second) => (first, second) switch
    {
        ({ } store, { } place) when request.StoreFile is null => (store, place),
        ({ } store, { }) => throw CommandException.Usage($"STORE is given twice: as '{store}' and by --store-file; leave one out"),
        ({ } place, null) => (null, place),
        _ => throw CommandException.Usage("no mount point is named: modelfs mount STORE MOUNTPOINT"),
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
