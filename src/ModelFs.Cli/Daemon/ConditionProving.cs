using Microsoft.Extensions.Logging;
using ModelFs.Stores;

namespace ModelFs.Cli.Daemon;

/// <summary>
/// Has the store find out in the background which conditions it keeps, so that the status tells before the first publish, and no mount waits for it. It begins a while
/// after the start, because programs read most just after it; a publish that comes earlier asks by itself.
/// </summary>
internal sealed partial class ConditionProving : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _proving;

    /// <summary>Starts.</summary>
    /// <param name="store">Must outlive this.</param>
    /// <param name="isReadOnly">Nothing is asked then: the answer takes writing to the store.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told when it fails.</param>
    public ConditionProving(IModelStore store, bool isReadOnly, TimeProvider time, ILogger logger) =>
        _proving = isReadOnly ? Task.CompletedTask : Task.Run(() => ProveAsync(store, time, logger));

    /// <summary>Stops, once nothing of it is left in the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _proving.ConfigureAwait(false);
        _stop.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "which conditions the store keeps is found out at the first publish: {Reason}")]
    private static partial void LogLater(ILogger logger, string reason);

    private async Task ProveAsync(IModelStore store, TimeProvider time, ILogger logger)
    {
        try
        {
            await Task.Delay(s_pause, time, _stop.Token).ConfigureAwait(false);
            await store.ProveConditionsAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            LogLater(logger, error.Message);
        }
        catch (OperationCanceledException)
        {
            // The mount ends.
        }
    }
}
