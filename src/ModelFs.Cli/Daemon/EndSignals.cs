using System.Runtime.InteropServices;

namespace ModelFs.Cli.Daemon;

/// <summary>SIGTERM and SIGINT: the first one asks the daemon to end, one that comes while it drains asks it to leave the rest to the next mount.</summary>
internal sealed class EndSignals : IDisposable
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _impatience = new();
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private volatile bool _isDraining;

    public EndSignals()
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    /// <summary>Completes with the first signal.</summary>
    public Task Asked => _asked.Task;

    /// <summary>From now on a signal ends the drain.</summary>
    public CancellationToken BeginDrain()
    {
        _isDraining = true;
        return _impatience.Token;
    }

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _impatience.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_isDraining)
        {
            _impatience.Cancel();
        }

        _asked.TrySetResult();
    }
}
