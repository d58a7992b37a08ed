using System.Text.Json.Serialization;

namespace ModelFs.Cli.Diagnosis;

/// <summary>What a check found.</summary>
/// <param name="Check">What was looked at, in one or two words.</param>
/// <param name="Level">How it is.</param>
/// <param name="What">What was seen.</param>
/// <param name="Remedy">What to do about it; null when it is well.</param>
internal sealed record Finding(string Check, FindingLevel Level, string What, string? Remedy = null)
{
    /// <summary>All is well.</summary>
    public static Finding Well(string check, string what) => new(check, FindingLevel.Ok, what);

    /// <summary>ModelFs works, but not as it could.</summary>
    public static Finding Warning(string check, string what, string remedy) => new(check, FindingLevel.Warning, what, remedy);

    /// <summary>ModelFs does not work as it is.</summary>
    public static Finding Failure(string check, string what, string remedy) => new(check, FindingLevel.Failed, what, remedy);
}

/// <summary>How a thing is that was looked at.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FindingLevel>))]
internal enum FindingLevel
{
    /// <summary>Well.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>Usable, with something to know.</summary>
    [JsonStringEnumMemberName("warning")]
    Warning,

    /// <summary>Not usable.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>What <c>modelfs doctor --json</c> writes; the names are a contract.</summary>
/// <param name="Version">Of their meaning: 1.</param>
/// <param name="Failed">How many checks failed.</param>
/// <param name="Warnings">How many found something to know.</param>
/// <param name="Findings">In the order of the checks.</param>
internal sealed record Diagnosis(int Version, int Failed, int Warnings, IReadOnlyList<Finding> Findings);

/// <summary>Serializes <see cref="Diagnosis"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Diagnosis))]
internal sealed partial class DiagnosisJson : JsonSerializerContext;
