using ModelFs.Archives;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>Fetches, unpacks and verifies one model beside the place where it belongs, then puts it there.</summary>
internal sealed class ModelPull(CommandServices services, IModelStore store, TransferView view)
{
    /// <summary>Does it; the folder appears whole, or not at all.</summary>
    /// <param name="source">The model.</param>
    /// <param name="target">The folder that it becomes; absolute.</param>
    /// <param name="force">Whether it may take the place of a folder with content.</param>
    /// <param name="cancellationToken">Ends it; nothing is left behind.</param>
    public async Task<TransferResult> RunAsync(StoredModel source, string target, bool force, CancellationToken cancellationToken)
    {
        try
        {
            return await FetchAsync(source, target, force, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException changed) when (changed.Kind == StoreErrorKind.RevisionChanged)
        {
            var current = await store.StatAsync(source.Stored.Key, cancellationToken).ConfigureAwait(false)
                ?? throw CommandException.Failure($"{source.Key} was deleted from {store.DisplayName} while it was fetched");
            return await FetchAsync(source with { Stored = current }, target, force, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TransferResult> FetchAsync(StoredModel source, string target, bool force, CancellationToken cancellationToken)
    {
        var (key, stored) = source;
        using var staged = StagedFolder.Create(target);
        UnpackedModel unpacked;
        var archive = new ParallelRangeReader(store, stored, new ParallelReadOptions(), null, cancellationToken);
        await using (archive.ConfigureAwait(false))
        {
            var limits = new UnpackLimits(BytesMax: new DriveInfo(staged.Path).AvailableFreeSpace);
            unpacked = await ModelUnpacker.UnpackAsync(
                archive, stored.Length, key.Format, key.Model, staged.Path, limits, view.Begin($"fetching {key.Model}", stored.Length), cancellationToken).ConfigureAwait(false);
        }

        foreach (var warning in unpacked.Warnings)
        {
            services.Error.WriteLine($"modelfs: warning: {key}: {warning}");
        }

        cancellationToken.ThrowIfCancellationRequested();
        var replaced = Directory.Exists(target);
        await Task.Run(() => staged.Commit(force), CancellationToken.None).ConfigureAwait(false);
        return new TransferResult(
            key.Model.ToString(),
            store.DisplayName,
            stored.Key,
            stored.Revision.Value,
            stored.Length,
            unpacked.ContentBytes,
            unpacked.Entries.Count(entry => entry.Type == TreeEntryType.File),
            target,
            replaced);
    }
}
