using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>A model folder as a list of entries, and the identity of such a list.</summary>
public static class ModelTree
{
    /// <summary>
    /// The identity of a tree: a digest over every entry's path, type and mode, every file's size, content digest and time, and every link's target and time.
    /// Two trees with the same identity pack to archives that unpack to the same files. Times of folders are not part of it: they change when a program
    /// makes and removes a scratch file, and a tree that is otherwise equal needs no publish.
    /// </summary>
    /// <param name="entries">In any order; every file must carry its digest.</param>
    /// <exception cref="ArgumentException">A file has no digest.</exception>
    public static ContentDigest Digest(IEnumerable<TreeEntry> entries) => TreeDigest.Compute(entries);

    /// <summary>Lists a model folder as it is on disk (links are not followed) and computes the digests that <paramref name="knownDigest"/> does not know.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="knownDigest">Asked once per file; null reads every file.</param>
    /// <param name="cancellationToken">Ends the walk between two files or two blocks of a file.</param>
    /// <returns>Every entry, sorted ordinally by path, the folder itself (the empty path) first.</returns>
    /// <exception cref="PackException">Something in the folder is neither file, folder nor link, or changed its size while it was read.</exception>
    /// <exception cref="IOException">The file system failed.</exception>
    public static Task<IReadOnlyList<TreeEntry>> ScanAsync(string folder, KnownDigest? knownDigest, CancellationToken cancellationToken) =>
        Task.Run(() => new TreeScanner(folder, knownDigest, cancellationToken).Scan(), cancellationToken);
}
