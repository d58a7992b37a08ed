using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ModelFs.GcsFake;

/// <summary>A request, taken apart from its raw target: names may hold encoded slashes.</summary>
internal sealed class GcsRequest
{
    internal GcsRequest(HttpContext context)
    {
        Context = context;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        Segments = [.. (mark < 0 ? target : target[..mark]).Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString)];
    }

    internal HttpContext Context { get; }

    /// <summary>Of the path, decoded.</summary>
    internal string[] Segments { get; }

    internal string Method => Context.Request.Method;

    internal long? IfGeneration => Query("ifGenerationMatch") is { } text ? Number(text) : null;

    internal string? Query(string name) => Context.Request.Query.TryGetValue(name, out var values) ? values.ToString() : null;

    internal static long Number(string text) => long.TryParse(text, out var number) ? number : throw GcsRefusal.Invalid($"Invalid number: {text}");

    /// <summary>Reads the body, or as much of it as there is before a cut.</summary>
    internal async Task<byte[]> BodyAsync(long bytesMax = long.MaxValue)
    {
        using var body = new MemoryStream();
        var block = new byte[64 * 1024];
        while (body.Length < bytesMax)
        {
            var read = await Context.Request.Body.ReadAsync(block.AsMemory(0, (int)Math.Min(block.Length, bytesMax - body.Length)), Context.RequestAborted);
            if (read == 0)
            {
                break;
            }

            body.Write(block, 0, read);
        }

        return body.ToArray();
    }
}
