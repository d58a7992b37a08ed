using System.Collections.Concurrent;
using System.Globalization;
using ModelFs.Cache.Posix;
using PosixErrno = ModelFs.Cache.Posix.Errno;

namespace ModelFs.Cli.Mounts;

/// <summary>Finds the processes that hold a mount, by reading <c>/proc</c>. It follows no link, so no hung mount, this or another, hangs it.</summary>
/// <remarks>The links are read by readlink(2) and listed by readdir(3): the enumerations and <c>LinkTarget</c> of System.IO look at what a link leads to.</remarks>
internal static class HolderScan
{
    /// <summary>
    /// As <see cref="Run"/>, but with what was found when <paramref name="limit"/> is over: the kernel makes who looks at the mappings of a process
    /// wait while that process waits for a hung mount.
    /// </summary>
    public static IReadOnlyList<MountHolder> RunWithin(TimeSpan limit, string proc, string mountPoint)
    {
        var found = new ConcurrentQueue<MountHolder>();
        var scan = new Thread(() => Scan(proc, mountPoint, found)) { IsBackground = true, Name = "holder scan" };
        scan.Start();
        _ = scan.Join(limit);
        return [.. found];
    }

    /// <summary>One holder per process: its working directory first, then its root, an open file, a mapped file.</summary>
    /// <param name="proc">Where procfs is mounted.</param>
    /// <param name="mountPoint">The mount's absolute path.</param>
    public static IReadOnlyList<MountHolder> Run(string proc, string mountPoint)
    {
        var found = new ConcurrentQueue<MountHolder>();
        Scan(proc, mountPoint, found);
        return [.. found];
    }

    private static void Scan(string proc, string mountPoint, ConcurrentQueue<MountHolder> found)
    {
        foreach (var folder in Directory.EnumerateDirectories(proc))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && HoldOf(folder, mountPoint) is { } how)
            {
                found.Enqueue(new MountHolder(pid, NameOf(folder), how));
            }
        }
    }

    private static string? HoldOf(string process, string mountPoint)
    {
        try
        {
            return Within("working directory", Target(process + "/cwd"), mountPoint)
                ?? Within("root directory", Target(process + "/root"), mountPoint)
                ?? OpenFile(process + "/fd", mountPoint)
                ?? MappedFile(process + "/maps", mountPoint);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The process has ended meanwhile, or belongs to another user.
            return null;
        }
    }

    private static string? OpenFile(string folder, string mountPoint)
    {
        if (PosixFile.List(folder, out var descriptors) != PosixErrno.None)
        {
            return null;
        }

        foreach (var descriptor in descriptors)
        {
            if (Within("open file", Target(folder + "/" + descriptor.Name), mountPoint) is { } how)
            {
                return how;
            }
        }

        return null;
    }

    private static string? MappedFile(string maps, string mountPoint)
    {
        foreach (var line in File.ReadLines(maps))
        {
            var slash = line.IndexOf('/', StringComparison.Ordinal);
            if (slash >= 0 && Within("mapped file", line[slash..], mountPoint) is { } how)
            {
                return how;
            }
        }

        return null;
    }

    private static string? Within(string what, string? path, string mountPoint) =>
        path is not null && MountSearch.IsWithin(path, mountPoint) ? what + " " + path : null;

    private static string? Target(string link) => PosixFile.ReadLink(link, out var target) == PosixErrno.None ? target : null;

    private static string NameOf(string process)
    {
        try
        {
            return File.ReadAllText(process + "/comm").Trim();
        }
        catch (IOException)
        {
            return "?";
        }
    }
}
