using System.Globalization;

namespace ModelFs.Cli.Mounting;

/// <summary>One mount, ready to be handed to the keeper.</summary>
/// <param name="Settings">For the daemon.</param>
/// <param name="User">Whom the daemon runs as, or null for the caller.</param>
/// <param name="LogFile">Where keeper and daemon log to in the background.</param>
/// <param name="Foreground">Whether the keeper stays in the terminal.</param>
internal sealed record KeeperLaunch(MountSettings Settings, Owner? User, string LogFile, bool Foreground)
{
    /// <summary>The kernel's read-ahead on the mount: what one request can carry (1 MiB) instead of 128 KiB.</summary>
    private const int ReadAheadKiB = 1024;

    /// <summary>The keeper's command line, without its own path. No secret is in it.</summary>
    /// <param name="readyDescriptor">Where the keeper writes its one line when it is ready or gives up.</param>
    /// <param name="program">This program's path, which the keeper starts as daemon.</param>
    public IReadOnlyList<string> Arguments(int readyDescriptor, string program)
    {
        var culture = CultureInfo.InvariantCulture;
        var arguments = new List<string> { "--mountpoint", Settings.MountPoint, "--fsname", Settings.StoreDisplay };
        var options = string.Join(',', Options());
        if (options.Length > 0)
        {
            arguments.AddRange(["--options", options]);
        }

        if (User is { } user)
        {
            arguments.AddRange(["--user", string.Create(culture, $"{user.Uid}:{user.Gid}")]);
        }

        arguments.AddRange(["--ready-fd", readyDescriptor.ToString(culture)]);
        arguments.AddRange(Foreground ? ["--foreground"] : ["--log", LogFile]);
        arguments.AddRange(["--read-ahead-kb", ReadAheadKiB.ToString(culture), "--", program, DaemonCommand.Name]);
        return arguments;
    }

    private IEnumerable<string> Options()
    {
        if (Settings.AllowOther)
        {
            yield return "allow_other";
        }

        if (Settings.ReadOnly)
        {
            yield return "ro";
        }
    }
}

/// <summary>What the keeper said.</summary>
/// <param name="KeeperPid">The pid of the keeper when the mount is ready, otherwise null.</param>
/// <param name="Error">Why it is not; null when it is.</param>
internal sealed record KeeperAnswer(int? KeeperPid, string? Error)
{
    /// <summary>Reads the keeper's one line: <c>ready PID</c> or <c>error TEXT</c>; null or anything else means that it died first.</summary>
    public static KeeperAnswer Parse(string? line, string logFile)
    {
        if (line is not null && line.StartsWith("ready ", StringComparison.Ordinal)
            && int.TryParse(line["ready ".Length..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
        {
            return new KeeperAnswer(pid, null);
        }

        return line is not null && line.StartsWith("error ", StringComparison.Ordinal)
            ? new KeeperAnswer(null, line["error ".Length..].Trim())
            : new KeeperAnswer(null, $"modelfs-keeper ended without an answer; its log is {logFile}");
    }
}

/// <summary>Starts the program that owns the mount. A seam: tests run <c>modelfs mount</c> without one.</summary>
internal interface IKeeperLauncher
{
    /// <summary>Starts the keeper in the background and waits until the mount is ready or has failed.</summary>
    Task<KeeperAnswer> LaunchAsync(KeeperLaunch launch, CancellationToken cancellationToken);

    /// <summary>Becomes the keeper, so that a service manager's signals and the exit code are the keeper's own. Returns only when that failed.</summary>
    /// <returns>Why it failed.</returns>
    string Become(KeeperLaunch launch);
}
