using ModelFs.Cli.Status;

namespace ModelFs.Cli.Tests;

/// <summary>Status reports for tests.</summary>
internal static class Reports
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 15, 0, 0, TimeSpan.Zero);

    public static StatusReport Of(params ModelStatus[] models) => new()
    {
        Store = "s3://bucket",
        MountPoint = "/mnt",
        CacheDir = "/cache",
        DaemonPid = 8,
        KeeperPid = 7,
        StartedAt = s_now.AddHours(-1),
        CanResume = true,
        Passthrough = new PassthroughStatus(true, null),
        Cache = new CacheStatus(3L << 20, 10L << 30, 2),
        Models = models,
    };

    public static ModelStatus Ready(string name, string revision = "r2") => new() { Name = name, State = "ready", Bytes = 12_897_485, StoreRevision = revision };

    public static ModelStatus Dirty(string name) => new() { Name = name, State = "dirty", Bytes = 12_897_485, StoreRevision = "r1", DirtySince = s_now.AddSeconds(-3) };

    public static ModelStatus Publishing(string name) => Dirty(name) with { State = "publishing", ProgressBytes = 45, TotalBytes = 100 };
}
