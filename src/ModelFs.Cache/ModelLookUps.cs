using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>Look-ups of single models in a store that may not be listed. All who ask for one name at the same time share its look-up.</summary>
/// <param name="store">The store.</param>
/// <param name="time">The clock.</param>
internal sealed class ModelLookUps(IModelStore store, TimeProvider time)
{
    /// <summary>How long a name that was not there is not asked for again: a program tries many names at once, and a new model must be seen soon.</summary>
    private static readonly TimeSpan s_absentFor = TimeSpan.FromSeconds(1);

    /// <summary>Beyond this many, absent names are forgotten early.</summary>
    private const int AbsentMax = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<ModelName, Task> _running = [];
    private readonly Dictionary<ModelName, long> _absent = [];

    /// <summary>Looks a name up, unless that is under way already, or it was not there a moment ago.</summary>
    /// <param name="name">The model.</param>
    /// <param name="lookUpAsync">The look-up; returns whether the model is there.</param>
    public Task ShareAsync(ModelName name, Func<Task<bool>> lookUpAsync)
    {
        lock (_lock)
        {
            if (_running.TryGetValue(name, out var running))
            {
                return running;
            }

            if (_absent.TryGetValue(name, out var askedAt) && time.GetElapsedTime(askedAt) < s_absentFor)
            {
                return Task.CompletedTask;
            }

            return _running[name] = Task.Run(() => RunAsync(name, lookUpAsync));
        }
    }

    /// <summary>Asks the store: for <c>NAME.tar.gz</c>, and only if that is not there for the other endings.</summary>
    /// <returns>The archive that ModelFs itself would write, before others; null when there is none.</returns>
    /// <exception cref="StoreException">The store failed.</exception>
    public async Task<StoredObject?> AskAsync(ModelName name, CancellationToken cancellationToken)
    {
        var formats = Enum.GetValues<ArchiveFormat>().Order().ToList();
        if (await StatAsync(name, formats[0], cancellationToken).ConfigureAwait(false) is { } usual)
        {
            return usual;
        }

        var others = await Task.WhenAll(formats.Skip(1).Select(format => StatAsync(name, format, cancellationToken))).ConfigureAwait(false);
        return Array.Find(others, found => found is not null);
    }

    private Task<StoredObject?> StatAsync(ModelName name, ArchiveFormat format, CancellationToken cancellationToken) =>
        store.StatAsync(new ModelKey(name, format).ToString(), cancellationToken);

    private async Task RunAsync(ModelName name, Func<Task<bool>> lookUpAsync)
    {
        var isAbsent = false;
        try
        {
            isAbsent = !await lookUpAsync().ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _running.Remove(name);
                _absent.Remove(name);
                if (isAbsent)
                {
                    if (_absent.Count >= AbsentMax)
                    {
                        _absent.Clear();
                    }

                    _absent[name] = time.GetTimestamp();
                }
            }
        }
    }
}
