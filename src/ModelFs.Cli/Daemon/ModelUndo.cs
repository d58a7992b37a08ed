using System.Text;
using Microsoft.Extensions.Logging;
using ModelFs.Cache;
using ModelFs.Cli.Undo;
using ModelFs.FileSystem;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Daemon;

/// <summary>Answers <c>modelfs history</c> and <c>restore</c> in a mount, with the mount's own credentials.</summary>
/// <param name="store">Of the mount.</param>
/// <param name="cache">Of the mount.</param>
/// <param name="logger">Told of each restore.</param>
internal sealed partial class ModelUndo(IModelStore store, ModelCache cache, ILogger logger) : IModelHistory
{
    /// <inheritdoc/>
    public async Task<byte[]> DescribeAsync(ModelName model, CancellationToken cancellationToken)
    {
        ModelHistory history;
        try
        {
            history = (await ModelPast.ReadAsync(store, model, cancellationToken).ConfigureAwait(false)).Describe() with { LocalChanges = HasLocalChanges(model) };
        }
        catch (StoreException failure)
        {
            history = new ModelHistory(ModelHistory.CurrentVersion, store.DisplayName, model.ToString()) { Problem = failure.Message };
        }

        return Encoding.UTF8.GetBytes(history.ToJson() + "\n");
    }

    /// <inheritdoc/>
    public async Task RestoreAsync(ModelName model, string revision, CancellationToken cancellationToken)
    {
        RefuseOverChanges(model);
        try
        {
            var past = await ModelPast.ReadAsync(store, model, cancellationToken).ConfigureAwait(false);

            // Nobody's change that begins from here on is lost: its publish finds another revision than the one that it descends from.
            RefuseOverChanges(model);
            if (await past.RestoreAsync(revision, cancellationToken).ConfigureAwait(false) is { } restored)
            {
                LogRestored(logger, model.ToString(), revision, restored.Key, restored.Revision.Value);
                cache.NoteRestored(model, restored);
            }
        }
        catch (StoreException failure)
        {
            throw new ModelException(KindOf(failure.Kind), failure.Message, failure);
        }
    }

    private static ModelErrorKind KindOf(StoreErrorKind kind) => kind switch
    {
        StoreErrorKind.NotFound or StoreErrorKind.RevisionChanged => ModelErrorKind.NotFound,
        StoreErrorKind.AccessDenied or StoreErrorKind.ListingDenied => ModelErrorKind.AccessDenied,
        StoreErrorKind.PreconditionFailed => ModelErrorKind.Conflict,
        StoreErrorKind.QuotaExceeded => ModelErrorKind.NoSpace,
        StoreErrorKind.Rejected => ModelErrorKind.NotPermitted,
        StoreErrorKind.Unavailable or StoreErrorKind.Misconfigured => ModelErrorKind.Unavailable,
    };

    private bool HasLocalChanges(ModelName model) => cache.Catalog.Find(model) is { HasLocalChanges: true };

    private void RefuseOverChanges(ModelName model)
    {
        if (HasLocalChanges(model))
        {
            throw new ModelException(
                ModelErrorKind.Busy, $"{model} has changes in this mount that the store does not have yet; publish them first (modelfs sync {model}), then they are a version to come back to");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "restored {Model} to its revision {Revision}: {Key} is at {Now}")]
    private static partial void LogRestored(ILogger logger, string model, string revision, string key, string now);
}
