using ModelFs.Cache.Posix;

namespace ModelFs.Cache.Hydration;

/// <summary>Room on the cache's disk for content that is being fetched: what is under way counts as taken.</summary>
internal sealed class HydrationRoom(CopyShelf shelf, CacheFolder folder, CacheOptions options)
{
    private long _reserved;
    private TaskCompletionSource _released = NewSignal();

    /// <summary>Reserves room; while there is none because of what is under way, it is waited for: that may be counted twice for a moment, and may make room when it has come.</summary>
    /// <exception cref="ModelException">There is none, and nothing can go.</exception>
    public async Task ReserveAsync(ModelCopy copy, long bytes, bool isAsked, CancellationToken cancellationToken)
    {
        while (true)
        {
            var released = Volatile.Read(ref _released).Task;
            try
            {
                Reserve(copy, bytes, isAsked);
                return;
            }
            catch (ModelException error) when (error.Kind == ModelErrorKind.NoSpace && Interlocked.Read(ref _reserved) > 0)
            {
                await released.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Gives a reservation up, or a part of it: the bytes are on the disk, or will not be.</summary>
    public void Release(long bytes)
    {
        Interlocked.Add(ref _reserved, -bytes);
        Interlocked.Exchange(ref _released, NewSignal()).SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reserves room, dropping what was used longest ago where the cache's limit asks for it.</summary>
    /// <param name="copy">The copy that it is for.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="isAsked">Whether somebody waits for it: then other files of the same copy may go, too.</param>
    /// <exception cref="ModelException">There is none, and nothing can go.</exception>
    private void Reserve(ModelCopy copy, long bytes, bool isAsked)
    {
        var model = copy.Model;
        var reserved = Interlocked.Add(ref _reserved, bytes);
        try
        {
            shelf.MakeRoom(reserved, keep: isAsked ? null : copy);
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
            Interlocked.Add(ref _reserved, -bytes);
            throw;
        }
    }

    private ModelException NoSpace(CachedModel model, long bytes, string remedy) =>
        new(ModelErrorKind.NoSpace, $"the cache {folder.Root} has no room for {bytes:N0} more bytes of {model.Name}; {remedy}");
}
