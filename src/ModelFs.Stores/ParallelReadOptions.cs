namespace ModelFs.Stores;

/// <summary>How a <see cref="ParallelRangeReader"/> cuts and bounds a download.</summary>
public sealed record ParallelReadOptions
{
    /// <summary>The most that one ranged request asks for, in bytes; smaller objects and slower servers get smaller parts.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>Fetched but not yet read, over all parts, in bytes; at least one part is always in flight.</summary>
    public long InFlightBytesMax { get; init; } = 64 << 20;
}
