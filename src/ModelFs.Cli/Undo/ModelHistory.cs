using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelFs.Cli.Undo;

/// <summary>The past of one model, as <c>modelfs history --json</c> and <c>/.modelfs/history/NAME.json</c> write it; the names are a contract.</summary>
/// <param name="Version">Of this form: <see cref="CurrentVersion"/>.</param>
/// <param name="Store">The store, without secrets.</param>
/// <param name="Model">As a mount shows it.</param>
internal sealed record ModelHistory(int Version, string Store, string Model)
{
    /// <summary>The only form so far.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The current revision first, then those before it, newest first.</summary>
    public IReadOnlyList<ModelRevision> Revisions { get; init; } = [];

    /// <summary>Why what is replaced or deleted from now on is not kept, and what to do about it; null when it is kept.</summary>
    public string? NotKept { get; init; }

    /// <summary>Whether the mount that was asked has changes of the model that the store does not have yet.</summary>
    public bool LocalChanges { get; init; }

    /// <summary>Why the store could not be asked; null when it was.</summary>
    public string? Problem { get; init; }

    /// <summary>As one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ModelHistoryJson.Default.ModelHistory);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not that.</exception>
    public static ModelHistory FromJson(string json) => JsonSerializer.Deserialize(json, ModelHistoryJson.Default.ModelHistory) ?? throw new JsonException("The history is empty.");
}

/// <summary>One revision of a model.</summary>
/// <param name="Revision">What <c>modelfs restore MODEL@REVISION</c> takes.</param>
/// <param name="Key">Of the archive, relative to the store's prefix.</param>
/// <param name="Bytes">Of the archive.</param>
/// <param name="Modified">When it became current.</param>
/// <param name="State"><c>current</c>, <c>replaced</c> or <c>deleted</c>.</param>
/// <param name="Ended">When it was replaced or deleted; null for the current one, and where the store does not tell.</param>
internal sealed record ModelRevision(string Revision, string Key, long Bytes, DateTimeOffset Modified, string State, DateTimeOffset? Ended)
{
    /// <summary><see cref="State"/> of the current one.</summary>
    public const string Current = "current";

    /// <summary><see cref="State"/> of one that another took the place of.</summary>
    public const string Replaced = "replaced";

    /// <summary><see cref="State"/> of one that was deleted.</summary>
    public const string Deleted = "deleted";
}

/// <summary>Serializes <see cref="ModelHistory"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelHistory))]
internal sealed partial class ModelHistoryJson : JsonSerializerContext;
