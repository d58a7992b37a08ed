using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>The fetches under way: one per model however many wait for it, and a pause after each failure.</summary>
internal sealed partial class ModelFetches(
    ModelFetcher fetcher, CopyShelf shelf, string storeName, CacheOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly RunningTasks _running = new();

    /// <summary>The model's current copy, fetched first if it is not here; all who ask at once share one fetch.</summary>
    /// <exception cref="ModelException">It can't be had; within the pause after a failure the same error is given at once.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; the fetch goes on for others.</exception>
    public ValueTask<ModelCopy> AcquireAsync(CachedModel model, CancellationToken cancellationToken) =>
        TryTake(model, out var copy, out var fetch) ? new(copy) : new(fetch.Made.WaitAsync(cancellationToken));

    /// <summary>As <see cref="AcquireAsync"/>, but the copy may be one whose files are still being made (<see cref="ModelCopy.Making"/>).</summary>
    public ValueTask<ModelCopy> AcquireForListingAsync(CachedModel model, CancellationToken cancellationToken) =>
        TryTake(model, out var copy, out var fetch) ? new(copy) : new(fetch.WhenListableAsync(cancellationToken));

    /// <summary>Ends all fetches; when it returns nothing is written any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.WhenAllAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>Takes the model's copy, or joins or begins its fetch.</summary>
    /// <returns>Whether there is a copy.</returns>
    private bool TryTake(CachedModel model, [NotNullWhen(true)] out ModelCopy? copy, [NotNullWhen(false)] out ModelFetch? fetch)
    {
        lock (model.Gate)
        {
            fetch = model.Fetch;
            copy = model.Copy;
            if (copy is not null)
            {
                copy.LastUsed = time.GetUtcNow();
                return true;
            }

            if (model.Stored is not { } stored)
            {
                throw new ModelException(ModelErrorKind.NotFound, $"there is no model {model.Name} in {storeName}");
            }

            if (fetch is null)
            {
                if (model.State == ModelState.Failed && time.GetUtcNow() < model.NextTryAt && model.LastError is { } recent)
                {
                    throw recent;
                }

                model.MoveTo(ModelState.Fetching);
                model.Fetch = fetch = new ModelFetch(self => Task.Run(() => FetchAsync(model, stored, self)));
                _running.Add(fetch.Made.ContinueWith(_ => { }, TaskScheduler.Default));
            }

            return false;
        }
    }

    private async Task<ModelCopy> FetchAsync(CachedModel model, StoredObject stored, ModelFetch fetch)
    {
        ModelCopy? copy = null;
        try
        {
            var fetched = await fetcher.FetchAsync(model, stored, _stopping.Token).ConfigureAwait(false);
            copy = new ModelCopy(model, fetched.Id, fetched.Path, fetched.Manifest, fetched.Making)
            {
                LastUsed = time.GetUtcNow(),
                Map = fetched.Map,
                Hydration = fetched.Hydration,
            };
            if (fetched.Making is { } making)
            {
                fetch.NoteListable(copy);
                await making.Completion.ConfigureAwait(false);
            }

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
            if (copy is { Making: not null } && !_stopping.IsCancellationRequested)
            {
                GiveUp(copy);
            }

            throw reason;
        }
    }

    /// <summary>Removes a copy not all of whose names could be made, although who has begun to list it holds some. One that this daemon's end cut short is for the next.</summary>
    private void GiveUp(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.IsRetired = true;
        }

        shelf.DropUnusable(copy);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    private static partial void LogFetchFailed(ILogger logger, string reason);
}

/// <summary>One fetch, shared by all who wait for its model.</summary>
internal sealed class ModelFetch
{
    private readonly TaskCompletionSource<ModelCopy> _listable = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes and starts it.</summary>
    public ModelFetch(Func<ModelFetch, Task<ModelCopy>> start) => Made = start(this);

    /// <summary>Ends with a copy all of whose tree stands.</summary>
    public Task<ModelCopy> Made { get; }

    /// <summary>The copy's names are known and its files are being made.</summary>
    public void NoteListable(ModelCopy copy) => _listable.TrySetResult(copy);

    /// <summary>Waits for a copy that can be listed.</summary>
    public async Task<ModelCopy> WhenListableAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(Made, _listable.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
        return _listable.Task.IsCompleted ? await _listable.Task.ConfigureAwait(false) : await Made.ConfigureAwait(false);
    }
}
