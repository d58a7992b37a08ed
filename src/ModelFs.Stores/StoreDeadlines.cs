namespace ModelFs.Stores;

/// <summary>How long a store call may go without progress.</summary>
/// <param name="Connect">For the connection to be made.</param>
/// <param name="NoProgress">Without a byte moving in either direction, or for a whole answer that has no body.</param>
public sealed record StoreDeadlines(TimeSpan Connect, TimeSpan NoProgress)
{
    /// <summary>10 s to connect, 25 s without progress: a caller gets its error within 30 s.</summary>
    public static StoreDeadlines Default { get; } = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25));
}
