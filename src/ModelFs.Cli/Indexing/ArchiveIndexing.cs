using ModelFs.Archives;
using ModelFs.Archives.Indexed;
using ModelFs.Cli.Transfers;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Indexing;

/// <summary>What became of one archive.</summary>
internal enum IndexState
{
    /// <summary>It has an index already.</summary>
    Had,

    /// <summary>It has none, and the store is not to be changed.</summary>
    Wanted,

    /// <summary>An indexed archive of the same tree took its place.</summary>
    Made,

    /// <summary>It can't have one.</summary>
    Impossible,
}

/// <summary>What became of one archive.</summary>
/// <param name="State">In a word.</param>
/// <param name="Reason">Why it can't have an index, or what was compressed.</param>
/// <param name="ArchiveBytes">Length of the new archive.</param>
internal sealed record IndexOutcome(IndexState State, string Reason = "", long ArchiveBytes = 0);

/// <summary>Replaces one archive by an indexed one of the same tree, layout and key: fetched, unpacked, packed, unpacked again and compared, then stored if nobody changed it meanwhile.</summary>
internal sealed class ArchiveIndexing(IModelStore store, TransferView view, PackCompression compression)
{
    /// <summary>Does it, unless the archive has an index.</summary>
    /// <exception cref="ArchiveException">The archive is damaged.</exception>
    /// <exception cref="StoreException">The store failed, or somebody changed the model; the store has what it had.</exception>
    public async Task<IndexOutcome> RunAsync(StoredModel model, bool dryRun, CancellationToken cancellationToken)
    {
        if (model.Key.Format is not (ArchiveFormat.TarGz or ArchiveFormat.Tgz))
        {
            return new IndexOutcome(IndexState.Impossible, $"{model.Key.Format.Suffix()} archives have no index; a change through a mount, or `modelfs cp`, makes others of them");
        }

        if (await HasIndexAsync(model, cancellationToken).ConfigureAwait(false))
        {
            return new IndexOutcome(IndexState.Had);
        }

        return dryRun ? new IndexOutcome(IndexState.Wanted) : await ConvertAsync(model, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> HasIndexAsync(StoredModel model, CancellationToken cancellationToken)
    {
        var length = model.Stored.Length;
        var tail = await ReadAsync(model.Stored, length - Math.Min(length, ArchiveIndexReader.TailBytes), cancellationToken).ConfigureAwait(false);
        if (ArchiveIndexReader.TryReadFooter(tail, length, out var location) && location.Length > tail.Length)
        {
            tail = await ReadAsync(model.Stored, location.Offset, cancellationToken).ConfigureAwait(false);
        }

        return ArchiveIndexReader.TryRead(tail, length, model.Key.Model, UnpackLimits.Default, out _, out _);
    }

    private async Task<byte[]> ReadAsync(StoredObject stored, long offset, CancellationToken cancellationToken)
    {
        var bytes = new byte[stored.Length - offset];
        var stream = await store.ReadAsync(stored, offset, bytes.Length, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        }

        return bytes;
    }

    private async Task<IndexOutcome> ConvertAsync(StoredModel model, CancellationToken cancellationToken)
    {
        var packed = SpoolFile.Create();
        await using (packed.ConfigureAwait(false))
        {
            var (tree, made) = await RepackAsync(model, packed, cancellationToken).ConfigureAwait(false);
            if (made.Index is null)
            {
                return new IndexOutcome(IndexState.Impossible, "readers would take the names in it for another layout");
            }

            await RequireSameAsync(model.Key, packed, tree, cancellationToken).ConfigureAwait(false);
            packed.ReportTo(view.Begin($"sending {model.Key}", packed.Length));
            var stored = await store.PublishAsync(model.Stored.Key, packed, PublishCondition.Matches(model.Stored.Revision), cancellationToken).ConfigureAwait(false);
            return new IndexOutcome(IndexState.Made, made.Compression.ToString(), stored.Length);
        }
    }

    private async Task<(UnpackedModel Tree, PackedModel Packed)> RepackAsync(StoredModel model, SpoolFile output, CancellationToken cancellationToken)
    {
        using var folder = TemporaryFolder();
        var progress = view.Begin($"fetching {model.Key}", model.Stored.Length);
        var archive = new ParallelRangeReader(store, model.Stored, new ParallelReadOptions(), progress, cancellationToken);
        await using (archive.ConfigureAwait(false))
        {
            var tree = await UnpackAsync(archive, model.Stored.Length, model.Key, folder.Path, cancellationToken).ConfigureAwait(false);
            var options = new PackOptions(model.Key.Format, tree.Layout, model.Key.Model, compression);
            var packed = await ModelPacker.PackAsync(folder.Path, tree.Entries, options, output.Input, cancellationToken).ConfigureAwait(false);
            await output.Input.FlushAsync(cancellationToken).ConfigureAwait(false);
            return (tree, packed);
        }
    }

    /// <summary>Reads the new archive as anybody would, before it takes the old one's place.</summary>
    private async Task RequireSameAsync(ModelKey key, SpoolFile packed, UnpackedModel tree, CancellationToken cancellationToken)
    {
        using var folder = TemporaryFolder();
        packed.ReportTo(view.Begin($"checking {key}", packed.Length));
        var archive = packed.OpenRead(0, packed.Length);
        await using (archive.ConfigureAwait(false))
        {
            var again = await UnpackAsync(archive, packed.Length, key, folder.Path, cancellationToken).ConfigureAwait(false);
            if (again.TreeDigest != tree.TreeDigest || again.Layout != tree.Layout)
            {
                throw new IOException("the new archive does not hold the same tree: this is a defect of ModelFs, nothing was stored");
            }
        }
    }

    private static Task<UnpackedModel> UnpackAsync(Stream archive, long length, ModelKey key, string folder, CancellationToken cancellationToken) =>
        ModelUnpacker.UnpackAsync(
            archive, length, key.Format, key.Model, folder, new UnpackLimits(BytesMax: new DriveInfo(folder).AvailableFreeSpace), null, cancellationToken);

    private static StagedFolder TemporaryFolder() => StagedFolder.Create(Path.Combine(Path.GetTempPath(), "modelfs"));
}
