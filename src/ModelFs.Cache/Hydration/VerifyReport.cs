using System.Text.Json;

namespace ModelFs.Cache.Hydration;

/// <summary>What a check of one model found.</summary>
/// <param name="Model">As the mount shows it.</param>
/// <param name="Files">How many files were read and compared.</param>
/// <param name="Bytes">Their content.</param>
/// <param name="Damaged">Paths of files that are not what they should be.</param>
/// <param name="IsIndexDamaged">Whether the index beside the content is not that of the archive.</param>
/// <param name="Note">What was not checked, and why; null when all was.</param>
public sealed record VerifyReport(string Model, int Files, long Bytes, IReadOnlyList<string> Damaged, bool IsIndexDamaged, string? Note)
{
    /// <summary>Of what was damaged, what could not be repaired, one sentence each; null when no repair was asked for.</summary>
    public IReadOnlyList<string>? NotRepaired { get; init; }

    private const int NamedMax = 200;

    /// <summary>Whether anything is not as it should be.</summary>
    public bool IsDamaged => Damaged.Count > 0 || IsIndexDamaged;

    /// <summary>Whether anything is left that is not as it should be.</summary>
    public bool IsLeftDamaged => IsDamaged && NotRepaired is not { Count: 0 };

    /// <summary>The report as one line of JSON, short enough for an extended attribute: of very many damaged files the first are named.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(this with { Damaged = [.. Damaged.Take(NamedMax)], NotRepaired = NotRepaired is null ? null : [.. NotRepaired.Take(NamedMax)] }, CacheJson.Default.VerifyReport);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not that.</exception>
    public static VerifyReport FromJson(string json) => JsonSerializer.Deserialize(json, CacheJson.Default.VerifyReport) ?? throw new JsonException("The report is empty.");
}
