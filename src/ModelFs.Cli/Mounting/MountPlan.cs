using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Mounting;

/// <summary>Turns what the user asked for into one complete, checked <see cref="KeeperLaunch"/>. Nothing is started or mounted here.</summary>
internal static class MountPlan
{
    /// <summary>The file in the cache directory that the daemon logs to: a cache has one daemon at a time, so it has one log.</summary>
    private const string LogFileName = "modelfs.log";

    /// <summary>Checks all that can be wrong before a process is started.</summary>
    /// <exception cref="CommandException">Something is; the message says what to do.</exception>
    public static KeeperLaunch Make(CommandServices services, MountRequest request, StoreAddress store, string mountPoint, bool foreground)
    {
        var absolute = services.Caller.Absolute(mountPoint);
        var realMountPoint = services.Mounts.RealPath(absolute);
        RequireFreeFolder(services.Mounts, absolute, realMountPoint);
        var cache = request.CacheDirectory ?? CacheLocation.Default(store.Display, services.Caller.IsRoot, services.Variable);
        RequireApart("the cache directory", services.Mounts.RealPath(cache), realMountPoint);
        if (Path.IsPathRooted(store.Text))
        {
            RequireApart("the store", services.Mounts.RealPath(store.Text), realMountPoint);
            RequireApart("the store", services.Mounts.RealPath(store.Text), services.Mounts.RealPath(cache), "the cache directory");
        }

        if (request.Settings.CaFile is { } caFile && !File.Exists(caFile))
        {
            throw CommandException.Usage($"--ca-file: there is no file {caFile}");
        }

        if (request.User is not null && !services.Caller.IsRoot)
        {
            throw CommandException.Usage("--user: only root can run the daemon as somebody else; leave it out to run it as yourself");
        }

        var owner = request.User ?? services.Caller.Owner;
        var settings = request.Settings with
        {
            Store = store.Text,
            StoreDisplay = store.Display,
            MountPoint = realMountPoint,
            CacheDirectory = cache,
            Uid = request.Uid ?? owner.Uid,
            Gid = request.Gid ?? owner.Gid,
        };
        return new KeeperLaunch(settings, request.User, request.LogFile ?? Path.Combine(cache, LogFileName), foreground);
    }

    private static void RequireFreeFolder(IMountHost mounts, string asGiven, string mountPoint)
    {
        if (mounts.List().LastOrDefault(entry => entry.MountPoint == mountPoint) is { IsModelFs: true })
        {
            // Alive or dead: the keeper tells, cleans up a dead one, and refuses to mount over a live one.
            return;
        }

        if (File.Exists(mountPoint))
        {
            throw CommandException.Failure($"{asGiven} is a file; a mount point is an empty folder");
        }

        if (!Directory.Exists(mountPoint))
        {
            throw CommandException.Failure($"the mount point {asGiven} does not exist; create it: mkdir -p {asGiven}");
        }
    }

    private static void RequireApart(string what, string path, string other, string otherName = "the mount point")
    {
        if (MountSearch.IsWithin(path, other) || (MountSearch.IsWithin(other, path) && otherName != "the mount point"))
        {
            throw CommandException.Usage($"{what} {path} and {otherName} {other} can't lie in each other; choose another folder for one of them");
        }
    }
}
