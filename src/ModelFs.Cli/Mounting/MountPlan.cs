using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounts;
using ModelFs.Stores;

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

    /// <summary>Takes the store's address from the argument, the file or the environment, in this order, and checks it.</summary>
    /// <exception cref="CommandException">There is none, or it can't be right.</exception>
    public static StoreAddress FindStore(CommandServices services, string? argument, string? file)
    {
        var text = argument ?? (file is null ? services.Variable("MODELFS_STORE") : FirstLine(file));
        if (string.IsNullOrWhiteSpace(text))
        {
            throw CommandException.Usage("no store is named: give STORE (a folder, or s3://bucket/prefix), or --store-file FILE, or the environment variable MODELFS_STORE");
        }

        StoreAddress store;
        try
        {
            store = services.Stores.Parse(text, services.Caller.WorkingDirectory);
        }
        catch (StoreException exception)
        {
            throw CommandException.Usage(exception.Message);
        }

        if (argument is not null && store.HoldsSecret)
        {
            services.Error.WriteLine("modelfs: warning: the store's address holds a password, and every user of this machine can read command lines; use --store-file or MODELFS_STORE");
        }

        return store;
    }

    private static string FirstLine(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault("").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"--store-file: {exception.Message}");
        }
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
