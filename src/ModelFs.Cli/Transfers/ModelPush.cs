using ModelFs.Archives;
using ModelFs.Models;

namespace ModelFs.Cli.Transfers;

/// <summary>Packs a folder and publishes it.</summary>
internal sealed class ModelPush(TransferTarget target, TransferView view)
{
    /// <summary>Does it; the store has the whole archive in the end, or what it had before.</summary>
    /// <param name="folder">The model's folder, absolute.</param>
    /// <param name="existing">What is replaced, or null.</param>
    /// <param name="layout">The layout that was asked for, or null.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CommandException">The folder holds no file, or somebody else changed the model.</exception>
    public async Task<TransferResult> RunAsync(string folder, StoredModel? existing, ArchiveLayout? layout, CancellationToken cancellationToken)
    {
        var reading = view.Begin($"reading {folder}", 0);
        var entries = await ModelTree.ScanAsync(folder, null, cancellationToken).ConfigureAwait(false);
        reading.Report(1);
        var files = entries.Count(entry => entry.Type == TreeEntryType.File);
        if (files == 0)
        {
            throw CommandException.Failure($"{folder} holds no file; a model has at least one");
        }

        var key = new ModelKey(target.Model, existing?.Key.Format is { } format && format.CanWrite() ? format : ArchiveFormat.TarGz);
        layout ??= existing is null
            ? ArchiveLayouts.DefaultOf(target.Model)
            : await ArchiveLayouts.ReadAsync(target.To.Store, existing, view.Begin($"reading {existing.Key}", existing.Stored.Length), cancellationToken).ConfigureAwait(false);
        var spool = SpoolFile.Create();
        await using (spool.ConfigureAwait(false))
        {
            var packing = view.Begin($"packing {target.Model}", 0);
            var packed = await ModelPacker.PackAsync(folder, entries, new PackOptions(key.Format, layout.Value, target.Model), spool.Input, cancellationToken).ConfigureAwait(false);
            await spool.Input.FlushAsync(cancellationToken).ConfigureAwait(false);
            packing.Report(1);
            spool.ReportTo(view.Begin($"sending {target.Model}", spool.Length));
            var stored = await target.PublishAsync(key, existing, spool, cancellationToken).ConfigureAwait(false);
            return new TransferResult(
                target.Model.ToString(), target.To.Store.DisplayName, stored.Key, stored.Revision.Value, stored.Length, packed.ContentBytes, files, folder, existing is not null);
        }
    }
}
