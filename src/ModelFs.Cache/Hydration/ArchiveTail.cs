using ModelFs.Archives;
using ModelFs.Archives.Indexed;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Hydration;

/// <summary>What the end of an archive in the store says.</summary>
/// <param name="Bytes">The end itself: the index and what follows it when there is one; otherwise what was read.</param>
/// <param name="Index">The index; null for a foreign archive.</param>
internal sealed record ArchiveTail(byte[] Bytes, ArchiveIndex? Index)
{
    /// <summary>Reads the end of an archive: one request, two for a large index.</summary>
    /// <exception cref="StoreException">The store refused.</exception>
    public static async Task<ArchiveTail> ReadAsync(IModelStore store, StoredObject source, ModelName model, CancellationToken cancellationToken)
    {
        var tail = await ReadEndAsync(store, source, Math.Min(ArchiveIndexReader.TailBytes, source.Length), cancellationToken).ConfigureAwait(false);
        if (!ArchiveIndexReader.TryReadFooter(tail, source.Length, out var location))
        {
            return new ArchiveTail(tail, null);
        }

        if (location.Length > tail.Length)
        {
            var front = await ReadAsync(store, source, location.Offset, location.Length - tail.Length, cancellationToken).ConfigureAwait(false);
            tail = [.. front, .. tail];
        }

        var bytes = tail[^location.Length..];
        return ArchiveIndexReader.TryParse(bytes, location, model, UnpackLimits.Default, out var index) ? new ArchiveTail(bytes, index) : new ArchiveTail(tail, null);
    }

    private static Task<byte[]> ReadEndAsync(IModelStore store, StoredObject source, long length, CancellationToken cancellationToken) =>
        ReadAsync(store, source, source.Length - length, length, cancellationToken);

    private static async Task<byte[]> ReadAsync(IModelStore store, StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        if (length > 0)
        {
            var stream = await store.ReadAsync(source, offset, length, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            }
        }

        return bytes;
    }
}
