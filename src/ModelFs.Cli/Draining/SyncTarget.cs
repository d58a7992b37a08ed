using ModelFs.Cli.Mounting;
using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Draining;

/// <summary>What <c>modelfs sync</c> waits for, and what other commands on models in mounts are about.</summary>
/// <param name="Mount">The mount.</param>
/// <param name="Model">One model as the mount shows it, or null for all of them.</param>
internal sealed record SyncTarget(MountEntry Mount, string? Model)
{
    /// <summary>The path whose attribute is set.</summary>
    public string Path => Model is null ? Mount.MountPoint : System.IO.Path.Combine(Mount.MountPoint, Model);

    /// <summary>
    /// Finds what the arguments mean: a mount point, paths inside of mounts, and names of models. Names belong to the mount that is named first,
    /// or to the only one.
    /// </summary>
    /// <param name="host">The machine's mounts.</param>
    /// <param name="caller">Whose relative paths they are.</param>
    /// <param name="arguments">As given.</param>
    /// <param name="command">Which command asks, for messages.</param>
    /// <exception cref="CommandException">There is no mount, or it is not clear which is meant.</exception>
    public static IReadOnlyList<SyncTarget> Find(IMountHost host, Caller caller, IReadOnlyList<string> arguments, string command = "sync")
    {
        var mounts = MountSearch.ModelFsMounts(host);
        if (mounts.Count == 0)
        {
            throw CommandException.Failure("ModelFs is mounted nowhere here; see `modelfs mount --help`");
        }

        if (arguments.Count == 0)
        {
            return [.. mounts.Select(mount => new SyncTarget(mount, null))];
        }

        var targets = new List<SyncTarget>();
        var named = mounts.Count == 1 ? mounts[0] : null;
        MountEntry? withoutModel = null;
        foreach (var argument in arguments)
        {
            var path = host.RealPath(caller.Absolute(argument));
            var around = MountSearch.Around(mounts, path);
            if (path == around?.MountPoint)
            {
                AddWhole(targets, withoutModel);
                named = withoutModel = around;
                continue;
            }

            targets.Add(around is null ? ByName(mounts, named, argument, command) : new SyncTarget(around, System.IO.Path.GetRelativePath(around.MountPoint, path)));
            withoutModel = null;
        }

        AddWhole(targets, withoutModel);
        return targets;
    }

    private static void AddWhole(List<SyncTarget> targets, MountEntry? mount)
    {
        if (mount is not null)
        {
            targets.Add(new SyncTarget(mount, null));
        }
    }

    private static SyncTarget ByName(IReadOnlyList<MountEntry> mounts, MountEntry? named, string argument, string command)
    {
        if (System.IO.Path.IsPathRooted(argument) || argument.StartsWith("./", StringComparison.Ordinal) || argument.StartsWith("../", StringComparison.Ordinal))
        {
            throw CommandException.Failure($"{argument} is in no mount of ModelFs; {MountSearch.Describe(mounts)}");
        }

        return named is not null
            ? new SyncTarget(named, argument.TrimEnd('/'))
            : throw CommandException.Usage($"which mount is '{argument}' in? {MountSearch.Describe(mounts)}; name the mount first: modelfs {command} MOUNTPOINT {argument}");
    }
}
