using Microsoft.Extensions.Logging;
using ModelFs.Archives;
using ModelFs.Cache;
using ModelFs.Cli.Mounting;

namespace ModelFs.Cli.Options;

/// <summary>Every setting of a mount, in the order of <c>--help</c>. Defaults are those of <see cref="MountSettings"/>.</summary>
internal static class MountOptionTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<MountOption> All { get; } =
    [
        Launch("store-file", "FILE", "Read STORE from the first line of this file, to keep a password out of the command line.",
            (r, v) => r with { StoreFile = r.Caller.Absolute(v) }),
        Launch("storage", "aws|gcs|mongodb", "In place of STORE: the store that a Rasa NLU server's settings describe (BUCKET_NAME, AWS_REGION, mongodb_uri, …).",
            (r, v) => r with { Storage = v }),
        Launch("rasa-config", "FILE", "A Rasa NLU server's configuration file (JSON or YAML): its storage settings, and its path as MOUNTPOINT where none is named.",
            (r, v) => r with { RasaConfig = r.Caller.Absolute(v) }),
        Launch("cache-dir", "DIR", "Where fetched models are kept. Default: a folder of the store's own below $XDG_CACHE_HOME/modelfs, as root below /var/cache/modelfs.",
            (r, v) => r with { CacheDirectory = r.Caller.Absolute(v) }),
        Setting("cache-size", "SIZE", "The most that the cache may hold, such as 10G or 500MiB. Default: what --min-free leaves.",
            (s, v) => s with { CacheBytesMax = OptionText.Size(v) }),
        Setting("min-free", "SIZE", "What the cache leaves free on its file system. Default: 256MiB.",
            (s, v) => s with { FreeBytesMin = OptionText.Size(v) }),
        Switch("allow-other", "Let all users see the mount; file modes are enforced.",
            (s, on) => s with { AllowOther = on }),
        Switch("read-only", "Refuse every change (EROFS).",
            (s, on) => s with { ReadOnly = on }) with { FstabAlias = "ro" },
        Setting("layout", "auto|flat|project", "What a new folder in the root becomes: a model (flat), or a project that holds models (project). Default: auto, by what the store holds.",
            (s, v) => s with { Layout = OptionText.OneOf(v, ("auto", RootLayout.Auto), ("flat", RootLayout.Flat), ("project", RootLayout.Project)) }),
        Setting("hydrate", "model|file|none", "What is fetched once a file of an indexed model is used: all of it, files asked for first (model), opened files (file), or what is read (none). Default: model.",
            (s, v) => s with { Hydrate = OptionText.OneOf(v, ("model", HydrateScope.Model), ("file", HydrateScope.File), ("none", HydrateScope.None)) }),
        Setting("settle", "SECONDS", "How long a model must be quiet before its changes are published. Default: 1.",
            (s, v) => s with { Settle = OptionText.Seconds(v) }),
        Setting("settle-new", "SECONDS", "The same for a new model that has no metadata.json yet. Default: 30.",
            (s, v) => s with { SettleNew = OptionText.Seconds(v) }),
        Setting("max-unsettled", "SECONDS", "Warn about a changed model that programs have kept open for so long that it could not be published. Default: 600.",
            (s, v) => s with { UnsettledMax = OptionText.Seconds(v) }),
        Setting("durability", "local|remote", "What closing a changed file promises: it is safe here and published later (local), or the store has it (remote). Default: local.",
            (s, v) => s with { Durability = OptionText.OneOf(v, ("local", Durability.Local), ("remote", Durability.Remote)) }),
        Setting("switch-after", "SECONDS", "How long a model must be unused before a newer version from the store takes its place. Default: 2.",
            (s, v) => s with { SwitchAfter = OptionText.Seconds(v) }),
        Setting("list-ttl", "SECONDS", "How old the list of the store's models may get before it is read again, in the background. Default: 10.",
            (s, v) => s with { ListTtl = OptionText.Seconds(v) }),
        Setting("fetch-deadline", "SECONDS", "How long the store may go without progress before its callers get an error. Default: 25.",
            (s, v) => s with { FetchDeadline = OptionText.Seconds(v) }),
        Setting("limit-upload", "SIZE", "The most that goes to the store in a second, such as 10MiB. Default: no limit.",
            (s, v) => s with { UploadBytesPerSecond = OptionText.Rate(v) }),
        Setting("limit-download", "SIZE", "The most that comes from the store in a second. Default: no limit.",
            (s, v) => s with { DownloadBytesPerSecond = OptionText.Rate(v) }),
        Setting("drain-timeout", "SECONDS", "How long an unmount may take to bring changes to the store. Default: 60.",
            (s, v) => s with { DrainTimeout = OptionText.Seconds(v) }),
        Setting("archive", "indexed|single-member", "How archives are written: in pieces with an index, or as one gzip member, for readers such as Python's r|gz. Default: indexed.",
            (s, v) => s with { Archive = OptionText.OneOf(v, ("indexed", ArchiveStructure.Indexed), ("single-member", ArchiveStructure.SingleMember)) }),
        Setting("compress", "auto|store|fast|small", "What is compressed. auto: all but what hardly shrinks, such as weights, which is stored. Default: auto.",
            (s, v) => s with { Compress = OptionText.OneOf(v, CompressionWords.All) }),
        Switch("allow-delete", "Let rmdir and rename of a published model delete and rename it in the store.",
            (s, on) => s with { AllowDelete = on }),
        Setting("keep-revisions", "N", "How many replaced or deleted versions of each model a folder or MongoDB store keeps for `modelfs restore`; 0 for none. Buckets keep what their versioning keeps. Default: 1.",
            (s, v) => s with { KeepRevisions = OptionText.Count(v) }),
        Switch("no-create-bucket", "Fail when the bucket or folder of STORE is missing, instead of creating it.",
            (s, on) => s with { CreateBucket = !on }),
        Launch("ca-file", "FILE", "Trust the certificate authorities in this PEM file for the store's TLS connections.",
            (r, v) => r with { Settings = r.Settings with { CaFile = r.Caller.Absolute(v) } }),
        Launch("uid", "UID", "The owner that all files show. Default: the user of --user, otherwise the mounting user.",
            (r, v) => r with { Uid = OptionText.Id(v) }),
        Launch("gid", "GID", "The group that all files show. Default: like --uid.",
            (r, v) => r with { Gid = OptionText.Id(v) }),
        Launch("user", "NAME|UID:GID", "As root: run the daemon as this user, without any privilege.",
            (r, v) => r with { User = r.Caller.ParseUser(v) }),
        Setting("log-level", "LEVEL", "trace, debug, info, warn or error. Default: info.",
            (s, v) => s with { LogLevel = ParseLogLevel(v) }),
        Launch("log-file", "FILE", "Where the daemon writes its log, unless --foreground. Default: modelfs.log in the cache directory.",
            (r, v) => r with { LogFile = r.Caller.Absolute(v) }),
    ];

    private static LogLevel ParseLogLevel(string text) => OptionText.OneOf(
        text,
        ("trace", LogLevel.Trace),
        ("debug", LogLevel.Debug),
        ("info", LogLevel.Information),
        ("warn", LogLevel.Warning),
        ("error", LogLevel.Error));

    private static MountOption Setting(string name, string valueName, string description, Func<MountSettings, string, MountSettings> apply) =>
        Launch(name, valueName, description, (r, v) => r with { Settings = apply(r.Settings, v) });

    private static MountOption Switch(string name, string description, Func<MountSettings, bool, MountSettings> apply) =>
        new(name, null, description, (r, v) => r with { Settings = apply(r.Settings, OptionText.Switch(v)) });

    private static MountOption Launch(string name, string valueName, string description, Func<MountRequest, string, MountRequest> apply) =>
        new(name, valueName, description, (r, v) => v.Trim().Length == 0 ? throw new FormatException("the value is empty") : apply(r, v));
}
