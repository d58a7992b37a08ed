namespace ModelFs.Cache;

/// <summary>Waits until the store has what is pending: one model's changes, or all of them within a deadline.</summary>
internal sealed class StoreWaits(WritebackQueue queue, CacheOptions options, TimeProvider time)
{
    /// <summary>Publishes a model, or all of them but those that need a person's review, now; returns when the store has the changes.</summary>
    /// <exception cref="ModelException">
    /// A writer is open (<see cref="ModelErrorKind.Busy"/>), the publish failed, or changes lost a conflict before this call and nobody was told yet.
    /// </exception>
    public async Task SyncAsync(CachedModel? model, CancellationToken cancellationToken)
    {
        var models = model is null ? Drainable().Union(queue.WithUntoldConflict()) : [model];
        var attempts = models.Select(each => SyncOneAsync(each, cancellationToken)).ToList();
        await Task.WhenAll(attempts).ConfigureAwait(false);
    }

    /// <summary>Publishes what is pending, retrying until the deadline; what needs a person's review is left.</summary>
    /// <returns>What is still pending.</returns>
    public async Task<IReadOnlyList<CachedModel>> DrainAsync(TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var end = time.CreateTimer(_ => timer.Cancel(), null, deadline, Timeout.InfiniteTimeSpan);
        while (Drainable() is { Count: > 0 } pending)
        {
            try
            {
                await Task.WhenAll(pending.Select(model => queue.PublishNowAsync(model, timer.Token))).ConfigureAwait(false);
                if (Drainable().Count > 0)
                {
                    await Task.Delay(options.BackoffMin, time, timer.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return queue.Pending();
    }

    private IReadOnlyList<CachedModel> Drainable() => options.ReadOnly ? [] : [.. queue.Pending().Where(model => model.Copy is not { NeedsReview: true })];

    private async Task SyncOneAsync(CachedModel model, CancellationToken cancellationToken)
    {
        var outcome = await queue.PublishNowAsync(model, cancellationToken).ConfigureAwait(false);
        var lost = queue.TakeUntoldConflict(model);
        if (outcome is { Error: { } error })
        {
            lock (model.Gate)
            {
                model.LastError = error;
            }

            throw error;
        }

        if (lost is not null)
        {
            throw lost;
        }
    }
}
