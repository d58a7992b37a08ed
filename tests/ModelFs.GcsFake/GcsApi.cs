using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ModelFs.GcsFake;

/// <summary>The requests of the JSON API that a store of models makes, written from Google's public reference.</summary>
internal sealed class GcsApi(GcsObjects objects, GcsUploads uploads, Func<string> endpoint)
{
    private const int PageMax = 1000;

    /// <summary>Answers a request whose body was read.</summary>
    internal Task AnswerAsync(GcsRequest request, byte[] body, bool corrupts) => (request.Method, request.Segments) switch
    {
        ("POST", ["storage", "v1", "b"]) => CreateAsync(request, body),
        ("GET", ["storage", "v1", "b", var bucket]) => GetBucketAsync(request, bucket),
        ("PATCH", ["storage", "v1", "b", var bucket]) => ChangeBucketAsync(request, bucket, body),
        ("GET", ["storage", "v1", "b", var bucket, "o"]) => request.Query("versions") == "true" || request.Query("softDeleted") == "true"
            ? ListPastAsync(request, bucket)
            : ListAsync(request, bucket),
        ("GET", ["storage", "v1", "b", var bucket, "o", var name]) => GetAsync(request, bucket, name, corrupts),
        ("POST", ["storage", "v1", "b", var bucket, "o", var name, "restore"]) => AnswerAsync(
            request,
            bucket,
            objects.Restore(bucket, name, GcsRequest.Number(request.Query("generation") ?? throw GcsRefusal.Invalid("Required parameter: generation")), request.IfGeneration)),
        ("POST", ["storage", "v1", "b", var bucket, "o", var name, "rewriteTo", "b", var target, "o", var newName]) when target == bucket =>
            RewriteAsync(request, bucket, name, newName),
        ("DELETE", ["storage", "v1", "b", var bucket, "o", var name]) => DeleteAsync(request, bucket, name),
        ("POST", ["upload", "storage", "v1", "b", var bucket, "o"]) => UploadAsync(request, bucket, body),
        ("PUT", ["upload", "session", var id]) => ContinueAsync(request, id, body),
        ("DELETE", ["upload", "session", var id]) => Task.Run(() => uploads.Cancel(id)),
        _ => throw new GcsRefusal(404, "notFound", "Not Found"),
    };

