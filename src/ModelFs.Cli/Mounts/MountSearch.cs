namespace ModelFs.Cli.Mounts;

/// <summary>Finds the mount that a user means.</summary>
internal static class MountSearch
{
    /// <summary>The mounts of ModelFs, one per mount point: the one on top.</summary>
    public static IReadOnlyList<MountEntry> ModelFsMounts(IMountHost host)
    {
        var onTop = new Dictionary<string, MountEntry>(StringComparer.Ordinal);
        foreach (var entry in host.List())
        {
            onTop[entry.MountPoint] = entry;
        }

        return [.. onTop.Values.Where(entry => entry.IsModelFs).OrderBy(entry => entry.MountPoint, StringComparer.Ordinal)];
    }

    /// <summary>The mount at a path; symbolic links on the way to it are followed.</summary>
    /// <exception cref="CommandException">None of ModelFs is there; the message lists those that are.</exception>
    public static MountEntry At(IMountHost host, string absolutePath)
    {
        var mounts = ModelFsMounts(host);
        var realPath = host.RealPath(absolutePath);
        return mounts.FirstOrDefault(mount => mount.MountPoint == absolutePath || mount.MountPoint == realPath)
            ?? throw CommandException.Failure($"ModelFs is not mounted at {absolutePath}; {Describe(mounts)}");
    }

    /// <summary>The mount that a path is in or at, or null.</summary>
    public static MountEntry? Around(IReadOnlyList<MountEntry> mounts, string path) =>
        mounts.Where(mount => IsWithin(path, mount.MountPoint)).MaxBy(mount => mount.MountPoint.Length);

    /// <summary>Which mounts there are, as the end of a message.</summary>
    public static string Describe(IReadOnlyList<MountEntry> mounts) => mounts.Count == 0
        ? "it is mounted nowhere here"
        : "it is mounted at " + string.Join(", ", mounts.Select(mount => mount.MountPoint));

    /// <summary>Whether a path is a folder or lies below it; both absolute.</summary>
    public static bool IsWithin(string path, string folder) =>
        path == folder || folder == "/" || (path.StartsWith(folder, StringComparison.Ordinal) && path[folder.Length] == '/');
}
