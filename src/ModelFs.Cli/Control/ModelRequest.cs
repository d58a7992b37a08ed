using ModelFs.Cli.Draining;

namespace ModelFs.Cli.Control;

/// <summary>Asks the daemon of a mount for something about one model, by setting an attribute of the model's file in <c>.modelfs/models</c>.</summary>
internal static class ModelRequest
{
    /// <summary>The folder in a mount with one file per model.</summary>
    public const string Folder = ".modelfs/models";

    /// <summary>The models that the arguments of a command name.</summary>
    /// <exception cref="CommandException">None is named, or it is not clear which is meant.</exception>
    public static IReadOnlyList<SyncTarget> Models(CommandServices services, IReadOnlyList<string> arguments, string command)
    {
        var targets = SyncTarget.Find(services.Mounts, services.Caller, arguments, command);
        return arguments.Count > 0 && targets.All(target => target.Model is not null)
            ? targets
            : throw CommandException.Usage($"name the models: modelfs {command} [MOUNTPOINT] MODEL…");
    }

    /// <summary>Asks the same for every model, and tells of each what came of it.</summary>
    /// <param name="services">The world.</param>
    /// <param name="targets">The models.</param>
    /// <param name="ask">Returns 0 or an errno.</param>
    /// <param name="done">What is said of a model when it was done.</param>
    /// <param name="atOnce">Whether nobody waits for the one before.</param>
    /// <returns>The exit code; a failure that needs the user outweighs one that only needs time, whichever came first.</returns>
    public static async Task<int> AskAllAsync(CommandServices services, IReadOnlyList<SyncTarget> targets, Func<SyncTarget, Task<int>> ask, string done, bool atOnce = false)
    {
        var asked = targets.Select(target => (Target: target, Answer: ask(target)));
        var code = ExitCode.Done;
        foreach (var (target, answer) in atOnce ? [.. asked] : asked)
        {
            var errno = await answer.ConfigureAwait(false);
            if (errno == 0)
            {
                services.Out.WriteLine($"{target.Path}: {done}");
                continue;
            }

            // The mount's last error is another model's where several were asked at once.
            var own = atOnce && errno != Errno.ENOENT ? services.Mounts.LastErrorOf(target.Path) : null;
            services.Error.WriteLine($"modelfs: {target.Path}: {own ?? Explain(services, target, errno)}");
            code = code == ExitCode.Failed ? code : CodeOf(errno);
        }

        return code;
    }

    /// <summary>Asks.</summary>
    /// <returns>0 or an errno.</returns>
    public static async Task<int> SendAsync(CommandServices services, SyncTarget target, string attribute, string value, CancellationToken cancellationToken)
    {
        var path = Path.Combine(target.Mount.MountPoint, Folder, target.Model!.Replace("/", "___", StringComparison.Ordinal) + ".json");
        return await services.Mounts.AskAsync(path, "user.modelfs." + attribute, value, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a refusal means to the user.</summary>
    public static string Explain(CommandServices services, SyncTarget target, int errno) => errno switch
    {
        Errno.ENOENT => "there is no such model",
        Errno.EROFS => "the mount is read-only",
        Errno.EINTR => "it was broken off",
        Errno.ENOTCONN => "nothing serves the mount any more; `modelfs unmount` removes it",
        Errno.ENOTSUP => "the daemon of this mount is of an older version; mount again",
        _ when services.Mounts.LastErrorOf(target.Mount.MountPoint) is { } error => error,
        _ => $"the daemon refused (errno {errno}); its log says more",
    };

    /// <summary>The exit code that belongs to an errno.</summary>
    public static int CodeOf(int errno) => errno switch
    {
        0 => ExitCode.Done,
        Errno.EBUSY => ExitCode.Pending,
        _ => ExitCode.Failed,
    };
}
