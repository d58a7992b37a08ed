using ModelFs.Archives;
using ModelFs.Archives.Indexed;
using ModelFs.Cache.Hydration;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Finds the archive that a change can be packed upon: the copy's base revision, if it has an index and the store makes something of it.</summary>
internal sealed class PackBases(IModelStore store, CacheOptions options)
{
    /// <summary>Smaller archives are sent by one request anyway.</summary>
    private const long CopiedBytesMin = 32L << 20;

    /// <summary>Finds the base; default when all is packed anew.</summary>
    public async Task<PackBase> FindAsync(ModelCopy copy, string publishKey, CancellationToken cancellationToken)
    {
        var manifest = copy.Manifest;
        if (manifest.BaseRevision is not { } revision
            || manifest.Key != publishKey
            || !ModelKey.TryParse(publishKey, out var key)
            || key.Format is not (ArchiveFormat.TarGz or ArchiveFormat.Tgz)
            || options.ArchiveStructure != ArchiveStructure.Indexed
            || !store.Traits.ReadsRanges)
        {
            return default;
        }

        var source = new StoredObject(publishKey, new StoreRevision(revision), manifest.BaseLength, manifest.BaseModified);
        var index = IndexFile.Read(copy.Folder, manifest, key.Model) ?? await ReadFromStoreAsync(source, key.Model, cancellationToken).ConfigureAwait(false);
        return index is null ? default : new PackBase(index, source, IsComposed(manifest.BaseLength));
    }

    /// <summary>Whether the store puts the archive together, or what it has is read without a network between; otherwise only what was compressed is fetched.</summary>
    private bool IsComposed(long baseLength) => store.Traits.PartCopy is not null ? baseLength >= CopiedBytesMin : store.Traits.IsLocal;

    /// <summary>Keeps the index of what was published, so that the next change needs no request for it.</summary>
    public static void Keep(ModelCopy copy, StoredObject stored, PackFile content)
    {
        // A store that renders archives anew holds another one than was sent.
        if (stored.Length == content.Length && content.ReadIndex() is { Length: > 0 } index)
        {
            IndexFile.Write(copy.Folder, stored.Revision.Value, stored.Length, index, durable: true);
        }
    }

    private async Task<ArchiveIndex?> ReadFromStoreAsync(StoredObject source, ModelName model, CancellationToken cancellationToken)
    {
        try
        {
            return (await ArchiveTail.ReadAsync(store, source, model, cancellationToken).ConfigureAwait(false)).Index;
        }
        catch (StoreException)
        {
            // Packing anew needs nothing of the store, and the publish tells what is wrong with it.
            return null;
        }
    }
}

/// <summary>What a change is packed upon.</summary>
/// <param name="Index">Of the base; null when all is packed anew.</param>
/// <param name="Source">The base in the store.</param>
/// <param name="IsComposed">Whether the new archive refers to the base (<see cref="IPublishContent.Segments"/>); otherwise it is made whole, with what is read of the base.</param>
internal readonly record struct PackBase(ArchiveIndex? Index, StoredObject? Source, bool IsComposed);
