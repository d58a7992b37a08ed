using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using ModelFs.Archives;
using ModelFs.Cache;

namespace ModelFs.Cli.Mounting;

/// <summary>What a new folder in the root of a mount becomes.</summary>
internal enum RootLayout
{
    /// <summary>Decided when mounting: projects only if every model in the store belongs to one.</summary>
    Auto,

    /// <summary>A model.</summary>
    Flat,

    /// <summary>A project, whose subfolders are models.</summary>
    Project,
}

/// <summary>
/// Everything that a daemon must know, complete and absolute, so that a daemon which is started again behaves as the first one did.
/// A program that was upgraded meanwhile may read what an older one wrote: what is missing has its default, which the serializer keeps only for members with a setter.
/// It travels as JSON in the environment variable <see cref="Variable"/>, which only the user itself and root can read: the store's text may hold a password.
/// </summary>
internal sealed record MountSettings
{
    /// <summary>The environment variable that carries the settings from <c>modelfs mount</c> through the keeper to the daemon.</summary>
    public const string Variable = "MODELFS_MOUNT_SETTINGS";

    /// <summary>The store's address as given, a path made absolute. May hold a password.</summary>
    public string Store { get; set; } = "";

    /// <summary>The store's address without secrets, for logs, status and mountinfo.</summary>
    public string StoreDisplay { get; set; } = "";

    /// <summary>Where the models appear: an absolute path without symbolic links.</summary>
    public string MountPoint { get; set; } = "";

    /// <summary>Where fetched models are kept: an absolute path.</summary>
    public string CacheDirectory { get; set; } = "";

    /// <summary>The most bytes that the cache may hold; null when only <see cref="FreeBytesMin"/> limits it.</summary>
    public long? CacheBytesMax { get; set; }

    /// <summary>Bytes to leave free on the cache's file system.</summary>
    public long FreeBytesMin { get; set; } = 256L << 20;

    /// <summary>The most bytes of archives that go to the store in a second; null for no limit.</summary>
    public long? UploadBytesPerSecond { get; set; }

    /// <summary>The most bytes of archives that come from the store in a second; null for no limit.</summary>
    public long? DownloadBytesPerSecond { get; set; }

    /// <summary>Whether other users may enter the mount.</summary>
    public bool AllowOther { get; set; }

    /// <summary>Whether every change is refused.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>What a new root folder is.</summary>
    public RootLayout Layout { get; set; }

    /// <summary>How long a known model, or a new one with a <c>metadata.json</c>, must be quiet before it is published.</summary>
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long any other new model must be quiet before it is published.</summary>
    public TimeSpan SettleNew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What closing a changed file promises.</summary>
    public Durability Durability { get; set; }

    /// <summary>How long programs may keep a changed model open before that is told.</summary>
    public TimeSpan UnsettledMax { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a model must be unused before a newer revision takes its place.</summary>
    public TimeSpan SwitchAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How old the listing of the store may get before it is read again.</summary>
    public TimeSpan ListTtl { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the store may go without progress before its callers get an error.</summary>
    public TimeSpan FetchDeadline { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>How long draining may take when the mount ends.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Of how many pieces an archive is made.</summary>
    public ArchiveStructure Archive { get; set; }

    /// <summary>What is compressed.</summary>
    public PackCompression Compress { get; set; }

    /// <summary>Whether published models can be deleted and renamed through the mount.</summary>
    public bool AllowDelete { get; set; }

    /// <summary>How many replaced or deleted archives of each model are kept, where the store itself keeps none.</summary>
    public int KeepRevisions { get; set; } = 1;

    /// <summary>Whether a missing bucket or folder is created.</summary>
    public bool CreateBucket { get; set; } = true;

    /// <summary>A PEM file of further trusted certificate authorities, absolute, or null.</summary>
    public string? CaFile { get; set; }

    /// <summary>The owner that every file shows.</summary>
    public uint Uid { get; set; }

    /// <summary>The group that every file shows.</summary>
    public uint Gid { get; set; }

    /// <summary>The least level that is logged.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>The form that <see cref="Variable"/> carries.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, MountSettingsJson.Default.MountSettings);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not that.</exception>
    public static MountSettings FromJson(string json) =>
        JsonSerializer.Deserialize(json, MountSettingsJson.Default.MountSettings) ?? throw new JsonException("The settings are empty.");
}

/// <summary>Serializes <see cref="MountSettings"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MountSettings))]
internal sealed partial class MountSettingsJson : JsonSerializerContext;
