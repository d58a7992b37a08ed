using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>What the file system says about a file; as long as it stays the same, the content is taken to be the same.</summary>
/// <param name="Inode">The inode number.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ModifiedTime">Last change of the content.</param>
/// <param name="ChangedTime">Last change of content or inode; programs can't set it.</param>
public readonly record struct FileStamp(ulong Inode, long Size, UnixTime ModifiedTime, UnixTime ChangedTime);

/// <summary>Gives the digest of a file whose content is known not to have changed, so that a scan need not read it.</summary>
/// <param name="path">Relative to the model folder.</param>
/// <param name="stamp">The file as it is now.</param>
/// <returns>Null when the file must be read.</returns>
public delegate ContentDigest? KnownDigest(string path, in FileStamp stamp);
