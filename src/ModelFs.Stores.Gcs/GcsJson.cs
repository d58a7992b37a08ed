using System.Text.Json.Serialization;

namespace ModelFs.Stores.Gcs;

/// <summary>An object's metadata, as far as the store asks for it. Google writes 64-bit integers as strings.</summary>
internal sealed record ObjectResource(string? Name, long Generation, long Size, DateTimeOffset TimeCreated);

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
[JsonSerializable(typeof(NewObject))]
[JsonSerializable(typeof(NewBucket))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(CredentialHead))]
internal sealed partial class GcsJson : JsonSerializerContext;
