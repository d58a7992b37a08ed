using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Publishes dirty models once they have settled, each by itself: a model that fails never holds another up.</summary>
/// <remarks>Lock order: this queue's lock, then a model's gate. Neither is held while an attempt runs.</remarks>
internal sealed partial class WritebackQueue : IAsyncDisposable
{
    private static readonly TimeSpan s_permanentPauseMin = TimeSpan.FromSeconds(30);

    private readonly CacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<CachedModel, ModelCopy, CancellationToken, Task<PublishOutcome>> _publish;
    private readonly Action<CachedModel, ModelCopy> _setAside;
    private readonly SettleRules _rules;
    private readonly Lock _gate = new();
    private readonly Dictionary<CachedModel, Task> _running = [];
    private readonly HashSet<CachedModel> _dirty = [];
    private readonly Dictionary<CachedModel, ModelException> _untold = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _slots;
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public WritebackQueue(
        CacheOptions options,
        TimeProvider time,
        ILogger logger,
        Func<CachedModel, ModelCopy, CancellationToken, Task<PublishOutcome>> publish,
        Action<CachedModel, ModelCopy> setAside,
        Func<string, bool> isHeldBack)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _publish = publish;
        _setAside = setAside;
        _rules = new SettleRules(options, time, logger, isHeldBack);
        _slots = new SemaphoreSlim(options.PublishesMax);
    }

    /// <summary>The store was heard to have another revision of a model while an attempt was running. Raised outside of every lock.</summary>
    public event Action<CachedModel>? StoreChanged;

    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>A model became dirty, or settled, or is to be published at once.</summary>
    public void Touch(CachedModel model)
    {
        lock (_gate)
        {
            _dirty.Add(model);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>What held models back is over.</summary>
    public void TouchAll() => _wake.Writer.TryWrite(true);

    /// <summary>Models with changes that the store does not have.</summary>
    public IReadOnlyList<CachedModel> Pending()
    {
        lock (_gate)
        {
            return [.. _dirty.Where(HasUnpublished)];
        }
    }

    /// <summary>Models that lost a conflict of which nobody was told who waited for the publish.</summary>
    public IReadOnlyList<CachedModel> WithUntoldConflict()
    {
        lock (_gate)
        {
            return [.. _untold.Keys];
        }
    }

    /// <summary>Somebody is told of the conflict that the model lost since the last one was told.</summary>
    /// <returns>What happened; null when there is nothing to tell.</returns>
    public ModelException? TakeUntoldConflict(CachedModel model)
    {
        lock (_gate)
        {
            return _untold.Remove(model, out var conflict) ? conflict : null;
        }
    }

    /// <summary>Publishes now, whatever the settling times say.</summary>
    /// <returns>The outcome of an attempt that began after the call; null when there is nothing to publish.</returns>
    /// <param name="model">The model.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="atClose">Whether a close waits for it.</param>
    public async Task<PublishOutcome?> PublishNowAsync(CachedModel model, CancellationToken cancellationToken, bool atClose = false)
    {
        TaskCompletionSource<PublishOutcome> next;
        lock (model.Gate)
        {
            if (model.Copy is not { IsDirty: true } && !model.IsPublishing)
            {
                return null;
            }

            next = model.NextOutcome ??= new TaskCompletionSource<PublishOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            model.IsForced = true;
            model.IsForcedByClose |= atClose;
        }

        Touch(model);
        return await next.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _wake.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        Task[] running;
        lock (_gate)
        {
            running = [.. _running.Values];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        _stopping.Dispose();
        _slots.Dispose();
    }

    private static bool HasUnpublished(CachedModel model)
    {
        lock (model.Gate)
        {
            return model.IsPublishing || model.Move is not null || model.Copy is { IsDirty: true } copy && copy.EmptyAtVersion != copy.ChangeVersion;
        }
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            var wait = StartDue();
            try
            {
                if (wait is { } pause)
                {
                    await WaitForWakeOrAsync(pause).ConfigureAwait(false);
                }
                else if (!await _wake.Reader.WaitToReadAsync(_stopping.Token).ConfigureAwait(false))
                {
                    return;
                }

                _wake.Reader.TryRead(out _);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task WaitForWakeOrAsync(TimeSpan pause)
    {
        using var timer = new CancellationTokenSource(pause, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, _stopping.Token);
        try
        {
            await _wake.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            // The pause is over.
        }
    }

    /// <summary>Starts what is due.</summary>
    /// <returns>How long until the next model is due; null when none is known to become due by itself.</returns>
    private TimeSpan? StartDue()
    {
        CachedModel[] candidates;
        lock (_gate)
        {
            candidates = [.. _dirty];
        }

        TimeSpan? next = null;
        foreach (var model in candidates)
        {
            var due = _rules.DueAt(model, out var copy);
            if (copy is not null && _rules.TellIfUnsettled(model, copy) is { } untilTold && (next is null || untilTold < next))
            {
                next = untilTold;
            }

            if (copy is null)
            {
                Forget(model);
            }
            else if (due is { } at)
            {
                var left = at - _time.GetUtcNow();
                if (left <= TimeSpan.Zero)
                {
                    StartOne(model, copy);
                }
                else if (next is null || left < next)
                {
                    next = left;
                }
            }
        }

        return next;
    }

    private void Forget(CachedModel model)
    {
        TaskCompletionSource<PublishOutcome>? waiting = null;
        lock (_gate)
        {
            lock (model.Gate)
            {
                if (!model.IsPublishing && model.Move is null && model.Copy is not { IsDirty: true })
                {
                    _dirty.Remove(model);
                    model.IsForced = false;
                    model.IsForcedByClose = false;
                    (waiting, model.NextOutcome) = (model.NextOutcome, null);
                }
            }
        }

        waiting?.TrySetResult(new PublishOutcome(PublishResult.Unchanged));
    }

    private void StartOne(CachedModel model, ModelCopy copy)
    {
        TaskCompletionSource<PublishOutcome>? waiting;
        lock (_gate)
        {
            lock (model.Gate)
            {
                if (model.IsPublishing || model.IsNameChanging)
                {
                    return;
                }

                model.BeginPublishing();
                model.IsForced = false;
                model.IsPublishedAtClose = model.IsForcedByClose;
                model.IsForcedByClose = false;
                (waiting, model.NextOutcome) = (model.NextOutcome, null);
                model.MoveTo(ModelState.Publishing);
            }

            _running[model] = Task.Run(() => RunOneAsync(model, copy, waiting));
        }
    }

    private async Task RunOneAsync(CachedModel model, ModelCopy copy, TaskCompletionSource<PublishOutcome>? waiting)
    {
        PublishOutcome outcome;
        try
        {
            await _slots.WaitAsync(_stopping.Token).ConfigureAwait(false);
            try
            {
                outcome = await _publish(model, copy, _stopping.Token).ConfigureAwait(false);
            }
            finally
            {
                _slots.Release();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            outcome = new PublishOutcome(PublishResult.NotQuiet, new ModelException(ModelErrorKind.Busy, $"{model.Name}: the daemon is stopping; the next mount publishes it"));
        }
        catch (Exception error)
        {
            // Whatever it is: a model is never left in the middle of an attempt, and the attempt is repeated and shown.
            outcome = new PublishOutcome(PublishResult.Failed, ModelErrors.From(error, $"cannot publish {model.Name}"));
        }

        Settle(model, copy, outcome, isAwaited: waiting is not null);
        lock (_gate)
        {
            _running.Remove(model);
        }

        waiting?.TrySetResult(outcome);
        _wake.Writer.TryWrite(true);
    }

    private void Settle(CachedModel model, ModelCopy copy, PublishOutcome outcome, bool isAwaited)
    {
        if (outcome.Result == PublishResult.Conflict)
        {
            if (!isAwaited)
            {
                // Before the model counts as unchanged: who asks for the store's word then must not hear that all is well.
                lock (_gate)
                {
                    _untold[model] = outcome.Error!;
                }
            }

            outcome = KeepLoser(model, copy, outcome);
        }

        bool isNews;
        lock (model.Gate)
        {
            isNews = model.EndPublishing();
            switch (outcome.Result)
            {
                case PublishResult.Published or PublishResult.Unchanged:
                    model.Tries = 0;
                    model.LastError = null;
                    model.NextTryAt = default;
                    model.MoveTo(copy.IsDirty ? ModelState.Dirty : ModelState.Ready);
                    break;
                case PublishResult.NothingToPublish:
                    copy.EmptyAtVersion = copy.ChangeVersion;
                    model.LastError = null;
                    model.MoveTo(ModelState.Dirty);
                    break;
                case PublishResult.NotQuiet:
                    copy.LastChange = _time.GetUtcNow();
                    model.MoveTo(ModelState.Dirty);
                    break;
                case PublishResult.Failed:
                    NoteFailure(model, outcome.Error!);
                    break;
                case PublishResult.Conflict:
                    model.LastError = outcome.Error;
                    break;
            }
        }

        if (isNews)
        {
            StoreChanged?.Invoke(model);
        }
    }

    private PublishOutcome KeepLoser(CachedModel model, ModelCopy copy, PublishOutcome conflict)
    {
        lock (model.Gate)
        {
            // Before the copy goes, so that nobody sees a model that is merely not here.
            model.LastError = conflict.Error;
        }

        try
        {
            _setAside(model, copy);
            LogConflict(_logger, conflict.Error!.Message);
            return conflict;
        }
        catch (ModelException error)
        {
            return new PublishOutcome(PublishResult.Failed, error);
        }
    }

    private void NoteFailure(CachedModel model, ModelException error)
    {
        model.Tries++;
        model.LastError = error;
        var min = ModelErrors.IsTransient(error.Kind) ? _options.BackoffMin : TimeSpan.FromTicks(Math.Max(s_permanentPauseMin.Ticks, _options.BackoffMin.Ticks));
        model.NextTryAt = _time.GetUtcNow() + Backoff.After(model.Tries, min, _options.BackoffMax);
        model.MoveTo(ModelState.Failed);
        LogFailed(_logger, error.Message, model.Tries, model.NextTryAt);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason} (attempt {Tries}; next at {NextTryAt:u})")]
    private static partial void LogFailed(ILogger logger, string reason, int tries, DateTimeOffset nextTryAt);

    [LoggerMessage(Level = LogLevel.Error, Message = "conflict: {Reason}; the local version is kept under /.modelfs/conflicts")]
    private static partial void LogConflict(ILogger logger, string reason);
}
