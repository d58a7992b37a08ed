using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using ModelFs.Models;
using Polly;
using Polly.Retry;

namespace ModelFs.Stores;

/// <summary>Tries again what failed for lack of the store (<see cref="StoreErrorKind.Unavailable"/>), and nothing else.</summary>
/// <remarks>
/// Reads resume at the byte where they broke, still pinned to their revision. A publish whose answer was lost may have happened:
/// when its repetition is refused, the stored bytes are compared, and equal ones count as success.
/// </remarks>
public sealed partial class RetryingStore : IModelStore
{
    private readonly IModelStore _inner;
    private readonly RetryOptions _options;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline _pipeline;
    private RetryingHistory? _history;

    /// <summary>Wraps a store.</summary>
    /// <param name="inner">Disposed of with the wrapper.</param>
    /// <param name="options">How often and how long.</param>
    /// <param name="logger">Told of each retry.</param>
    public RetryingStore(IModelStore inner, RetryOptions options, ILogger<RetryingStore> logger)
    {
        _inner = inner;
        _options = options;
        _logger = logger;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is StoreException { Kind: StoreErrorKind.Unavailable } && MayStillTry(arguments.Context)),
                MaxRetryAttempts = options.RetriesMax,
                Delay = options.FirstPause,
                MaxDelay = options.PauseMax,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                OnRetry = arguments =>
                {
                    LogRetry(_logger, arguments.AttemptNumber + 1, arguments.RetryDelay.TotalMilliseconds, arguments.Outcome.Exception!.Message);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    private static ResiliencePropertyKey<long> StartedAt { get; } = new("ModelFs.StartedAt");

    /// <inheritdoc/>
    public string DisplayName => _inner.DisplayName;

    /// <inheritdoc/>
    public StoreTraits Traits => _inner.Traits;

    /// <inheritdoc/>
    public IObjectHistory? History => _history ??= _inner.History is { } past ? new RetryingHistory(past, this, _options) : null;

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken) =>
        TryAsync(
            async token =>
            {
                await _inner.OpenAsync(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task ProveConditionsAsync(CancellationToken cancellationToken) =>
        TryAsync(
            async token =>
            {
                await _inner.ProveConditionsAsync(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A listing that breaks starts over and leaves out what was delivered already.</remarks>
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var delivered = new HashSet<string>(StringComparer.Ordinal);
        var inner = _inner.ListAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        try
        {
            var isBroken = false;
            while (await TryAsync(NextAsync, cancellationToken).ConfigureAwait(false))
            {
                if (delivered.Add(inner.Current.Key))
                {
                    yield return inner.Current;
                }
            }

            async ValueTask<bool> NextAsync(CancellationToken token)
            {
                if (isBroken)
                {
                    await inner.DisposeAsync().ConfigureAwait(false);
                    inner = _inner.ListAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
                }

                isBroken = true;
                var found = await inner.MoveNextAsync().ConfigureAwait(false);
                isBroken = false;
                return found;
            }
        }
        finally
        {
            await inner.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) =>
        TryAsync(async token => await _inner.StatAsync(key, token).ConfigureAwait(false), cancellationToken);

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        var first = await OpenReadAsync(source, offset, length, cancellationToken).ConfigureAwait(false);
        return new ResumingStream(first, length, (done, token) => OpenReadAsync(source, offset + done, length - done, token), _options, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken)
    {
        var mayHaveHappened = false;
        return TryAsync(
            async token =>
            {
                try
                {
                    return await _inner.PublishAsync(key, content, condition, token).ConfigureAwait(false);
                }
                catch (StoreException failure) when (failure.Kind == StoreErrorKind.Unavailable)
                {
                    mayHaveHappened = true;
                    throw;
                }
                catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed && mayHaveHappened)
                {
                    var ours = await FindOursAsync(key, content, token).ConfigureAwait(false);
                    if (ours is null)
                    {
                        throw;
                    }

                    return ours;
                }
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken) =>
        TryAsync(
            async token =>
            {
                await _inner.DeleteAsync(key, ifRevision, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    [LoggerMessage(1, LogLevel.Warning, "Retry {Attempt} in {PauseMs:F0} ms: {Reason}")]
    private static partial void LogRetry(ILogger logger, int attempt, double pauseMs, string reason);

    private Task<Stream> OpenReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken) =>
        TryAsync(async token => await _inner.ReadAsync(source, offset, length, cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <summary>Runs a call until it succeeds, fails for good, or patience is at its end.</summary>
    internal async Task<T> TryAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(StartedAt, _options.TimeProvider.GetTimestamp());
        try
        {
            return await _pipeline.ExecuteAsync((inner, run) => run(inner.CancellationToken), context, call).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private bool MayStillTry(ResilienceContext context) =>
        _options.TimeProvider.GetElapsedTime(context.Properties.GetValue(StartedAt, 0)) < _options.Patience;

    /// <summary>The stored object, if it holds exactly the bytes that were to be published.</summary>
    internal async Task<StoredObject?> FindOursAsync(string key, IPublishContent content, CancellationToken cancellationToken)
    {
        var stored = await StatAsync(key, cancellationToken).ConfigureAwait(false);
        if (stored is null || stored.Length != content.Length)
        {
            return null;
        }

        using var ours = content.OpenToCheck(0, content.Length);
        var theirs = await ReadAsync(stored, 0, stored.Length, cancellationToken).ConfigureAwait(false);
        await using (theirs.ConfigureAwait(false))
        {
            return await StreamsEqual.CompareAsync(ours, theirs, cancellationToken).ConfigureAwait(false) ? stored : null;
        }
    }
}
