using System.Text.Json;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>What <c>modelfs status --json</c> says of a mount.</summary>
internal sealed class StatusReport(JsonElement json)
{
    public int DaemonPid => json.GetProperty("daemonPid").GetInt32();

    public int KeeperPid => json.GetProperty("keeperPid").GetInt32();

    public bool Passthrough => json.GetProperty("passthrough").GetProperty("active").GetBoolean();

    public bool CanResume => json.GetProperty("canResume").GetBoolean();

    /// <summary>How firmly the store keeps the condition of <c>create</c>, <c>replace</c>, <c>delete</c> or <c>inParts</c>.</summary>
    public string Condition(string operation) => json.GetProperty("conditions").GetProperty(operation).GetString()!;

    public string Durability => json.GetProperty("durability").GetString()!;

    /// <summary>One of the counters; 0 when it never counted.</summary>
    public long Request(string name) => json.GetProperty("requests").TryGetProperty(name, out var count) ? count.GetInt64() : 0;

    public IReadOnlyList<string> Warnings => [.. json.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)];

    public long CacheBytes => json.GetProperty("cache").GetProperty("bytes").GetInt64();

    public IReadOnlyList<ModelStatus> Models => [.. json.GetProperty("models").EnumerateArray().Select(model => new ModelStatus(model))];

    public ModelStatus this[string name] =>
        Models.FirstOrDefault(model => model.Name == name) ?? throw new AssertionException($"status knows no model '{name}': {json}");

    public override string ToString() => json.ToString();
}

/// <summary>One model of a status report.</summary>
internal sealed class ModelStatus(JsonElement json)
{
    public string Name => json.GetProperty("name").GetString()!;

    /// <summary>absent, fetching, ready, dirty, publishing, failed or conflicted.</summary>
    public string State => json.GetProperty("state").GetString()!;

    public long Bytes => json.GetProperty("bytes").GetInt64();

    public long BytesHere => json.GetProperty("bytesHere").GetInt64();

    public string? LastError => json.GetProperty("lastError").GetString();

    /// <summary>Failed attempts in a row.</summary>
    public int Tries => json.GetProperty("tries").GetInt32();

    /// <summary>Since when it has changes that the store lacks.</summary>
    public DateTimeOffset? DirtySince => json.GetProperty("dirtySince") is { ValueKind: JsonValueKind.String } since ? since.GetDateTimeOffset() : null;

    /// <summary>When it is tried again.</summary>
    public DateTimeOffset? NextTryAt => json.GetProperty("nextTryAt") is { ValueKind: JsonValueKind.String } next ? next.GetDateTimeOffset() : null;

    public int OpenFiles => json.GetProperty("openFiles").GetInt32();

    public override string ToString() => json.ToString();
}
