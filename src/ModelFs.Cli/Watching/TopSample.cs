using System.Text.Json;
using System.Text.Json.Serialization;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Watching;

/// <summary>What a mount did between two looks at it, as <c>modelfs top --json</c> writes it; the names are a contract.</summary>
/// <param name="Version">Of their meaning: 1.</param>
/// <param name="Store">The store, without secrets.</param>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="Seconds">Between the two looks.</param>
/// <param name="FileRequestsPerSecond">That the kernel made of the daemon; what it reads by itself is not among them.</param>
/// <param name="StoreRequestsPerSecond">That the daemon made of the store.</param>
/// <param name="StoreErrorsPerSecond">Of those, what failed.</param>
/// <param name="BytesInPerSecond">From the store.</param>
/// <param name="BytesOutPerSecond">To the store.</param>
/// <param name="CacheBytes">That models take up here.</param>
/// <param name="CacheLimitBytes">The most that they may; null when only free space limits it.</param>
/// <param name="Warnings">Of the mount.</param>
/// <param name="Models">Those that do something, or did lately, the busiest first; then those that are here.</param>
internal sealed record TopSample(
    int Version,
    string Store,
    [property: JsonPropertyName("mountpoint")] string MountPoint,
    double Seconds,
    double FileRequestsPerSecond,
    double StoreRequestsPerSecond,
    double StoreErrorsPerSecond,
    double BytesInPerSecond,
    double BytesOutPerSecond,
    long CacheBytes,
    long? CacheLimitBytes,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<TopModel> Models)
{
    private static readonly string[] s_storeCounters = ["store.list", "store.stat", "store.read", "store.publish", "store.delete"];

    /// <summary>Compares two reports of one mount. After a restart of its daemon counters begin anew: then they count from 0.</summary>
    public static TopSample Of(StatusReport before, StatusReport now, TimeSpan between)
    {
        var known = before.DaemonPid == now.DaemonPid ? before.Requests : new Dictionary<string, long>();
        double Rate(Func<string, bool> isMeant) =>
            Math.Max(0, now.Requests.Where(each => isMeant(each.Key)).Sum(each => each.Value - known.GetValueOrDefault(each.Key))) / between.TotalSeconds;

        var models = before.Models.ToDictionary(model => model.Name, StringComparer.Ordinal);
        return new TopSample(
            1,
            now.Store,
            now.MountPoint,
            between.TotalSeconds,
            Rate(name => name.StartsWith("fuse.", StringComparison.Ordinal)),
            Rate(name => s_storeCounters.Contains(name)),
            Rate(name => name == "store.errors"),
            Rate(name => name == "store.bytes_in"),
            Rate(name => name == "store.bytes_out"),
            now.Cache.Bytes,
            now.Cache.LimitBytes,
            now.Warnings,
            [.. now.Models.Where(model => model.State != "absent").Select(model => TopModel.Of(models.GetValueOrDefault(model.Name), model, between))
                .OrderByDescending(model => model.BytesPerSecond).ThenByDescending(model => model.Rank).ThenBy(model => model.Name, StringComparer.Ordinal)]);
    }

    /// <summary>As one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TopJson.Default.TopSample);
}

/// <summary>What one model did.</summary>
/// <param name="Name">As the mount shows it.</param>
/// <param name="State">As in the status.</param>
/// <param name="Bytes">Of its tree.</param>
/// <param name="BytesHere">Of those, what is here.</param>
/// <param name="BytesPerSecond">That were fetched or sent of it.</param>
/// <param name="OpenFiles">Of it.</param>
/// <param name="OpenWriters">Of those, open for writing.</param>
/// <param name="DirtySince">Since when it has changes that the store lacks, or null.</param>
/// <param name="Tries">Failed attempts in a row.</param>
/// <param name="LastError">Why the last one failed, or null.</param>
internal sealed record TopModel(
    string Name, string State, long Bytes, long BytesHere, double BytesPerSecond, int OpenFiles, int OpenWriters, DateTimeOffset? DirtySince, int Tries, string? LastError)
{
    /// <summary>What stands above what where nothing moves: trouble, then what is on its way, then what is in use.</summary>
    [JsonIgnore]
    public int Rank => State is "failed" or "conflicted" ? 3 : DirtySince is not null || State is "publishing" or "fetching" ? 2 : OpenFiles > 0 ? 1 : 0;

    /// <summary>Compares two reports of one model.</summary>
    public static TopModel Of(ModelStatus? before, ModelStatus now, TimeSpan between)
    {
        // One of them moves at a time: an archive that is fetched or sent whole, or the content of an indexed one.
        var moved = now.TotalBytes > 0 ? now.ProgressBytes - (before is { TotalBytes: > 0 } && before.State == now.State ? before.ProgressBytes : 0) : 0;
        var came = (now.BytesHere ?? 0) - (before?.BytesHere ?? 0);
        return new TopModel(
            now.Name, now.State, now.Bytes, now.BytesHere ?? 0, Math.Max(0, Math.Max(moved, came)) / between.TotalSeconds, now.OpenFiles, now.OpenWriters, now.DirtySince, now.Tries, now.LastError);
    }
}

/// <summary>Serializes <see cref="TopSample"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TopSample))]
internal sealed partial class TopJson : JsonSerializerContext;
