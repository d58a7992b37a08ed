using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>A part of a new archive.</summary>
/// <param name="IsFromBase">Whether the bytes are those of the archive in <see cref="PackOptions.Base"/>, or of the output that was written.</param>
/// <param name="Offset">Where they begin there.</param>
/// <param name="Length">How many they are.</param>
public readonly record struct ArchiveSegment(bool IsFromBase, long Offset, long Length)
{
    /// <summary>When this is not null the segment is in neither: it is the member that is made of this piece of a file.</summary>
    public StoredPiece? Piece { get; init; }
}

/// <summary>What was packed.</summary>
/// <param name="ArchiveBytes">Length of the archive in bytes.</param>
/// <param name="Entries">The entries as packed, sorted, every file with the digest of the bytes that are in the archive.</param>
/// <param name="Segments">Of what the archive is put together; without a base it is the output as it is.</param>
/// <param name="Compression">What was stored and what was deflated.</param>
/// <param name="Index">The index of an indexed archive; null for others, and for the rare tree whose names a reader would take for another layout.</param>
public sealed record PackedModel(
    long ArchiveBytes,
    IReadOnlyList<TreeEntry> Entries,
    IReadOnlyList<ArchiveSegment> Segments,
    CompressionReport Compression,
    ArchiveIndex? Index)
{
    /// <summary>Bytes of all files in it.</summary>
    public long ContentBytes { get; } = Entries.Sum(entry => entry.Size);

    /// <summary>The identity of the packed tree (<see cref="ModelTree.Digest"/>).</summary>
    public ContentDigest TreeDigest { get; } = ModelTree.Digest(Entries);

    /// <summary>How many bytes of the archive are taken over from the base, as segments or copied.</summary>
    public long BytesFromBase { get; init; }
}
