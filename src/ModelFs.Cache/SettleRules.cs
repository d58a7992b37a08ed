using Microsoft.Extensions.Logging;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>When a change is published: how long a model must have been quiet, and what holds it back.</summary>
/// <param name="options">The times.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of models that do not settle.</param>
/// <param name="isHeldBackBy">Whether a new model's key is still taken by an object that is to be renamed first.</param>
internal sealed partial class SettleRules(CacheOptions options, TimeProvider time, ILogger logger, Func<string, bool> isHeldBackBy)
{
    /// <summary>When the model's change is to be published; null while a writer is open or an attempt runs.</summary>
    public DateTimeOffset? DueAt(CachedModel model, out ModelCopy? copy)
    {
        string? newKey;
        lock (model.Gate)
        {
            newKey = model.Copy is { IsDirty: true, IsNew: true } fresh ? fresh.Manifest.Key : null;
        }

        // The old object of that key is still to be renamed: published now, this would only lose against it. Asked with no gate held: the
        // answer takes the catalog's lock, which stands before a gate.
        var isHeldBack = newKey is not null && isHeldBackBy(newKey);
        lock (model.Gate)
        {
            copy = model.Copy is { IsDirty: true } dirty ? dirty : null;
            if (copy is null || model.IsPublishing || model.IsNameChanging || (isHeldBack && copy.IsNew))
            {
                return null;
            }

            if (model.IsForced)
            {
                return DateTimeOffset.MinValue;
            }

            if (copy.OpenWriters > 0 || copy.NeedsReview || copy.EmptyAtVersion == copy.ChangeVersion)
            {
                return null;
            }

            var rest = copy.IsNew && !File.Exists(copy.Content + "/metadata.json") ? options.SettleNew
                : copy.OnlyRemovals && !copy.IsNew ? options.SettleRemoval
                : options.Settle;
            var settled = copy.LastChange + rest;
            return settled > model.NextTryAt ? settled : model.NextTryAt;
        }
    }

    /// <summary>Tells once that programs keep a changed model open, or change it again and again, so that it is not published.</summary>
    /// <returns>How long until that is to be told; null when it was, or needs not.</returns>
    public TimeSpan? TellIfUnsettled(CachedModel model, ModelCopy copy)
    {
        string? writer;
        lock (model.Gate)
        {
            if (copy is not { DirtySince: { } since, IsUnsettledTold: false, NeedsReview: false, IsEmptied: false } || model.State == ModelState.Failed)
            {
                return null;
            }

            var left = since + options.UnsettledMax - time.GetUtcNow();
            if (left > TimeSpan.Zero)
            {
                return left;
            }

            copy.IsUnsettledTold = true;
            writer = copy.AnyWriter;
        }

        LogUnsettled(logger, model.Name.ToString(), options.UnsettledMax.TotalSeconds, writer is null ? "it is changed again and again" : $"{writer} is open for writing");
        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Model} has had changes for {Seconds:F0} s that are not published: {Reason}")]
    private static partial void LogUnsettled(ILogger logger, string model, double seconds, string reason);
}
