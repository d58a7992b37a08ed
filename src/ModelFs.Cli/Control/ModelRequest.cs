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

    /// <summary>Asks; writes what went wrong.</summary>
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
        Errno.EROFS => "the mount is read-only and takes no requests",
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
