namespace ModelFs.Stores;

/// <summary>A stretch of an archive to be stored.</summary>
/// <param name="Offset">Where it begins in the archive, in bytes.</param>
/// <param name="Length">In bytes; at least one.</param>
/// <param name="SourceOffset">Where the same bytes begin in <see cref="IPublishContent.Source"/>; null for bytes that the store does not have.</param>
public readonly record struct ContentSegment(long Offset, long Length, long? SourceOffset);
