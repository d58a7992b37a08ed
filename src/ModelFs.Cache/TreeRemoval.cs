using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>Removes folders of the cache whatever the modes inside are; links are removed, never followed.</summary>
internal static class TreeRemoval
{
    /// <summary>Removes a file or a whole folder; what can't be removed stays, and the next start tries again.</summary>
    public static void Remove(string path)
    {
        if (PosixFile.Stat(path, out var status) != Errno.None)
        {
            return;
        }

        if (!status.IsFolder)
        {
            _ = PosixFile.Unlink(path);
            return;
        }

        _ = PosixFile.SetMode(path, 0x1C0);
        _ = PosixFile.List(path, out var entries);
        foreach (var entry in entries)
        {
            Remove(path + "/" + entry.Name);
        }

        _ = PosixFile.RemoveFolder(path);
    }
}
