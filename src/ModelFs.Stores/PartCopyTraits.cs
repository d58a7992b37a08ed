namespace ModelFs.Stores;

/// <summary>How a store puts an archive together from parts of an object that it holds and parts that are sent.</summary>
/// <param name="PartBytesMin">The least that each part but the last must have, in bytes.</param>
/// <param name="PartBytesMax">The most that a part may have, in bytes.</param>
/// <param name="PartsMax">How many parts there may be.</param>
public sealed record PartCopyTraits(long PartBytesMin, long PartBytesMax, int PartsMax);
