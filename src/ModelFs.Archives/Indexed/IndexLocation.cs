using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>Where an archive's index stands, as its footer says. It is made by <see cref="ArchiveIndexReader.TryReadFooter"/>.</summary>
/// <param name="ArchiveLength">Length of the whole archive, in bytes.</param>
/// <param name="Offset">Where the index begins in the archive; the members end there.</param>
/// <param name="PackedBytes">Length of the compressed index without the gzip members around it.</param>
/// <param name="UnpackedBytes">Length of the index.</param>
/// <param name="Digest">XXH3-128 of the compressed index. Two archives with the same one hold the same members.</param>
public readonly record struct IndexLocation(long ArchiveLength, long Offset, int PackedBytes, int UnpackedBytes, ContentDigest Digest)
{
    /// <summary>Bytes from <see cref="Offset"/> to the end of the archive: index and footer, what <see cref="ArchiveIndexReader.TryParse"/> wants.</summary>
    public int Length => (int)(ArchiveLength - Offset);
}
