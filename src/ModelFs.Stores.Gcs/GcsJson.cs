using System.Text.Json.Serialization;

namespace ModelFs.Stores.Gcs;

/// <summary>An object's metadata, as far as the store asks for it. Google writes 64-bit integers as strings.</summary>
internal sealed record ObjectResource(string? Name, long Generation, long Size, DateTimeOffset TimeCreated)
{
    /// <summary>When a generation that is not the live one stopped to be it.</summary>
    public DateTimeOffset? TimeDeleted { get; init; }

    /// <summary>When a generation became soft-deleted.</summary>
    public DateTimeOffset? SoftDeleteTime { get; init; }
}

/// <summary>One step of a copy that the server makes by itself.</summary>
internal sealed record RewriteAnswer(bool Done, string? RewriteToken, ObjectResource? Resource);

/// <summary>What a bucket does with what is replaced or deleted.</summary>
internal sealed record BucketResource(BucketVersioning? Versioning, BucketSoftDelete? SoftDeletePolicy);

/// <summary>Whether generations that are replaced stay.</summary>
internal sealed record BucketVersioning(bool Enabled);

/// <summary>How long deleted objects can be restored; 0 for not at all.</summary>
internal sealed record BucketSoftDelete(long RetentionDurationSeconds);

/// <summary>One page of a listing.</summary>
internal sealed record ObjectPage(string? NextPageToken, IReadOnlyList<ObjectResource>? Items);

/// <summary>What an upload says about its object; the server refuses bytes that have another checksum.</summary>
internal sealed record NewObject(string Name, string ContentType, string Crc32c, string? StorageClass);

/// <summary>A bucket to be created.</summary>
internal sealed record NewBucket(string Name, string? Location);

/// <summary>How the server says what went wrong.</summary>
internal sealed record ErrorAnswer(ErrorBody? Error);

/// <summary>The content of an <see cref="ErrorAnswer"/>.</summary>
internal sealed record ErrorBody(string? Message, IReadOnlyList<ErrorItem>? Errors);

/// <summary>One reason of a refusal.</summary>
internal sealed record ErrorItem(string? Reason);

/// <summary>What the store itself reads of a credential file.</summary>
internal sealed record CredentialHead(
    string? Type,
    [property: JsonPropertyName("project_id")] string? ProjectId,
    [property: JsonPropertyName("quota_project_id")] string? QuotaProjectId);

/// <summary>Reads and writes the JSON of the storage API without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ObjectResource))]
[JsonSerializable(typeof(ObjectPage))]
[JsonSerializable(typeof(RewriteAnswer))]
[JsonSerializable(typeof(BucketResource))]
[JsonSerializable(typeof(NewObject))]
[JsonSerializable(typeof(NewBucket))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(CredentialHead))]
internal sealed partial class GcsJson : JsonSerializerContext;
