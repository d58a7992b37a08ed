using System.Text.Json;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Draining;

/// <summary>How a wait for the store ended.</summary>
/// <param name="Errno">What setting the attribute returned; 0 when the store has everything, <see cref="Cli.Errno.ETIMEDOUT"/> when the time was up.</param>
/// <param name="Pending">What was not in the store at the end, as far as the mount could say.</param>
internal sealed record DrainResult(int Errno, IReadOnlyList<ModelStatus> Pending);

/// <summary>Waits until a mount has brought its changes to the store, and tells meanwhile what happens.</summary>
/// <param name="mounts">Where the mount is.</param>
/// <param name="time">The clock, and what waits by it.</param>
/// <param name="view">Who is told.</param>
internal sealed class DrainWatch(IMountHost mounts, TimeProvider time, IDrainView view)
{
    private static readonly TimeSpan s_pollEvery = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, ModelStatus> _pending = new(StringComparer.Ordinal);

    /// <summary>Waits for a whole mount or for one model.</summary>
    /// <param name="mountPoint">The mount.</param>
    /// <param name="model">The model as the mount shows it, or null for all.</param>
    /// <param name="timeout">How long to wait at most; null for as long as it takes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<DrainResult> RunAsync(string mountPoint, string? model, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var startedAt = time.GetTimestamp();
        await ObserveAsync(mountPoint, model, startedAt).ConfigureAwait(false);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = mounts.WaitForStoreAsync(mountPoint, model, giveUp.Token);
        while (!waiting.IsCompleted && !cancellationToken.IsCancellationRequested && !(time.GetElapsedTime(startedAt) >= timeout))
        {
            await Task.WhenAny(waiting, Task.Delay(s_pollEvery, time, CancellationToken.None)).ConfigureAwait(false);
            await ObserveAsync(mountPoint, model, startedAt).ConfigureAwait(false);
        }

        await giveUp.CancelAsync().ConfigureAwait(false);
        var errno = await EndOfAsync(waiting, cancellationToken).ConfigureAwait(false);

        // The last look may have begun before the end of the wait, and have seen what has ended since.
        await ObserveAsync(mountPoint, model, startedAt).ConfigureAwait(false);
        return new DrainResult(errno, [.. _pending.Values]);
    }

    private static async Task<int> EndOfAsync(Task<int> waiting, CancellationToken cancellationToken)
    {
        try
        {
            return await waiting.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Errno.ETIMEDOUT;
        }
    }

    /// <summary>Compares what the mount says now with what it said before, and tells what came and went.</summary>
    private async Task ObserveAsync(string mountPoint, string? model, long startedAt)
    {
        if (await ReadAsync(mountPoint).ConfigureAwait(false) is not { } report)
        {
            return;
        }

        var elapsed = time.GetElapsedTime(startedAt);
        var models = report.Models.Where(candidate => model is null || candidate.Name == model).ToDictionary(candidate => candidate.Name, StringComparer.Ordinal);
        foreach (var before in _pending.Values.ToList())
        {
            var now = models.GetValueOrDefault(before.Name);
            if (now is not { IsPending: true })
            {
                _pending.Remove(before.Name);
                view.Ended(before, now, elapsed);
            }
        }

        foreach (var now in models.Values.Where(candidate => candidate.IsPending))
        {
            if (_pending.TryAdd(now.Name, now))
            {
                view.Waiting(now);
            }
            else
            {
                // The revision of the first sight stays: against it a later look tells whether something was published.
                _pending[now.Name] = now with { StoreRevision = _pending[now.Name].StoreRevision };
                view.Progressed(now);
            }
        }
    }

    private async Task<StatusReport?> ReadAsync(string mountPoint)
    {
        var reading = await mounts.ReadStatusAsync(mountPoint).ConfigureAwait(false);
        try
        {
            return reading.Json is null ? null : StatusReport.FromJson(reading.Json);
        }
        catch (JsonException)
        {
            // A daemon of another version: the wait itself does not depend on what it shows.
            return null;
        }
    }
}
