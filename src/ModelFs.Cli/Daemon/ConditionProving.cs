using Microsoft.Extensions.Logging;
using ModelFs.Stores;

namespace ModelFs.Cli.Daemon;

/// <summary>Has the store find out in the background which conditions it keeps, so that the status tells before the first publish, and no mount waits for it.</summary>
internal sealed partial class ConditionProving : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _proving;

    /// <summary>Starts.</summary>
    /// <param name="store">Must outlive this.</param>
    /// <param name="isReadOnly">Nothing is asked then: the answer takes writing to the store.</param>
    /// <param name="logger">Told when it fails.</param>
    public ConditionProving(IModelStore store, bool isReadOnly, ILogger logger) =>
        _proving = isReadOnly ? Task.CompletedTask : Task.Run(() => ProveAsync(store, logger));

    /// <summary>Stops, once nothing of it is left in the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _proving.ConfigureAwait(false);
        _stop.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "which conditions the store keeps is found out at the first publish: {Reason}")]
    private static partial void LogLater(ILogger logger, string reason);

    private async Task ProveAsync(IModelStore store, ILogger logger)
    {
        try
        {
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