    internal static Task WriteAsync(HttpContext context, int status, JsonObject answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=UTF-8";
        var bytes = Encoding.UTF8.GetBytes(answer.ToJsonString());
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes).AsTask();
    }

    private Task CreateAsync(GcsRequest request, byte[] body)
    {
        var settings = JsonNode.Parse(body)!.AsObject();
        var name = (string)settings["name"]!;
        if (request.Query("project") is null)
        {
            throw new GcsRefusal(400, "required", "Required parameter: project");
        }

        return objects.Create(name, settings)
            ? WriteAsync(request.Context, 200, new JsonObject { ["kind"] = "storage#bucket", ["name"] = name })
            : throw new GcsRefusal(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.");
    }

    private Task GetBucketAsync(GcsRequest request, string bucket)
    {
        var answer = objects.Describe(bucket);
        if (request.Query("fields") is { } fields)
        {
            foreach (var name in answer.Select(pair => pair.Key).Except(fields.Split(',')).ToArray())
            {
                answer.Remove(name);
            }
        }

        return WriteAsync(request.Context, 200, answer);
    }

    private Task ChangeBucketAsync(GcsRequest request, string bucket, byte[] body)
    {
        objects.Change(bucket, JsonNode.Parse(body)!.AsObject());
        return WriteAsync(request.Context, 200, objects.Describe(bucket));
    }

    /// <summary>Pages of one object less than asked for would be allowed, too; a token is the place in the list.</summary>
    private Task ListPastAsync(GcsRequest request, string bucket)
    {
        if (request.Query("versions") == "true" && request.Query("softDeleted") == "true")
        {
            throw GcsRefusal.Invalid("softDeleted and versions cannot both be true.");
        }

        var max = (int)Math.Min(PageMax, request.Query("maxResults") is { } text ? GcsRequest.Number(text) : PageMax);
        var start = request.Query("pageToken") is { } token ? (int)GcsRequest.Number(Encoding.UTF8.GetString(Convert.FromBase64String(token))) : 0;
        var found = objects.ListPast(bucket, request.Query("prefix") ?? "", request.Query("softDeleted") == "true");
        var mask = GcsFields.OfItems(request.Query("fields"));
        var answer = new JsonObject();
        if (found.Count > start)
        {
            answer["items"] = new JsonArray([.. found.Skip(start).Take(max).Select(o => GcsFields.Describe(o, bucket, mask))]);
        }

        if (found.Count > start + max)
        {
            answer["nextPageToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes((start + max).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        return WriteAsync(request.Context, 200, answer);
    }

    /// <summary>The first call of every copy answers with a token, as a big one does.</summary>
    private Task RewriteAsync(GcsRequest request, string bucket, string name, string newName)
    {
        long? generation = request.Query("sourceGeneration") is { } source ? GcsRequest.Number(source) : null;
        var size = objects.Get(bucket, name, generation).Bytes.Length;
        if (request.Query("rewriteToken") is null && size > 0)
        {
            return WriteAsync(request.Context, 200, new JsonObject { ["kind"] = "storage#rewriteResponse", ["done"] = false, ["rewriteToken"] = "half" });
        }

        var made = objects.Rewrite(bucket, name, generation, newName, request.IfGeneration);
        return WriteAsync(request.Context, 200, new JsonObject { ["kind"] = "storage#rewriteResponse", ["done"] = true, ["resource"] = GcsFields.Describe(made, bucket, null) });
    }

    private Task ListAsync(GcsRequest request, string bucket)
    {
        var max = (int)Math.Min(PageMax, request.Query("maxResults") is { } text ? GcsRequest.Number(text) : PageMax);
        var after = request.Query("pageToken") is { } token ? Encoding.UTF8.GetString(Convert.FromBase64String(token)) : "";
        var found = objects.List(bucket, request.Query("prefix") ?? "", after, max + 1);
        var mask = GcsFields.OfItems(request.Query("fields"));
        var answer = new JsonObject();
        if (found.Count > 0)
        {
            // An empty listing has no items at all.
            answer["items"] = new JsonArray([.. found.Take(max).Select(o => GcsFields.Describe(o, bucket, mask))]);
        }

        if (found.Count > max)
        {
            answer["nextPageToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(found[max - 1].Name));
        }

        return WriteAsync(request.Context, 200, answer);
    }

    private Task GetAsync(GcsRequest request, string bucket, string name, bool corrupts)
    {
        var found = objects.Get(bucket, name, request.Query("generation") is { } generation ? GcsRequest.Number(generation) : null);
        if (request.IfGeneration is { } wanted && wanted != found.Generation)
        {
            throw new GcsRefusal(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
        }

        return request.Query("alt") == "media" ? MediaAsync(request.Context, found, corrupts) : WriteAsync(request.Context, 200, GcsFields.Describe(found, bucket, request.Query("fields")));
    }

    private static async Task MediaAsync(HttpContext context, GcsObject found, bool corrupts)
    {
        if (found.ContentEncoding == "gzip" && !context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal))
        {
            // Transcoding: a client that does not take gzip gets all bytes inflated, whatever range it asked for.
            using var inflating = new GZipStream(new MemoryStream(found.Bytes), CompressionMode.Decompress);
            await inflating.CopyToAsync(context.Response.Body);
            return;
        }

        long from = 0;
        long length = found.Bytes.Length;
        if (RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out var range) && range.Ranges.SingleOrDefault() is { From: not null } asked)
        {
            if (asked.From >= found.Bytes.Length)
            {
                throw new GcsRefusal(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
            }

            from = asked.From.Value;
            length = Math.Min(asked.To ?? long.MaxValue, found.Bytes.Length - 1) - from + 1;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{from + length - 1}/{found.Bytes.Length}";
        }

        context.Response.ContentType = found.ContentType;
        context.Response.ContentLength = length;
        context.Response.Headers["x-goog-generation"] = found.Generation.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers["x-goog-hash"] = $"crc32c={found.Checksum}";
        var bytes = found.Bytes.AsMemory((int)from, (int)length);
        if (corrupts)
        {
            bytes = bytes.ToArray();
            bytes.Span[^1] ^= 1;
        }

        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private Task DeleteAsync(GcsRequest request, string bucket, string name)
    {
        objects.Delete(bucket, name, request.IfGeneration);
        request.Context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private async Task UploadAsync(GcsRequest request, string bucket, byte[] body)
    {
        switch (request.Query("uploadType"))
        {
            case "media":
                await AnswerAsync(request, bucket, uploads.PutMedia(request, bucket, body));
                break;
            case "multipart":
                await AnswerAsync(request, bucket, await uploads.PutMultipartAsync(request, bucket, body));
                break;
            case "resumable":
                request.Context.Response.Headers.Location = $"{endpoint()}/upload/session/{uploads.Begin(request, bucket, body)}";
                request.Context.Response.ContentLength = 0;
                break;
            default:
                throw GcsRefusal.Invalid("Invalid value for uploadType");
        }
    }

    private Task ContinueAsync(GcsRequest request, string id, byte[] body)
    {
        if (uploads.Continue(request, id, body) is { } finished)
        {
            return AnswerAsync(request, "", finished);
        }

        request.Context.Response.StatusCode = 308;
        request.Context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private static Task AnswerAsync(GcsRequest request, string bucket, GcsObject made) => WriteAsync(request.Context, 200, GcsFields.Describe(made, bucket, null));
}
