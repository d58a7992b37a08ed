using System.Text.Json.Nodes;

namespace ModelFs.GcsFake;

/// <summary>The <c>fields</c> parameter: only what is named is answered, and an unknown name is an error.</summary>
internal static class GcsFields
{
    private static readonly HashSet<string> s_ofObject =
        ["kind", "id", "name", "bucket", "generation", "metageneration", "size", "timeCreated", "updated", "crc32c", "md5Hash", "etag", "contentType", "storageClass", "timeDeleted", "softDeleteTime", "hardDeleteTime"];

    internal static JsonObject Describe(GcsObject found, string bucket, string? fields) => Describe(new GcsPastObject(found, default, IsSoftDeleted: false), bucket, fields);

    internal static JsonObject Describe(GcsPastObject past, string bucket, string? fields)
    {
        var found = past.Object;
        var all = new JsonObject
        {
            ["kind"] = "storage#object",
            ["name"] = found.Name,
            ["bucket"] = bucket,
            ["generation"] = found.Generation.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["metageneration"] = "1",
            ["size"] = found.Bytes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["timeCreated"] = found.Created.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture),
            ["updated"] = found.Created.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture),
            ["crc32c"] = found.Checksum,
            ["contentType"] = found.ContentType,
        };
        if (past.Ended != default)
        {
            all[past.IsSoftDeleted ? "softDeleteTime" : "timeDeleted"] = past.Ended.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture);
        }

        if (fields is null)
        {
            return all;
        }

        foreach (var name in fields.Split(',').Where(name => !s_ofObject.Contains(name)))
        {
            throw GcsRefusal.Invalid($"Invalid field selection {name}");
        }

        foreach (var name in all.Select(pair => pair.Key).Except(fields.Split(',')).ToArray())
        {
            all.Remove(name);
        }

        return all;
    }

    /// <summary>The part of a mask such as <c>nextPageToken,items(name,size)</c> that is meant for each item.</summary>
    internal static string? OfItems(string? fields)
    {
        const string Start = "items(";
        var open = fields?.IndexOf(Start, StringComparison.Ordinal) ?? -1;
        return fields is null || open < 0 ? null : fields[(open + Start.Length)..fields.IndexOf(')', open)];
    }
}
