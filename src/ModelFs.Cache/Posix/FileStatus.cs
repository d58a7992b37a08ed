using ModelFs.Models;

namespace ModelFs.Cache.Posix;

/// <summary>What lstat tells of a file.</summary>
/// <param name="Inode">Its number on the cache's file system.</param>
/// <param name="Mode">Type and permission bits as in <c>st_mode</c>.</param>
/// <param name="LinkCount">Names it has.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Blocks">Of 512 bytes.</param>
/// <param name="AccessTime">Last access.</param>
/// <param name="ModifiedTime">Last change of content.</param>
/// <param name="ChangeTime">Last change of content or attributes.</param>
public readonly record struct FileStatus(
    ulong Inode,
    uint Mode,
    uint LinkCount,
    long Size,
    long Blocks,
    UnixTime AccessTime,
    UnixTime ModifiedTime,
    UnixTime ChangeTime)
{
    /// <summary>The bits of <see cref="Mode"/> that tell the type (S_IFMT).</summary>
    public const uint TypeMask = 0xF000;

    /// <summary>A folder (S_IFDIR).</summary>
    public const uint TypeFolder = 0x4000;

    /// <summary>A regular file (S_IFREG).</summary>
    public const uint TypeFile = 0x8000;

    /// <summary>A symbolic link (S_IFLNK).</summary>
    public const uint TypeLink = 0xA000;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => (Mode & TypeMask) == TypeFolder;

    /// <summary>Whether it is a regular file.</summary>
    public bool IsFile => (Mode & TypeMask) == TypeFile;

    /// <summary>Whether it is a symbolic link.</summary>
    public bool IsLink => (Mode & TypeMask) == TypeLink;
}

/// <summary>One name of a folder.</summary>
/// <param name="Name">Without a slash; never <c>.</c> or <c>..</c>.</param>
/// <param name="Inode">On the cache's file system.</param>
/// <param name="Type">The type bits of <c>st_mode</c>, or 0 when the file system does not tell.</param>
public readonly record struct FolderEntry(string Name, ulong Inode, uint Type);

/// <summary>What statvfs tells of a file system.</summary>
/// <param name="BlockSize">Unit of the block counts, in bytes.</param>
/// <param name="Blocks">In all.</param>
/// <param name="BlocksFree">Free.</param>
/// <param name="BlocksAvailable">Free for unprivileged users.</param>
/// <param name="Files">Inodes in all.</param>
/// <param name="FilesFree">Inodes free.</param>
public readonly record struct FileSystemStatus(ulong BlockSize, ulong Blocks, ulong BlocksFree, ulong BlocksAvailable, ulong Files, ulong FilesFree)
{
    /// <summary>Bytes that unprivileged users can still write.</summary>
    public long BytesAvailable => (long)(BlockSize * BlocksAvailable);
}
