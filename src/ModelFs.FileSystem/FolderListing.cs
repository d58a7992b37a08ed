using ModelFs.Cache;
using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem;

/// <summary>The names of opened folders, as they were when their reading began.</summary>
internal sealed class FolderListing(FileSystemState state, RootNames root, TreeNames tree)
{
    /// <summary>The names of a folder, sorted; waits for the fetch of a model that is not here.</summary>
    /// <param name="inode">The folder.</param>
    /// <param name="handle">The open folder.</param>
    /// <param name="restart">Whether its reading begins, or begins again.</param>
    /// <param name="forLookUp">Whether each is looked up, so that their numbers need not be known and not all have to stand (<see cref="StandingAsync"/>).</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<FsResult<IReadOnlyList<FsName>>> NamesOfAsync(Inode inode, ulong handle, bool restart, bool forLookUp, CancellationToken cancellationToken)
    {
        var opened = state.Inodes.FindHandle(handle);
        if (!restart && opened is { Names: { } names } && (forLookUp || !opened.LacksNumbers))
        {
            return new(new FsResult<IReadOnlyList<FsName>>(Errno.None, names));
        }

        return ModelFileSystem.IsInsideModel(inode) && inode.Copy is not { Making: null }
            ? FetchAndListAsync(inode, opened, forLookUp, cancellationToken)
            : new(ListNow(inode, opened));
    }

    /// <summary>How many of a folder's names can be looked up now: of a tree that is just being made it waits for the next few.</summary>
    /// <param name="inode">The folder.</param>
    /// <param name="names">Its names.</param>
    /// <param name="first">The first one that is wanted.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelException">The cache's disk refused to make them.</exception>
    public async ValueTask<int> StandingAsync(Inode? inode, IReadOnlyList<FsName> names, int first, CancellationToken cancellationToken)
    {
        const int count = 64;
        if (first >= names.Count || inode is not { Copy.Making: { } making } || !ModelFileSystem.IsInsideModel(inode))
        {
            return names.Count;
        }

        var last = Math.Min(first + count, names.Count) - 1;
        await making.ReachAsync(tree.ChangePath(inode, names[last].Name), cancellationToken).ConfigureAwait(false);
        return last + 1;
    }

    private async ValueTask<FsResult<IReadOnlyList<FsName>>> FetchAndListAsync(Inode inode, FileHandle? opened, bool forLookUp, CancellationToken cancellationToken)
    {
        if (forLookUp && await tree.CopyForListingAsync(inode, cancellationToken).ConfigureAwait(false) is { Making: { } making })
        {
            var names = tree.List(inode, making);
            if (opened is not null)
            {
                opened.Names = names;
                opened.LacksNumbers = true;
            }

            return new(Errno.None, names);
        }

        return await tree.CopyOfAsync(inode, cancellationToken).ConfigureAwait(false) is null ? Errno.ESTALE : ListNow(inode, opened);
    }

    /// <summary>Lists a folder. After a restart of the daemon the list is made again, in the same order.</summary>
    private FsResult<IReadOnlyList<FsName>> ListNow(Inode inode, FileHandle? opened)
    {
        var error = ModelFileSystem.IsInsideModel(inode) ? tree.List(inode, out var names) : root.List(inode, out names);
        if (error != Errno.None)
        {
            return error;
        }

        if (opened is not null)
        {
            opened.Names = names;
            opened.LacksNumbers = false;
        }

        return new(Errno.None, names);
    }
}
