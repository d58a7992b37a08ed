using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace ModelFs.Stores.Gcs;

/// <summary>Uploads an archive under a condition: small ones by one request, larger ones by a session that can be resumed.</summary>
/// <param name="connection">To the server.</param>
/// <param name="addresses">Of the store.</param>
internal sealed class GcsPublisher(GcsConnection connection, GcsAddresses addresses)
{
    /// <summary>What other writers of such archives give their objects.</summary>
    internal const string ContentType = "application/x-tar";

    private readonly GcsResumableUpload _resumable = new(connection, addresses);

    /// <summary>Publishes as <see cref="IModelStore.PublishAsync"/> says. The checksum goes ahead of the bytes, so that the server takes no others.</summary>
    internal Task<ObjectResource> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
        SendAsync(key, content, condition, GoesInParts(content), cancellationToken);

    /// <summary>Whether an archive is so large that it is uploaded in chunks.</summary>
    internal bool GoesInParts(IPublishContent content) => content.Length > connection.Options.SingleUploadBytesMax;

    /// <summary>Uploads an archive by one request, or in chunks.</summary>
    internal async Task<ObjectResource> SendAsync(string key, IPublishContent content, PublishCondition condition, bool inParts, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var crc = await ArchiveContent.ChecksumAsync(content, cancellationToken).ConfigureAwait(false);
        var described = new NewObject(connection.Settings.Prefix + key, ContentType, crc.Base64, connection.Settings.StorageClass);
        return inParts
            ? await _resumable.SendAsync(key, described, content, condition, cancellationToken).ConfigureAwait(false)
            : await SendAsync(key, described, content, condition, cancellationToken).ConfigureAwait(false);
    }

    private Task<ObjectResource> SendAsync(string key, NewObject described, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
        connection.CallAsync(
            deadline => new HttpRequestMessage(HttpMethod.Post, addresses.Upload("multipart", key, condition)) { Content = Related(described, content, deadline) },
            ReadAsync,
            $"publishing {key}",
            cancellationToken);

    /// <summary>Reads the new object's metadata out of an answer.</summary>
    internal static async Task<ObjectResource> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        await response.Content.ReadFromJsonAsync(GcsJson.Default.ObjectResource, cancellationToken).ConfigureAwait(false) ?? throw new InvalidDataException("the server's answer is empty");

    private static MultipartContent Related(NewObject described, IPublishContent content, ProgressDeadline deadline)
    {
        var metadata = JsonContent.Create(described, GcsJson.Default.NewObject, new MediaTypeHeaderValue("application/json", "utf-8"));
        return new MultipartContent("related") { metadata, new ArchiveContent(content, 0, content.Length, deadline) };
    }
}
