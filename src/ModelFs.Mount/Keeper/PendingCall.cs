namespace ModelFs.Mount.Keeper;

/// <summary>A call that waits for its answer. Ended once, by an answer or a failure; waited for by one thread.</summary>
internal sealed class PendingCall
{
    private readonly object _monitor = new();
    private KeeperMessage? _answer;
    private KeeperException? _failure;

    /// <summary>Brings the answer.</summary>
    public void Complete(KeeperMessage answer) => End(answer, null);

    /// <summary>Ends the wait with a failure.</summary>
    public void Fail(KeeperException failure) => End(null, failure);

    /// <summary>Waits for the answer.</summary>
    /// <exception cref="KeeperException">The keeper is gone.</exception>
    public KeeperMessage Wait()
    {
        lock (_monitor)
        {
            while (_answer is null && _failure is null)
            {
                Monitor.Wait(_monitor);
            }
            // Several calls end with one failure: each throws its own exception, which carries its own stack.
            return _answer ?? throw new KeeperException(_failure!.Errno, _failure.Message);
        }
    }

    private void End(KeeperMessage? answer, KeeperException? failure)
    {
        lock (_monitor)
        {
            _answer = answer;
            _failure = failure;
            Monitor.PulseAll(_monitor);
        }
    }
}
