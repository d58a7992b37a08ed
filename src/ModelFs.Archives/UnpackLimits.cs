namespace ModelFs.Archives;

/// <summary>Bounds on what one archive may unpack to. They hold from the header of a member on: nothing is written first and counted later.</summary>
/// <param name="EntriesMax">Most files, folders and links, parents that the archive does not name included.</param>
/// <param name="BytesMax">Most bytes of file content; the caller gives the space that is free.</param>
/// <param name="RatioMax">Most bytes of file content per byte of archive. Deflate's own bound is 1,032.</param>
public sealed record UnpackLimits(long EntriesMax = 1_000_000, long BytesMax = long.MaxValue, double RatioMax = 1_100)
{
    /// <summary>The limits without a bound on bytes.</summary>
    public static UnpackLimits Default { get; } = new();
}
