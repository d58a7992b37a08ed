using System.Text.Json;
using System.Text.Json.Serialization;
using ModelFs.Models;

namespace ModelFs.Cli.Status;

/// <summary>
/// What a mount says about itself in <c>.modelfs/status.json</c>: written by the daemon, read by the commands and by scripts, so its names are a contract.
/// Members that a reader does not know are skipped and missing ones have their defaults (which the serializer keeps only for members with a setter);
/// <see cref="Version"/> rises only when a meaning changes.
/// </summary>
internal sealed record StatusReport
{
    /// <summary>The path of the report below the mount point.</summary>
    public const string PathInMount = ".modelfs/status.json";

    /// <summary>The meaning of the members; this program knows 1.</summary>
    public int Version { get; set; } = 1;

    /// <summary>The store, without secrets.</summary>
    public string Store { get; set; } = "";

    /// <summary>Where it is mounted.</summary>
    [JsonPropertyName("mountpoint")]
    public string MountPoint { get; set; } = "";

    /// <summary>Where fetched models are kept.</summary>
    public string CacheDir { get; set; } = "";

    /// <summary>The process that serves the mount.</summary>
    public int DaemonPid { get; set; }

    /// <summary>The process that owns the mount and outlives daemons.</summary>
    public int KeeperPid { get; set; }

    /// <summary>Since when this daemon serves.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>Whether changes are refused.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Whether complete files are read past the daemon.</summary>
    public PassthroughStatus Passthrough { get; set; } = new(false, null);

    /// <summary>Whether a daemon that dies is replaced without an error to any program.</summary>
    public bool CanResume { get; set; }

    /// <summary>The name of the inflate implementation in use.</summary>
    public string Inflate { get; set; } = "";

    /// <summary>What close promises: <c>local</c> or <c>remote</c>.</summary>
    public string Durability { get; set; } = "local";

    /// <summary>How firmly the store keeps conditions.</summary>
    public ConditionStatus Conditions { get; set; } = new("", "", "", "");

    /// <summary>How full the cache is.</summary>
    public CacheStatus Cache { get; set; } = new(0, null, 0);

    /// <summary>Counters since the daemon started, by name.</summary>
    public IReadOnlyDictionary<string, long> Requests { get; set; } = new Dictionary<string, long>();

    /// <summary>What the operator should know, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; set; } = [];

    /// <summary>Versions that lost against the store and wait for <c>modelfs resolve</c>.</summary>
    public IReadOnlyList<ConflictStatus> Conflicts { get; set; } = [];

    /// <summary>Every model that the mount shows.</summary>
    public IReadOnlyList<ModelStatus> Models { get; set; } = [];

    /// <summary>Reads a report.</summary>
    /// <exception cref="JsonException">It is none, or of a version that this program does not know.</exception>
    public static StatusReport FromJson(string json)
    {
        var report = JsonSerializer.Deserialize(json, StatusJson.Default.StatusReport) ?? throw new JsonException("The report is empty.");
        return report.Version == 1 ? report : throw new JsonException($"The report has version {report.Version}; this program knows 1.");
    }

    /// <summary>The report as one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StatusJson.Default.StatusReport);
}

/// <summary>Whether complete files are read past the daemon.</summary>
/// <param name="Active">They are.</param>
/// <param name="Reason">Why not, and what to do about it; null when active.</param>
internal sealed record PassthroughStatus(bool Active, string? Reason);

/// <summary>
/// How firmly the store keeps the conditions of each operation: <c>atomic</c>, <c>checked-before</c> (by a look-up, with a gap in which another
/// program can publish), or <c>unproven</c> (not found out yet).
/// </summary>
/// <param name="Create">Of a new key.</param>
/// <param name="Replace">Of a known revision.</param>
/// <param name="Delete">Of a deletion.</param>
/// <param name="InParts">Of a publish of which the store puts together parts: a very large archive, or a small change of a large one.</param>
internal sealed record ConditionStatus(string Create, string Replace, string Delete, string InParts);

