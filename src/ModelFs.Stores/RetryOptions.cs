namespace ModelFs.Stores;

/// <summary>How a <see cref="RetryingStore"/> tries again.</summary>
public sealed record RetryOptions
{
    /// <summary>After the first attempt.</summary>
    public int RetriesMax { get; init; } = 4;

    /// <summary>Before the first retry; doubles with each, and is spread by chance.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause.</summary>
    public TimeSpan PauseMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>No retry begins later than this after the first attempt, so that a caller of a store that is down is not held up long.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
