using ModelFs.Archives;
using ModelFs.Archives.Indexed;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>Layouts of archives: how options write them, which belongs to a name, and which an archive in a store has.</summary>
internal static class ArchiveLayouts
{
    /// <summary>The words that an option takes, with what they are.</summary>
    public static (string Word, ArchiveLayout Value)[] Words { get; } =
    [
        ("named", ArchiveLayout.Named), ("dot", ArchiveLayout.Dot), ("bare", ArchiveLayout.Bare), ("empty-root", ArchiveLayout.EmptyRoot),
    ];

    /// <summary>The layout of a new model, which follows from its key: what Rasa NLU 0.4 to 0.9 reads, and in a project what 0.10 to 0.15 reads.</summary>
    public static ArchiveLayout DefaultOf(ModelName model) => model.Project is null ? ArchiveLayout.Named : ArchiveLayout.Dot;

    /// <summary>Reads the layout of a model's archive: from its index, or, of an archive that has none, from all of it.</summary>
    /// <exception cref="StoreException">The store failed.</exception>
    /// <exception cref="ArchiveException">The archive is damaged.</exception>
    public static async Task<ArchiveLayout> ReadAsync(IModelStore store, StoredModel model, IProgress<long> progress, CancellationToken cancellationToken)
    {
        var tail = new byte[Math.Min(model.Stored.Length, ArchiveIndexReader.TailBytes)];
        var end = await store.ReadAsync(model.Stored, model.Stored.Length - tail.Length, tail.Length, cancellationToken).ConfigureAwait(false);
        await using (end.ConfigureAwait(false))
        {
            await end.ReadExactlyAsync(tail, cancellationToken).ConfigureAwait(false);
        }

        if (ArchiveIndexReader.TryRead(tail, model.Stored.Length, model.Key.Model, UnpackLimits.Default, out _, out var index))
        {
            return index.Layout;
        }

        var archive = new ParallelRangeReader(store, model.Stored, new ParallelReadOptions(), null, cancellationToken);
        await using (archive.ConfigureAwait(false))
        {
            var inspected = await ArchiveInspector.InspectAsync(archive, model.Stored.Length, model.Key.Format, model.Key.Model, progress, cancellationToken).ConfigureAwait(false);
            return inspected.Layout;
        }
    }
}
