using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>How a member's bytes are encoded; either way it is a gzip member with a deflate stream that every reader knows.</summary>
public enum MemberCoding
{
    /// <summary>Stored blocks: the bytes as they are.</summary>
    Stored = 0,

    /// <summary>Compressed.</summary>
    Deflated = 1,
}

/// <summary>One gzip member of an indexed archive: a piece of the tar that can be fetched, inflated and verified by itself.</summary>
/// <param name="Offset">Where it begins, in bytes from the start of the archive.</param>
/// <param name="ArchiveBytes">Its length in the archive, gzip header and trailer included.</param>
/// <param name="TarOffset">Where its bytes begin in the uncompressed tar.</param>
/// <param name="TarBytes">Its length uncompressed; at most <see cref="ArchiveIndex.MemberTarBytesMax"/>.</param>
/// <param name="Coding">How it is encoded.</param>
/// <param name="Digest">XXH3-128 of the uncompressed bytes.</param>
public readonly record struct ArchiveMember(long Offset, int ArchiveBytes, long TarOffset, int TarBytes, MemberCoding Coding, ContentDigest Digest)
{
    /// <summary>Where the next member begins in the archive.</summary>
    public long End => Offset + ArchiveBytes;

    /// <summary>Where the next member begins in the tar.</summary>
    public long TarEnd => TarOffset + TarBytes;
}
