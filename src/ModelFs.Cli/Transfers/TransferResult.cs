using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelFs.Cli.Transfers;

/// <summary>What was moved, as <c>--json</c> of <c>pull</c>, <c>push</c> and <c>cp</c> writes it; the names are a contract.</summary>
/// <param name="Model">Its name where it is now, as a mount shows it.</param>
/// <param name="Store">The store that it came from (<c>pull</c>) or is in now, without secrets.</param>
/// <param name="Key">Of its archive in that store.</param>
/// <param name="Revision">The store's own name for the archive's bytes.</param>
/// <param name="ArchiveBytes">Of the archive.</param>
/// <param name="Bytes">Of the files in it.</param>
/// <param name="Files">How many.</param>
/// <param name="Folder">The folder on this machine, absolute; null for <c>cp</c>.</param>
/// <param name="Replaced">Whether something stood at the place before.</param>
internal sealed record TransferResult(
    string Model, string Store, string Key, string Revision, long ArchiveBytes, long Bytes, int Files, string? Folder, bool Replaced)
{
    /// <summary>One line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TransferResultJson.Default.TransferResult);
}

/// <summary>Serializes <see cref="TransferResult"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TransferResult))]
internal sealed partial class TransferResultJson : JsonSerializerContext;
