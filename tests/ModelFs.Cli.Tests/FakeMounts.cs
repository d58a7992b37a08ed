using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Tests;

/// <summary>A machine's mounts, as a test says they are.</summary>
internal sealed class FakeMounts : IMountHost
{
    private readonly Queue<StatusReport> _reports = new();
    private StatusReport? _lastReport;
    private TaskCompletionSource<int>? _waiting;

    public List<MountEntry> Entries { get; } = [];

    public List<MountHolder> Holders { get; } = [];

    public List<string> Calls { get; } = [];

    public StatusFailure? Failure { get; set; }

    public string? LastError { get; set; }

    /// <summary>What setting the attribute returns once all reports were read; null when it never returns.</summary>
    public int? SyncErrno { get; set; } = 0;

    public int UnmountErrno { get; set; }

    /// <summary>How often a keeper is still seen running after the unmount.</summary>
    public int KeeperLooks { get; set; }

    public static FakeMounts With(params string[] mountPoints)
    {
        var mounts = new FakeMounts();
        mounts.Entries.AddRange(mountPoints.Select(place => new MountEntry(place, MountEntry.ModelFsType, "s3://bucket")));
        return mounts;
    }

    /// <summary>Each read of the status takes the next report; the last one stays.</summary>
    public FakeMounts Reporting(params StatusReport[] reports)
    {
        foreach (var report in reports)
        {
            _reports.Enqueue(report);
        }

        return this;
    }

    public IReadOnlyList<MountEntry> List() => Entries;

    public void StopKeeper(int pid) => Calls.Add($"stop {pid}");

    /// <summary>What a check of a model reports, by its name.</summary>
    public Dictionary<string, string> Verified { get; } = [];

    public Task<(int Errno, string? Report)> VerifyAsync(string mountPoint, string model, bool repair, CancellationToken cancellationToken)
    {
        Calls.Add($"{(repair ? "repair" : "check")} {mountPoint} {model}");
        return Task.FromResult(Verified.TryGetValue(model, out var report) ? (0, report) : (2, (string?)null));
    }

    public string RealPath(string absolutePath) => absolutePath;

    public Task<StatusReading> ReadStatusAsync(string mountPoint)
    {
        if (Failure is { } failure)
        {
            return Task.FromResult(new StatusReading(null, failure));
        }

        _lastReport = _reports.Count > 0 ? _reports.Dequeue() : _lastReport;
        if (_reports.Count == 0 && SyncErrno is { } errno)
        {
            _waiting?.TrySetResult(errno);
        }

        return Task.FromResult(new StatusReading((_lastReport ?? new StatusReport { MountPoint = mountPoint, KeeperPid = 7 }).ToJson(), default));
    }

    public Task<int> WaitForStoreAsync(string mountPoint, string? model, CancellationToken cancellationToken)
    {
        Calls.Add("sync " + (model is null ? mountPoint : mountPoint + "/" + model));
        _waiting = new TaskCompletionSource<int>();
        var waiting = _waiting;
        cancellationToken.Register(() => waiting.TrySetCanceled(cancellationToken));
        if (_reports.Count == 0 && SyncErrno is { } errno)
        {
            waiting.TrySetResult(errno);
        }

        return waiting.Task;
    }

    /// <summary>Contents of files in the mounts.</summary>
    public Dictionary<string, string> Texts { get; } = [];

    public Task<string> ReadTextAsync(string path, CancellationToken cancellationToken) =>
        Texts.TryGetValue(path, out var text) ? Task.FromResult(text) : Task.FromException<string>(new FileNotFoundException($"Could not find file '{path}'."));

    /// <summary>What <see cref="AskAsync"/> returns one after another, before <see cref="AskErrno"/>.</summary>
    public Queue<int> AskErrnos { get; } = new();

    /// <summary>What <see cref="AskAsync"/> returns.</summary>
    public int AskErrno { get; set; }

    public Task<int> AskAsync(string path, string attribute, string value, CancellationToken cancellationToken)
    {
        Calls.Add($"{attribute}={value} {path}");
        return Task.FromResult(AskErrnos.TryDequeue(out var errno) ? errno : AskErrno);
    }

    public string? LastErrorOf(string path) => LastError;

    public int Unmount(string mountPoint, bool lazy)
    {
        Calls.Add((lazy ? "lazily unmount " : "unmount ") + mountPoint);
        return UnmountErrno;
    }

    public IReadOnlyList<MountHolder> HoldersOf(string mountPoint) => Holders;

    public int? FindKeeper(string mountPoint) => 7;

    public bool IsKeeperRunning(int pid)
    {
        Calls.Add($"is {pid} running");
        return KeeperLooks-- > 0;
    }
}
