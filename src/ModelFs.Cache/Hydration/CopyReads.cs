namespace ModelFs.Cache.Hydration;

/// <summary>What an open and a read of a file wait for.</summary>
internal sealed class CopyReads(Hydrator hydrator, CacheOptions options)
{
    /// <summary>A file that is larger is opened at once and read while it comes; the open of a smaller one waits for it.</summary>
    public const long StreamedAboveBytes = 8 << 20;

    /// <summary>Prepares an open for reading; the file is counted as open already, so that it is not evicted meanwhile.</summary>
    /// <returns>Whether the file is not here yet, so that every read must wait for what it reads (<see cref="WaitForAsync"/>).</returns>
    /// <exception cref="ModelException">The content can't be had.</exception>
    public async ValueTask<bool> PrepareAsync(ModelCopy copy, string path, CancellationToken cancellationToken)
    {
        await copy.WhenMadeAsync(cancellationToken).ConfigureAwait(false);
        copy.LoadOrder.Note(copy.Folder, path);
        if (copy.Hydration is not { } hydration || hydration.Index.Find(path) is not (>= 0 and var entry))
        {
            return false;
        }

        hydrator.NoteOpened(copy, hydration, entry);
        if (hydration.IsFileHere(entry))
        {
            return false;
        }

        var file = hydration.Index.Entries[entry];
        if (options.Hydrate == HydratePolicy.None ? file.MemberCount > 1 : file.Entry.Size > StreamedAboveBytes)
        {
            return hydration.Ended is { } ended ? throw ended : true;
        }

        await hydrator.WaitForAsync(copy, hydration, entry, 0, file.Entry.Size, cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <summary>Waits until a range of an open file is here.</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    public ValueTask WaitForAsync(ModelCopy copy, string path, long offset, long length, CancellationToken cancellationToken)
    {
        if (copy.Hydration is not { } hydration || hydration.Index.Find(path) is not (>= 0 and var entry))
        {
            return ValueTask.CompletedTask;
        }

        var (first, count) = hydration.Slices.MembersOf(entry, offset, length);
        return hydration.IsHere(entry, first, count)
            ? ValueTask.CompletedTask
            : new ValueTask(hydrator.WaitForAsync(copy, hydration, entry, offset, length, cancellationToken));
    }

    /// <summary>Waits until everything of a copy is here, since it is about to be changed.</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    public Task WaitForAllAsync(ModelCopy copy, CopyHydration hydration, CancellationToken cancellationToken) =>
        hydrator.WaitForAllAsync(copy, hydration, cancellationToken);
}
