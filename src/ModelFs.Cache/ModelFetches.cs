using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>The fetches under way: one per model however many wait for it, and a pause after each failure.</summary>
internal sealed partial class ModelFetches(
    ModelFetcher fetcher, CopyShelf shelf, string storeName, CacheOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The model's current copy, fetched first if it is not here; all who ask at once share one fetch.</summary>
    /// <exception cref="ModelException">It can't be had; within the pause after a failure the same error is given at once.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; the fetch goes on for others.</exception>
    public ValueTask<ModelCopy> AcquireAsync(CachedModel model, CancellationToken cancellationToken)
    {
        Task<ModelCopy> fetch;
        lock (model.Gate)
        {
            if (model.Copy is { } copy)
            {
                copy.LastUsed = time.GetUtcNow();
                return ValueTask.FromResult(copy);
            }

            if (model.Stored is not { } stored)
            {
                throw new ModelException(ModelErrorKind.NotFound, $"there is no model {model.Name} in {storeName}");
            }

            if (model.Fetch is null)
            {
                if (model.State == ModelState.Failed && time.GetUtcNow() < model.NextTryAt && model.LastError is { } recent)
                {
                    throw recent;
                }

                model.MoveTo(ModelState.Fetching);
                model.Fetch = Task.Run(() => FetchAsync(model, stored));
            }

            fetch = model.Fetch;
        }

        return new ValueTask<ModelCopy>(fetch.WaitAsync(cancellationToken));
    }

    /// <summary>Ends all fetches.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task<ModelCopy> FetchAsync(CachedModel model, StoredObject stored)
    {
        try
        {
            var fetched = await fetcher.FetchAsync(model, stored, _stopping.Token).ConfigureAwait(false);
            var copy = new ModelCopy(model, fetched.Id, fetched.Path, fetched.Manifest)
            {
                LastUsed = time.GetUtcNow(),
                Map = fetched.Map,
                Hydration = fetched.Hydration,
            };
            lock (model.Gate)
            {
                model.Copy = copy;
                model.Fetch = null;
                model.Tries = 0;
                model.LastError = null;
                model.MoveTo(ModelState.Ready);
            }

            shelf.Add(copy);
            shelf.MakeRoom(0);
            shelf.BoundListings(keep: copy);
            return copy;
        }
        catch (Exception error)
        {
            var reason = ModelErrors.From(error, $"cannot fetch {stored.Key}");
            lock (model.Gate)
            {
                model.Fetch = null;
                model.Tries++;
                model.LastError = reason;
                model.NextTryAt = time.GetUtcNow() + Backoff.After(model.Tries, options.BackoffMin, options.BackoffMax);
                model.MoveTo(ModelState.Failed);
            }

            LogFetchFailed(logger, reason.Message);
            throw reason;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    private static partial void LogFetchFailed(ILogger logger, string reason);
}
