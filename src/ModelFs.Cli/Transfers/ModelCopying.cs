using ModelFs.Archives;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>Copies one archive between stores: byte for byte where its new place can have it so, packed anew otherwise.</summary>
internal sealed class ModelCopying(IModelStore from, TransferTarget target, TransferView view)
{
    /// <summary>Does it; what is copied was checked to its last byte before.</summary>
    /// <param name="source">The model.</param>
    /// <param name="existing">What is replaced, or null.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveException">The archive is damaged; nothing was copied.</exception>
    public async Task<TransferResult> RunAsync(StoredModel source, StoredModel? existing, CancellationToken cancellationToken)
    {
        var (sourceKey, stored) = source;
        var archive = SpoolFile.Create();
        await using (archive.ConfigureAwait(false))
        {
            await archive.FillAsync(from, stored, view.Begin($"fetching {sourceKey.Model}", stored.Length), cancellationToken).ConfigureAwait(false);
            var inspected = await InspectAsync(archive, sourceKey, cancellationToken).ConfigureAwait(false);
            var key = new ModelKey(target.Model, FormatFor(sourceKey.Format, existing));
            if (FitsAsItIs(sourceKey, key, inspected.Layout))
            {
                return await SendAsync(archive, key, existing, inspected, cancellationToken).ConfigureAwait(false);
            }

            var packed = SpoolFile.Create();
            await using (packed.ConfigureAwait(false))
            {
                var layout = inspected.Layout == ArchiveLayout.Named ? ArchiveLayouts.DefaultOf(target.Model) : inspected.Layout;
                await RepackAsync(archive, sourceKey, packed, new PackOptions(key.Format, layout, target.Model), cancellationToken).ConfigureAwait(false);
                return await SendAsync(packed, key, existing, inspected, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The ending at the new place: the same, unless another archive of the model would be shown instead.</summary>
    private static ArchiveFormat FormatFor(ArchiveFormat source, StoredModel? existing) => existing?.Key.Format switch
    {
        null => source,
        var other when other == source || other.Value.CanWrite() => other.Value,
        var other when source < other => source,
        _ => ArchiveFormat.TarGz,
    };

    /// <summary>Whether readers of the new key find in these bytes what readers of the old one find.</summary>
    private static bool FitsAsItIs(ModelKey source, ModelKey target, ArchiveLayout layout)
    {
        var isSameContainer = source.Format == target.Format || (IsGzip(source.Format) && IsGzip(target.Format));
        var isSameTopFolder = source.Model.Name == target.Model.Name && source.Model.Project is null == target.Model.Project is null;
        return isSameContainer && (layout != ArchiveLayout.Named || isSameTopFolder);
    }

    private static bool IsGzip(ArchiveFormat format) => format is ArchiveFormat.TarGz or ArchiveFormat.Tgz;

    private async Task<InspectedArchive> InspectAsync(SpoolFile archive, ModelKey key, CancellationToken cancellationToken)
    {
        var bytes = archive.OpenRead(0, archive.Length);
        await using (bytes.ConfigureAwait(false))
        {
            return await ArchiveInspector.InspectAsync(
                bytes, archive.Length, key.Format, key.Model, view.Begin($"checking {key.Model}", archive.Length), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RepackAsync(SpoolFile archive, ModelKey key, SpoolFile output, PackOptions options, CancellationToken cancellationToken)
    {
        using var folder = StagedFolder.Create(Path.Combine(Path.GetTempPath(), "modelfs"));
        var bytes = archive.OpenRead(0, archive.Length);
        await using (bytes.ConfigureAwait(false))
        {
            var limits = new UnpackLimits(BytesMax: new DriveInfo(folder.Path).AvailableFreeSpace);
            var unpacked = await ModelUnpacker.UnpackAsync(
                bytes, archive.Length, key.Format, key.Model, folder.Path, limits, view.Begin($"unpacking {key.Model}", archive.Length), cancellationToken).ConfigureAwait(false);
            await ModelPacker.PackAsync(folder.Path, unpacked.Entries, options, output.Input, cancellationToken).ConfigureAwait(false);
            await output.Input.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TransferResult> SendAsync(SpoolFile archive, ModelKey key, StoredModel? existing, InspectedArchive inspected, CancellationToken cancellationToken)
    {
        archive.ReportTo(view.Begin($"sending {key.Model}", archive.Length));
        var stored = await target.PublishAsync(key, existing, archive, cancellationToken).ConfigureAwait(false);
        return new TransferResult(
            key.Model.ToString(), target.To.Store.DisplayName, stored.Key, stored.Revision.Value, stored.Length, inspected.ContentBytes, inspected.Files, null, existing is not null);
    }
}
