using Microsoft.Extensions.Logging;
using ModelFs.Stores;

namespace ModelFs.Cache.Hydration;

/// <summary>Checks models in the cache, and repairs them by fetching anew what is damaged.</summary>
/// <param name="store">The store; null when there is none to compare with and to fetch from: then a repair drops what is damaged.</param>
/// <param name="contents">Drops files of indexed copies.</param>
/// <param name="hydrator">Fetches them again.</param>
/// <param name="replace">Gives up a copy that is damaged and can't be repaired in part; false when it is in use. The next access fetches it anew.</param>
/// <param name="logger">For what is found.</param>
internal sealed partial class CacheVerification(
    IModelStore? store, ContentEviction contents, Hydrator hydrator, Func<ModelCopy, Task<bool>> replace, ILogger logger)
{
    private const int TriesMax = 3;

    /// <summary>Checks one model.</summary>
    /// <exception cref="ModelException">The cache's disk failed, or the model changes all the time.</exception>
    public async Task<VerifyReport> RunAsync(CachedModel model, bool repair, CancellationToken cancellationToken)
    {
        var verifier = new CopyVerifier(store);
        for (var attempt = 0; attempt < TriesMax; attempt++)
        {
            if (model.Copy is not { } copy)
            {
                return new VerifyReport(model.Name.ToString(), 0, 0, [], IsIndexDamaged: false, "nothing of it is here");
            }

            if (await verifier.RunAsync(copy, cancellationToken).ConfigureAwait(false) is not { } report)
            {
                continue;
            }

            foreach (var path in report.Damaged)
            {
                LogDamaged(logger, report.Model, path);
            }

            if (report.IsIndexDamaged)
            {
                LogIndexDamaged(logger, report.Model);
            }

            return repair && report.IsDamaged ? await RepairAsync(copy, report, cancellationToken).ConfigureAwait(false) : report;
        }

        throw new ModelException(ModelErrorKind.Busy, $"{model.Name} changes while it is checked; try again when it is quiet");
    }

    private async Task<VerifyReport> RepairAsync(ModelCopy copy, VerifyReport report, CancellationToken cancellationToken)
    {
        if (copy.IsDirty)
        {
            return report with { NotRepaired = [.. report.Damaged.Select(path => $"{path}: the model has changes that the store does not have; copy it from a backup, or remove it")] };
        }

        if (!copy.IsIndexed || report.IsIndexDamaged || report.Damaged.Any(path => !HasContent(copy, path)))
        {
            return report with { NotRepaired = await replace(copy).ConfigureAwait(false) ? [] : ["the model is in use; close its files and try again"] };
        }

        var notRepaired = new List<string>();
        contents.Drop(copy, report.Damaged.ToHashSet(StringComparer.Ordinal));
        foreach (var path in report.Damaged)
        {
            try
            {
                if (copy.Hydration is not { } hydration || hydration.Index.Find(path) is not (>= 0 and var entry) || hydration.IsFileHere(entry))
                {
                    notRepaired.Add($"{path} is in use; close it and try again");
                }
                else if (store is not null)
                {
                    await hydrator.WaitForAsync(copy, hydration, entry, 0, hydration.Index.Entries[entry].Entry.Size, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (ModelException error)
            {
                notRepaired.Add($"{path} was dropped and could not be fetched again: {error.Message}");
            }
        }

        return report with { NotRepaired = notRepaired };
    }

    /// <summary>Links and empty files are never fetched, so only a new copy brings them back.</summary>
    private static bool HasContent(ModelCopy copy, string path) =>
        (copy.Hydration?.Index ?? IndexFile.Read(copy.Folder, copy.Manifest, copy.Model.Name)) is { } index
        && index.Find(path) is >= 0 and var entry
        && SliceTable.HasContent(index.Entries[entry].Entry);

    [LoggerMessage(Level = LogLevel.Error, Message = "verify: {Model}/{Path} in the cache is not what it should be")]
    private static partial void LogDamaged(ILogger logger, string model, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "verify: the index of {Model} in the cache is not that of its archive")]
    private static partial void LogIndexDamaged(ILogger logger, string model);
}
