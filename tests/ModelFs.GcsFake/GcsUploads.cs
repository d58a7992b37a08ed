using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace ModelFs.GcsFake;

/// <summary>Uploads by one request (media, multipart) and by sessions (resumable): https://cloud.google.com/storage/docs/json_api/v1/objects/insert.</summary>
internal sealed class GcsUploads(GcsObjects objects)
{
    private const int Step = 256 * 1024;
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    internal int OpenSessions => _sessions.Values.Count(session => session.Finished is null);

    internal GcsObject PutMedia(GcsRequest request, string bucket, byte[] body) => objects.Put(
        bucket,
        request.Query("name") ?? throw GcsRefusal.Invalid("Required parameter: name"),
        body,
        request.Context.Request.ContentType ?? "application/octet-stream",
        request.IfGeneration,
        request.Query("contentEncoding"));

    internal async Task<GcsObject> PutMultipartAsync(GcsRequest request, string bucket, byte[] body)
    {
        var type = MediaTypeHeaderValue.Parse(request.Context.Request.ContentType);
        var reader = new MultipartReader(HeaderUtilities.RemoveQuotes(type.Boundary).ToString(), new MemoryStream(body));
        var metadata = await ReadPartAsync(reader);
        var bytes = await ReadPartAsync(reader);
        var described = JsonNode.Parse(metadata)!.AsObject();
        return Put(bucket, request.Query("name"), described, bytes, request.IfGeneration);
    }

    /// <summary>Opens a session.</summary>
    /// <returns>Its id.</returns>
    internal string Begin(GcsRequest request, string bucket, byte[] body)
    {
        if (!objects.Exists(bucket))
        {
            throw new GcsRefusal(404, "notFound", "The specified bucket does not exist.");
        }

        var id = Guid.NewGuid().ToString("N");
        _sessions[id] = new Session(bucket, request.Query("name"), JsonNode.Parse(body)!.AsObject(), request.IfGeneration);
        return id;
    }

    internal void Cancel(string id)
    {
        _sessions.TryRemove(id, out _);
        throw new GcsRefusal(499, "clientClosedRequest", "Client Closed Request");
    }

    /// <summary>Takes a chunk, or answers how far the upload is.</summary>
    /// <returns>The object, or null with the Range header set while bytes are missing.</returns>
    internal GcsObject? Continue(GcsRequest request, string id, byte[] body)
    {
        var session = SessionOf(id);
        lock (session)
        {
            if (session.Finished is null)
            {
                var range = ContentRangeHeaderValue.Parse(request.Context.Request.Headers.ContentRange.ToString());
                if (range.HasRange)
                {
                    Take(session, range, body);
                }

                if (range.Length == session.Bytes.Length)
                {
                    session.Finished = Put(session.Bucket, session.Name, session.Described, session.Bytes.ToArray(), session.IfGeneration);
                }
            }

            if (session.Finished is null && session.Bytes.Length > 0)
            {
                request.Context.Response.Headers.Range = $"bytes=0-{(session.Bytes.Length - 1).ToString(CultureInfo.InvariantCulture)}";
            }

            return session.Finished;
        }
    }

    /// <summary>Keeps what arrived of a chunk before its connection broke: whole steps.</summary>
    internal void KeepPart(GcsRequest request, string id, byte[] part)
    {
        var session = SessionOf(id);
        lock (session)
        {
            var range = ContentRangeHeaderValue.Parse(request.Context.Request.Headers.ContentRange.ToString());
            if (range.From == session.Bytes.Length)
            {
                session.Bytes.Write(part, 0, part.Length / Step * Step);
            }
        }
    }

    private static void Take(Session session, ContentRangeHeaderValue range, byte[] body)
    {
        var isLast = range.To + 1 == range.Length;
        if (body.Length != range.To - range.From + 1 || (!isLast && body.Length % Step != 0))
        {
            throw GcsRefusal.Invalid("Invalid request. The number of bytes uploaded is required to be equal or greater than 262144, except for the final request.");
        }

        // What comes after a gap is not kept; the answer says where to go on.
        if (range.From == session.Bytes.Length)
        {
            session.Bytes.Write(body);
        }
    }

    private static async Task<byte[]> ReadPartAsync(MultipartReader reader)
    {
        var section = await reader.ReadNextSectionAsync() ?? throw GcsRefusal.Invalid("Multipart body is not complete.");
        using var bytes = new MemoryStream();
        await section.Body.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private GcsObject Put(string bucket, string? name, JsonObject described, byte[] bytes, long? ifGeneration)
    {
        if ((string?)described["crc32c"] is { } checksum && checksum != GcsObject.ChecksumOf(bytes))
        {
            throw GcsRefusal.Invalid($"Provided CRC32C \"{checksum}\" doesn't match calculated CRC32C \"{GcsObject.ChecksumOf(bytes)}\".");
        }

        return objects.Put(bucket, name ?? (string)described["name"]!, bytes, (string?)described["contentType"] ?? "application/octet-stream", ifGeneration);
    }

    private Session SessionOf(string id) => _sessions.TryGetValue(id, out var session) ? session : throw new GcsRefusal(404, "notFound", "Upload session not found");

    private sealed class Session(string bucket, string? name, JsonObject described, long? ifGeneration)
    {
        internal string Bucket => bucket;

        internal string? Name => name;

        internal JsonObject Described => described;

        internal long? IfGeneration => ifGeneration;

        internal MemoryStream Bytes { get; } = new();

        internal GcsObject? Finished { get; set; }
    }
}
