namespace ModelFs.Cli.Mounts;

/// <summary>Why a mount did not show its status.</summary>
internal enum StatusFailure
{
    /// <summary>Nothing serves it any more (ENOTCONN): its keeper was killed.</summary>
    Dead,

    /// <summary>It belongs to another user (EACCES).</summary>
    Denied,

    /// <summary>It gave no answer in time.</summary>
    Silent,

    /// <summary>It answered with something that is no status.</summary>
    Unreadable,
}

/// <summary>What reading a mount's status brought: the JSON text, or why there is none.</summary>
/// <param name="Json">The text of <c>status.json</c>, or null.</param>
/// <param name="Failure">Meaningful when <paramref name="Json"/> is null.</param>
internal readonly record struct StatusReading(string? Json, StatusFailure Failure);

/// <summary>A process that keeps a mount from being unmounted.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Name">Its short name.</param>
/// <param name="How">What of the mount it holds, such as <c>open file /mnt/bert/a.bin</c> or <c>working directory /mnt</c>.</param>
internal sealed record MountHolder(int Pid, string Name, string How);

/// <summary>What the commands ask of this machine's mounts. A seam: tests run the commands without a mount.</summary>
internal interface IMountHost
{
    /// <summary>All mounts of this mount namespace, in mount order.</summary>
    IReadOnlyList<MountEntry> List();

    /// <summary>Resolves symbolic links without touching the inside of a mount that may be dead; what does not exist stays as it is.</summary>
    string RealPath(string absolutePath);

    /// <summary>Reads <c>.modelfs/status.json</c>; never waits longer than a few seconds.</summary>
    Task<StatusReading> ReadStatusAsync(string mountPoint);

    /// <summary>Sets <c>user.modelfs.sync</c> on the mount's <c>status.json</c>, which ends when the store has everything of one model, or of all.</summary>
    /// <returns>0 or an errno (<see cref="Errno"/>). When cancelled, the wait itself is ended too, so that the mount is not held busy.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    Task<int> WaitForStoreAsync(string mountPoint, string? model, CancellationToken cancellationToken);

    /// <summary>Sets an attribute of a path in a mount, by which something is asked of its daemon, and waits for the answer.</summary>
    /// <returns>0 or an errno (<see cref="Errno"/>). When cancelled, the wait itself is ended too, so that the mount is not held busy.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    Task<int> AskAsync(string path, string attribute, string value, CancellationToken cancellationToken);

    /// <summary>Reads a file of a mount that its daemon makes when it is opened, for which it may have to ask the store.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The mount belongs to another user.</exception>
    Task<string> ReadTextAsync(string path, CancellationToken cancellationToken);

    /// <summary>The text of <c>user.modelfs.last_error</c> on a path in a mount, or null.</summary>
    string? LastErrorOf(string path);

    /// <summary>Unmounts, as root by umount2(2), otherwise by fusermount3.</summary>
    /// <param name="mountPoint">What to unmount.</param>
    /// <param name="lazy">Take it out of the tree even when it is in use.</param>
    /// <returns>0 or an errno.</returns>
    /// <exception cref="CommandException">fusermount3 is missing.</exception>
    int Unmount(string mountPoint, bool lazy);

    /// <summary>Who holds files or folders of a mount, as far as the caller may see other processes.</summary>
    IReadOnlyList<MountHolder> HoldersOf(string mountPoint);

    /// <summary>The pid of the keeper that owns a mount, found in the process list; null when there is none.</summary>
    int? FindKeeper(string mountPoint);

    /// <summary>Whether a keeper of that pid still runs.</summary>
    bool IsKeeperRunning(int pid);

    /// <summary>Asks a keeper to end without waiting any longer for the store.</summary>
    void StopKeeper(int pid);
}
