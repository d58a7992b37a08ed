using ModelFs.Cache.Posix;

namespace ModelFs.Cache.Hydration;

/// <summary>Room on the cache's disk for content that is being fetched: what is under way counts as taken.</summary>
internal sealed class HydrationRoom(CopyShelf shelf, CacheFolder folder, CacheOptions options)
{
    private long _reserved;

    /// <summary>Reserves room, dropping what was used longest ago where the cache's limit asks for it.</summary>
    /// <exception cref="ModelException">There is none, and nothing can go.</exception>
    public void Reserve(CachedModel model, long bytes)
    {
        var reserved = Interlocked.Add(ref _reserved, bytes);
        try
        {
            shelf.MakeRoom(reserved);
            if (options.BytesMax is { } limit && shelf.ContentBytes + reserved > limit)
            {
                throw NoSpace(model, bytes, "raise --cache-size, or close files of other models");
            }

            DurableFile.Check(PosixFile.StatFileSystem(folder.Root, out var disk), "stat", folder.Root);
            if (Math.Max(0, disk.BytesAvailable - options.FreeBytesMin) < reserved)
            {
                throw NoSpace(model, bytes, "free space on its disk, or lower --min-free");
            }
        }
        catch
        {
            Release(bytes);
            throw;
        }
    }

    /// <summary>Gives a reservation up: the bytes are on the disk, or will not be.</summary>
    public void Release(long bytes) => Interlocked.Add(ref _reserved, -bytes);

    private ModelException NoSpace(CachedModel model, long bytes, string remedy) =>
        new(ModelErrorKind.NoSpace, $"the cache {folder.Root} has no room for {bytes:N0} more bytes of {model.Name}; {remedy}");
}
