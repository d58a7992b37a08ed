using ModelFs.Cache.Hydration;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Brings models here whole before anybody uses them: those that a person asks for, and those that are pinned.</summary>
internal sealed class ModelWarming(ModelCatalog catalog, CachePins pins, ModelFetches fetches, CopyReads reads, CancellationToken stopping)
{
    /// <summary>Brings all of a model here.</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    public async Task WarmAsync(CachedModel model, CancellationToken cancellationToken)
    {
        var copy = await fetches.AcquireAsync(model, cancellationToken).ConfigureAwait(false);
        if (copy.Hydration is { } hydration)
        {
            await reads.WaitForAllAsync(copy, hydration, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Begins to fetch pinned models that are not here.</summary>
    public void FetchPinned()
    {
        foreach (var pinned in pins.All())
        {
            if (ModelName.TryParsePath(pinned, out var name) && catalog.Find(name) is { Copy: null, Stored: not null } model)
            {
                _ = FetchQuietlyAsync(model);
            }
        }
    }

    private async Task FetchQuietlyAsync(CachedModel model)
    {
        try
        {
            await WarmAsync(model, stopping).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ModelException or OperationCanceledException)
        {
            // It is shown as failed, and tried again with the next listing that changes, or by who uses it.
        }
    }
}