/// <summary>How full the cache is.</summary>
/// <param name="Bytes">What the models in it take.</param>
/// <param name="LimitBytes">The most that it may hold; null when only free space limits it.</param>
/// <param name="Models">How many models are in it.</param>
internal sealed record CacheStatus(long Bytes, long? LimitBytes, int Models);

/// <summary>A version that lost against the store.</summary>
/// <param name="Name">Under <c>.modelfs/conflicts</c> in the mount.</param>
/// <param name="Model">Of which model.</param>
/// <param name="Bytes">Of its tree.</param>
/// <param name="NewName">What <c>resolve --keep both</c> makes of it; null when no name can be made.</param>
internal sealed record ConflictStatus(string Name, string Model, long Bytes, string? NewName);

/// <summary>One model as the mount sees it.</summary>
internal sealed record ModelStatus
{
    /// <summary>The state of a model whose files were all removed here: nothing is published of it.</summary>
    public const string Emptied = "emptied";

    /// <summary>As the mount shows it: <c>NAME</c> or <c>PROJECT/NAME</c>.</summary>
    public string Name { get; set; } = "";

    /// <summary>A <see cref="ModelState"/> in lower case (<see cref="NameOf"/>). A string, so that a report with a newer state stays readable.</summary>
    public string State { get; set; } = "";

    /// <summary>Of the tree when it is here, otherwise of the archive in the store.</summary>
    public long Bytes { get; set; }

    /// <summary>Bytes of the tree's content that are here: less than <see cref="Bytes"/> for an indexed model of which only a part is.</summary>
    public long? BytesHere { get; set; }

    /// <summary>Files in the tree; 0 when it is not here.</summary>
    public int Files { get; set; }

    /// <summary>The revision that the local tree comes from, or null.</summary>
    public string? LocalRevision { get; set; }

    /// <summary>The revision last seen in the store, or null.</summary>
    public string? StoreRevision { get; set; }

    /// <summary>Open files of it.</summary>
    public int OpenFiles { get; set; }

    /// <summary>Those of them that are open for writing.</summary>
    public int OpenWriters { get; set; }

    /// <summary>Since when it has changes that the store lacks; null when it has none.</summary>
    public DateTimeOffset? DirtySince { get; set; }

    /// <summary>Failed attempts in a row to fetch or publish it.</summary>
    public int Tries { get; set; }

    /// <summary>Why the last attempt failed, or null.</summary>
    public string? LastError { get; set; }

    /// <summary>When it is tried again, or null.</summary>
    public DateTimeOffset? NextTryAt { get; set; }

    /// <summary>Whether it stays here until it is unpinned.</summary>
    public bool Pinned { get; set; }

    /// <summary>Whether its last changes may not all have reached the disk before the machine went down: <c>modelfs resolve</c> decides.</summary>
    public bool NeedsReview { get; set; }

    /// <summary>Bytes moved of the fetch or publish under way.</summary>
    public long ProgressBytes { get; set; }

    /// <summary>Bytes to move in all; 0 when nothing is under way.</summary>
    public long TotalBytes { get; set; }

    /// <summary>Whether the tree is here and only a part of its content is.</summary>
    [JsonIgnore]
    public bool IsPartial => State == NameOf(ModelState.Ready) && BytesHere < Bytes;

    /// <summary>Whether it has changes on their way to the store.</summary>
    [JsonIgnore]
    public bool IsPending => DirtySince is not null || State is "dirty" or "publishing";

    /// <summary>The model's own report as one line of JSON, <c>.modelfs/models/NAME.json</c>.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StatusJson.Default.ModelStatus);

    /// <summary>How a state is written in a report.</summary>
    public static string NameOf(ModelState state) => state switch
    {
        ModelState.Absent => "absent",
        ModelState.Fetching => "fetching",
        ModelState.Ready => "ready",
        ModelState.Dirty => "dirty",
        ModelState.Publishing => "publishing",
        ModelState.Failed => "failed",
        ModelState.Conflicted => "conflicted",
    };
}

/// <summary>Serializes <see cref="StatusReport"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(ModelStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
