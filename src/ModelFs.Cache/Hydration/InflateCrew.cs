using ModelFs.Archives.Indexed;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// Threads that inflate, verify and write members, one per core; they start with the first work and end after a while without any. Work is taken in the order of its coming.
/// </summary>
internal sealed class InflateCrew : IDisposable
{
    private static readonly TimeSpan s_idleMax = TimeSpan.FromSeconds(10);

    private readonly int _threadsMax = Math.Max(1, Environment.ProcessorCount);
    private readonly Queue<Action<MemberInflater, byte[]>> _work = new();
    private readonly object _gate = new();
    private int _threads;
    private int _idle;
    private bool _stopped;

    /// <summary>Hands work to the next free thread; it gets the thread's own inflater and a buffer for one member, and throws nothing.</summary>
    public void Post(Action<MemberInflater, byte[]> work)
    {
        lock (_gate)
        {
            _work.Enqueue(work);
            if (_work.Count > _idle && _threads < _threadsMax)
            {
                _threads++;
                new Thread(Run) { IsBackground = true, Name = $"hydrate-{_threads}" }.Start();
            }
            else
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Ends the threads after the work that was posted.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
            while (_threads > 0)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private void Run()
    {
        using var inflater = new MemberInflater(checksCrc: false);
        var buffer = new byte[ArchiveIndex.MemberTarBytesMax];
        while (Next() is { } work)
        {
            work(inflater, buffer);
        }
    }

    private Action<MemberInflater, byte[]>? Next()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_work.TryDequeue(out var work))
                {
                    return work;
                }

                _idle++;
                var woken = !_stopped && Monitor.Wait(_gate, s_idleMax);
                _idle--;
                if (!woken && _work.Count == 0)
                {
                    _threads--;
                    Monitor.PulseAll(_gate);
                    return null;
                }
            }
        }
    }
}
