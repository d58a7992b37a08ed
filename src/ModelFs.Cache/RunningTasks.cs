namespace ModelFs.Cache;

/// <summary>Work in the background that somebody may have to wait for.</summary>
internal sealed class RunningTasks
{
    private readonly Lock _gate = new();
    private readonly List<Task> _tasks = [];

    /// <summary>Remembers a task until it has ended.</summary>
    public void Add(Task task)
    {
        lock (_gate)
        {
            _tasks.RemoveAll(each => each.IsCompleted);
            _tasks.Add(task);
        }
    }

    /// <summary>Ends with all tasks that were added until now.</summary>
    public Task WhenAllAsync()
    {
        lock (_gate)
        {
            return Task.WhenAll(_tasks);
        }
    }
}
