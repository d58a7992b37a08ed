using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Draining;

/// <summary>What a failed wait for the store means to the user.</summary>
internal static class SyncErrors
{
    /// <summary>The exit code that belongs to an errno of the wait.</summary>
    public static int CodeOf(int errno) => errno switch
    {
        0 => ExitCode.Done,
        Errno.EBUSY or Errno.EINTR or Errno.ETIMEDOUT => ExitCode.Pending,
        _ => ExitCode.Failed,
    };

    /// <summary>What happened, and what to do.</summary>
    /// <param name="mounts">Tells the path's own last error.</param>
    /// <param name="path">What was waited for: a mount's root or a model folder.</param>
    /// <param name="result">How the wait ended; its <see cref="DrainResult.Errno"/> is not 0.</param>
    public static string Explain(IMountHost mounts, string path, DrainResult result)
    {
        var writers = result.Pending.Where(model => model.OpenWriters > 0).Select(model => model.Name).ToList();
        return result.Errno switch
        {
            Errno.EBUSY when mounts.LastErrorOf(path) is { } error => $"not published: {error}",
            Errno.EBUSY when writers.Count > 0 => $"not published, a program still has files open for writing in {string.Join(", ", writers)}; close them and sync again",
            Errno.EBUSY => "not published, a program still has files open for writing; close them and sync again",
            Errno.ETIMEDOUT => "the time was up before everything was in the store; uploads go on in the background",
            Errno.EINTR => "the wait was broken off; uploads go on in the background",
            Errno.ENOENT => "there is no such model",
            Errno.ENOTSUP or Errno.EINVAL => "this is not a model's folder: name the mount or a model",
            Errno.EACCES or Errno.EPERM => "only the user who mounted it, and root, may wait for it",
            Errno.ENOTCONN => "nothing serves the mount any more; `modelfs unmount` removes it",
            _ when mounts.LastErrorOf(path) is { } error => error,
            _ => $"the store did not take it (errno {result.Errno}); `modelfs status` and the log say more",
        };
    }
}
