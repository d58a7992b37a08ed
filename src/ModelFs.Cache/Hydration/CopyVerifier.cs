using System.Buffers;
using System.IO.Hashing;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// Compares what is here of a model with the digests that are known of it: those of the archive's index, which is itself compared with the store, or those of the tree that was
/// fetched. Reads every file; changes nothing.
/// </summary>
internal sealed class CopyVerifier(IModelStore? store)
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Checks a copy.</summary>
    /// <returns>Null when the copy changed so much meanwhile that nothing can be said.</returns>
    /// <exception cref="ModelException">The cache's disk or the store failed.</exception>
    public async Task<VerifyReport?> RunAsync(ModelCopy copy, CancellationToken cancellationToken)
    {
        var version = VersionOf(copy);
        var report = copy.IsIndexed
            ? await CheckIndexedAsync(copy, cancellationToken).ConfigureAwait(false)
            : await Task.Run(() => CheckAgainstBase(copy, cancellationToken), cancellationToken).ConfigureAwait(false);
        return version == VersionOf(copy) ? report : null;
    }

    private static (long, bool) VersionOf(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            return (copy.ChangeVersion, copy.IsRetired);
        }
    }

    private async Task<VerifyReport> CheckIndexedAsync(ModelCopy copy, CancellationToken cancellationToken)
    {
        var manifest = copy.Manifest;
        var known = copy.Hydration?.Index ?? IndexFile.Read(copy.Folder, manifest, copy.Model.Name);
        var (isIndexDamaged, note) = await CompareIndexAsync(copy, cancellationToken).ConfigureAwait(false);
        if (known is null)
        {
            return new VerifyReport(copy.Model.Name.ToString(), 0, 0, [], IsIndexDamaged: true, note);
        }

        return await Task.Run(
            () =>
            {
                var damaged = new List<string>();
                var (files, bytes) = (0, 0L);
                for (var entry = 0; entry < known.Entries.Count; entry++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var file = known.Entries[entry].Entry;
                    if (file.Type == TreeEntryType.Directory || (file.Type == TreeEntryType.File && copy.Hydration is { } before && !before.IsFileHere(entry)))
                    {
                        continue;
                    }

                    files++;
                    bytes += file.Size;

                    // What was dropped while it was read proves nothing.
                    if (!IsAsDescribed(copy.Content + "/" + file.Path, file, cancellationToken) && (copy.Hydration is not { } after || after.IsFileHere(entry)))
                    {
                        damaged.Add(file.Path);
                    }
                }

                return new VerifyReport(copy.Model.Name.ToString(), files, bytes, damaged, isIndexDamaged, note);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Compares the index that lies beside the copy with the store's, as far as the store still has that revision.</summary>
    private async Task<(bool IsDamaged, string? Note)> CompareIndexAsync(ModelCopy copy, CancellationToken cancellationToken)
    {
        var manifest = copy.Manifest;
        var bytes = IndexFile.ReadBytes(copy.Folder, manifest);
        if (store is null)
        {
            return (bytes is null, "not compared with the store");
        }

        if (copy.Model.StoredRevision != manifest.BaseRevision)
        {
            return (bytes is null, "the store has another version; the index is not compared with it");
        }

        try
        {
            var source = new StoredObject(manifest.Key, new StoreRevision(manifest.BaseRevision!), manifest.BaseLength, manifest.BaseModified);
            var tail = await ArchiveTail.ReadAsync(store, source, copy.Model.Name, cancellationToken).ConfigureAwait(false);
            return tail.Index is null ? (true, "the store's archive has no index that can be read") : (bytes is null || !bytes.AsSpan().SequenceEqual(tail.Bytes), null);
        }
        catch (StoreException error)
        {
            return (bytes is null, $"not compared with the store: {error.Message}");
        }
    }

    private static VerifyReport CheckAgainstBase(ModelCopy copy, CancellationToken cancellationToken)
    {
        var known = CopyFiles.ReadBase(copy.Folder);
        var damaged = new List<string>();
        var (files, bytes) = (0, 0L);
        foreach (var (path, file) in known)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var full = copy.Content + "/" + path;
            if (copy.IsDirty && (PosixFile.Stat(full, out var status) != Errno.None || !TreeScan.IsSame(file, status)))
            {
                // A program changed it, or took it away.
                continue;
            }

            files++;
            bytes += file.Size;
            if (Digest(full, file.Size, cancellationToken)?.ToString() != file.Digest)
            {
                damaged.Add(path);
            }
        }

        var note = copy.IsDirty ? "has changes that the store does not have; only unchanged files were checked"
            : known.Count == 0 && copy.Manifest.Files > 0 ? "its list of digests is missing; nothing was checked"
            : null;
        return new VerifyReport(copy.Model.Name.ToString(), files, bytes, damaged, IsIndexDamaged: false, note);
    }

    private static bool IsAsDescribed(string path, TreeEntry entry, CancellationToken cancellationToken) =>
        entry.Type == TreeEntryType.SymbolicLink
            ? PosixFile.ReadLink(path, out var target) == Errno.None && target == entry.LinkTarget
            : Digest(path, entry.Size, cancellationToken) == entry.Digest;

    /// <summary>The digest of a file of that size; null when there is none of it, or it can't be read.</summary>
    private static ContentDigest? Digest(string path, long size, CancellationToken cancellationToken)
    {
        if (PosixFile.Stat(path, out var status) != Errno.None || !status.IsFile || status.Size != size || PosixFile.Open(path, PosixFile.ReadOnly, 0, out var file) != Errno.None)
        {
            return null;
        }

        using (file)
        {
            var hash = new XxHash128();
            var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
            try
            {
                for (long offset = 0; ;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (PosixFile.Read(file, buffer, offset, out var count) != Errno.None)
                    {
                        return null;
                    }

                    if (count == 0)
                    {
                        return offset == size ? ContentDigest.From(hash.GetCurrentHashAsUInt128()) : null;
                    }

                    hash.Append(buffer.AsSpan(0, count));
                    offset += count;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
