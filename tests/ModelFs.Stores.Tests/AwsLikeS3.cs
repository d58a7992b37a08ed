using System.Collections.Concurrent;

namespace ModelFs.Stores.Tests;

/// <summary>
/// Objects without their bytes behind the requests of S3 that have conditions: keeps all of them, with quoted ETags, as AWS documents it. It
/// stands in for servers that can't run here; what it says is not proof of them.
/// </summary>
internal sealed class AwsLikeS3
{
    private readonly ConcurrentDictionary<string, (string ETag, int Length)> _objects = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private int _count;

    /// <summary>Whether the bucket is there.</summary>
    public bool HasBucket { get; set; } = true;

    public ICollection<string> Keys => _objects.Keys;

    public string Answer(RecordedRequest request)
    {
        lock (_lock)
        {
            var url = request.Target.StartsWith("http", StringComparison.Ordinal) ? new Uri(request.Target) : new Uri("http://s3" + request.Target);
            return !HasBucket && url.Query.Contains("list-type", StringComparison.Ordinal) ? Error("404 Not Found", "NoSuchBucket")
                : request.Method switch
                {
                    "GET" when url.Query.Contains("list-type", StringComparison.Ordinal) => RecordingServer.Answer("200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
                    "HEAD" => Head(url.AbsolutePath),
                    "POST" when url.Query.Contains("uploads", StringComparison.Ordinal) =>
                        RecordingServer.Answer("200 OK", $"<InitiateMultipartUploadResult><UploadId>upload-{++_count}</UploadId></InitiateMultipartUploadResult>"),
                    "POST" => Refuses(request, url.AbsolutePath) ?? Complete(url.AbsolutePath),
                    "PUT" when url.Query.Contains("partNumber", StringComparison.Ordinal) => RecordingServer.Answer("200 OK", "", "ETag: \"part\""),
                    "PUT" when url.AbsolutePath.Count(c => c == '/') < 2 && !request.Target.StartsWith("http", StringComparison.Ordinal) || url.AbsolutePath == "/" => Create(),
                    "PUT" => Refuses(request, url.AbsolutePath) ?? Put(request, url.AbsolutePath),
                    "DELETE" when url.Query.Contains("uploadId", StringComparison.Ordinal) => RecordingServer.Answer("204 No Content"),
                    "DELETE" => Refuses(request, url.AbsolutePath) ?? Delete(url.AbsolutePath),
                    _ => Error("400 Bad Request", "NotKnownHere"),
                };
        }
    }

    private static string Error(string status, string code) => RecordingServer.Answer(status, $"<Error><Code>{code}</Code><Message>{code}</Message></Error>");

    private string? Refuses(RecordedRequest request, string path)
    {
        var exists = _objects.TryGetValue(path, out var found);
        return (request.Header("If-None-Match") == "*" && exists) || (request.Header("If-Match") is { } wanted && wanted != found.ETag)
            ? Error("412 Precondition Failed", "PreconditionFailed")
            : null;
    }

    private string Create()
    {
        HasBucket = true;
        return RecordingServer.Answer("200 OK");
    }

    private string Head(string path) => _objects.TryGetValue(path, out var found)
        ? $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {found.Length}\r\nETag: {found.ETag}\r\nLast-Modified: Mon, 01 May 2017 12:00:00 GMT\r\n\r\n"
        : RecordingServer.Answer("404 Not Found");

    private string Put(RecordedRequest request, string path)
    {
        var length = int.Parse(request.Header("x-amz-decoded-content-length") ?? request.Header("Content-Length")!, System.Globalization.CultureInfo.InvariantCulture);
        _objects[path] = ($"\"etag-{++_count}\"", length);
        return RecordingServer.Answer("200 OK", "", $"ETag: {_objects[path].ETag}");
    }

    private string Complete(string path)
    {
        _objects[path] = ($"\"etag-{++_count}-1\"", 1);
        return RecordingServer.Answer("200 OK", $"<CompleteMultipartUploadResult><ETag>{_objects[path].ETag.Replace("\"", "&quot;", StringComparison.Ordinal)}</ETag></CompleteMultipartUploadResult>");
    }

    private string Delete(string path)
    {
        _objects.TryRemove(path, out _);
        return RecordingServer.Answer("204 No Content");
    }
}
