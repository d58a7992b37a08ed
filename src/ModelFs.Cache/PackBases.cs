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

    /// <summary>Whether the bytes that an archive has in common with its base come cheaper from the store than from the packer.</summary>
    private bool IsWorthwhile(long baseLength) =>
        options.ArchiveStructure == ArchiveStructure.Indexed
        && store.Traits.ReadsRanges
        && (store.Traits.PartCopy is not null ? baseLength >= CopiedBytesMin : store.Traits.ReadStreamsMax == 1);

    /// <summary>The index and the object of the base; nulls when all is packed anew.</summary>
    public async Task<(ArchiveIndex? Index, StoredObject? Source)> FindAsync(ModelCopy copy, string publishKey, CancellationToken cancellationToken)
    {
        var manifest = copy.Manifest;
        if (manifest.BaseRevision is not { } revision
            || manifest.Key != publishKey
            || !ModelKey.TryParse(publishKey, out var key)
            || key.Format is not (ArchiveFormat.TarGz or ArchiveFormat.Tgz)
            || !IsWorthwhile(manifest.BaseLength))
        {
            return default;
        }

        var source = new StoredObject(publishKey, new StoreRevision(revision), manifest.BaseLength, manifest.BaseModified);
        var index = IndexFile.Read(copy.Folder, manifest, key.Model) ?? await ReadFromStoreAsync(source, key.Model, cancellationToken).ConfigureAwait(false);
        return index is null ? default : (index, source);
    }

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
