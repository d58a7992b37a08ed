namespace ModelFs.Fuse;

/// <summary>How the kernel is to treat an open file or folder (FOPEN_*).</summary>
[Flags]
public enum FuseOpenFlags
{
    /// <summary>Through the page cache, which is dropped at this open.</summary>
    None = 0,

    /// <summary>Every read and write goes to the daemon.</summary>
    DirectIo = 1 << 0,

    /// <summary>Keep the pages that an earlier open brought in.</summary>
    KeepCache = 1 << 1,

    /// <summary>The file can't seek.</summary>
    NonSeekable = 1 << 2,

    /// <summary>The kernel may keep the listing of this folder.</summary>
    CacheDirectory = 1 << 3,

    /// <summary>The file has no position at all.</summary>
    Stream = 1 << 4,

    /// <summary>No FLUSH at close.</summary>
    NoFlush = 1 << 5,

    /// <summary>Several direct writes at the same time.</summary>
    ParallelDirectWrites = 1 << 6,

    /// <summary>
    /// The kernel reads and writes the file behind <see cref="FuseOpened.BackingId"/> by itself. Can't be joined with
    /// <see cref="KeepCache"/>, <see cref="NonSeekable"/> or <see cref="CacheDirectory"/>: the kernel would fail the open with EIO.
    /// All opens of one node that are alive at the same time carry the same backing id, and a cached open of the node excludes it.
    /// </summary>
    Passthrough = 1 << 7,
}

/// <summary>The answer of an open (<c>struct fuse_open_out</c>, 16 bytes).</summary>
/// <param name="FileHandle">Any number; the kernel gives it back with each operation on this open file.</param>
/// <param name="OpenFlags">How the kernel is to treat it.</param>
/// <param name="BackingId">The id of the registered backing file, above 0 exactly with <see cref="FuseOpenFlags.Passthrough"/>.</param>
public readonly record struct FuseOpened(ulong FileHandle, FuseOpenFlags OpenFlags = FuseOpenFlags.None, int BackingId = 0);

/// <summary>The answer of CREATE: the new name's entry and its open file.</summary>
/// <param name="Entry">The entry; it counts as one look-up.</param>
/// <param name="Opened">The open file.</param>
public readonly record struct FuseCreated(FuseEntry Entry, FuseOpened Opened);
