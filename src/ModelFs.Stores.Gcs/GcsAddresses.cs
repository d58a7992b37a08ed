using System.Globalization;
using System.Text;

namespace ModelFs.Stores.Gcs;

/// <summary>The addresses of the JSON API (https://cloud.google.com/storage/docs/json_api/v1), made of a store's settings.</summary>
internal sealed class GcsAddresses(GcsSettings settings)
{
    private const string ObjectFields = "name,generation,size,timeCreated";

    private string Bucket => $"b/{Uri.EscapeDataString(settings.Bucket)}";

    /// <summary>Where buckets are created.</summary>
    internal Uri NewBucket(string project) => Of("/storage/v1/b", ("project", project));

    /// <summary>One page of the listing.</summary>
    internal Uri Page(string? pageToken, int keysMax) => Of(
        $"/storage/v1/{Bucket}/o",
        ("prefix", settings.Prefix.Length > 0 ? settings.Prefix : null),
        ("pageToken", pageToken),
        ("maxResults", keysMax.ToString(CultureInfo.InvariantCulture)),
        ("fields", $"nextPageToken,items({ObjectFields})"));

    /// <summary>The metadata of an object.</summary>
    internal Uri Metadata(string key) => Of(PathOf(key), ("fields", ObjectFields));

    /// <summary>The bytes of an object at one generation.</summary>
    internal Uri Media(StoredObject source) => Of(PathOf(source.Key), ("alt", "media"), ("generation", source.Revision.Value));

    /// <summary>What the bucket keeps.</summary>
    internal Uri Keeping() => Of($"/storage/v1/{Bucket}", ("fields", "versioning,softDeletePolicy"));

    /// <summary>One page of all generations of the objects whose names begin with a key, or of those that are soft-deleted.</summary>
    internal Uri Past(string key, bool softDeleted, string? pageToken) => Of(
        $"/storage/v1/{Bucket}/o",
        ("prefix", settings.Prefix + key),
        (softDeleted ? "softDeleted" : "versions", "true"),
        ("pageToken", pageToken),
        ("fields", $"nextPageToken,items({ObjectFields},{(softDeleted ? "softDeleteTime" : "timeDeleted")})"));

    /// <summary>The bytes of a generation that is not the live one.</summary>
    internal Uri PastMedia(PastRevision source) => Of(PathOf(source.Key), ("alt", "media"), ("generation", source.Id));

    /// <summary>Makes a soft-deleted generation live again.</summary>
    internal Uri SoftRestore(string key, string generation, PublishCondition condition) => Of(
        PathOf(key) + "/restore", ("generation", generation), ("ifGenerationMatch", GenerationOf(condition)), ("fields", ObjectFields));

    /// <summary>Copies a generation over the live one.</summary>
    internal Uri Rewrite(string key, string generation, PublishCondition condition, string? rewriteToken) => Of(
        $"{PathOf(key)}/rewriteTo/{Bucket}/o/{Uri.EscapeDataString(settings.Prefix + key)}",
        ("sourceGeneration", generation),
        ("ifGenerationMatch", GenerationOf(condition)),
        ("rewriteToken", rewriteToken),
        ("fields", $"done,rewriteToken,resource({ObjectFields})"));

    /// <summary>An object to be deleted.</summary>
    internal Uri Deletion(string key, string? ifGeneration) => Of(PathOf(key), ("ifGenerationMatch", ifGeneration));

    /// <summary>Where an object is uploaded to.</summary>
    internal Uri Upload(string kind, string key, PublishCondition condition) => Of(
        $"/upload/storage/v1/{Bucket}/o",
        ("uploadType", kind),
        ("name", settings.Prefix + key),
        ("ifGenerationMatch", GenerationOf(condition)),
        ("fields", ObjectFields));

    private static string? GenerationOf(PublishCondition condition) => condition.MustBeAbsent ? "0" : condition.Revision?.Value;

    private string PathOf(string key) => $"/storage/v1/{Bucket}/o/{Uri.EscapeDataString(settings.Prefix + key)}";

    private Uri Of(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var text = new StringBuilder(settings.Endpoint.GetLeftPart(UriPartial.Authority)).Append(path);
        var mark = '?';
        foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)[.. query, ("userProject", settings.UserProject)])
        {
            if (value is not null)
            {
                text.Append(mark).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                mark = '&';
            }
        }

        return new Uri(text.ToString());
    }
}
