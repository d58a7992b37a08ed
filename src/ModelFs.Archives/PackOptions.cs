using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>How a tree is packed. The same tree with the same options gives the same bytes, from one version of ModelFs and its native library.</summary>
/// <param name="Format"><see cref="ArchiveFormat.TarGz"/>, <see cref="ArchiveFormat.Tgz"/> or <see cref="ArchiveFormat.Tar"/>.</param>
/// <param name="Layout">How members are named; an existing model keeps what it had.</param>
/// <param name="Model">The model; its name is the top folder of <see cref="ArchiveLayout.Named"/>.</param>
/// <param name="CompressionLevel">0 (fastest) to 3 (smallest), the levels of ISA-L.</param>
public sealed record PackOptions(ArchiveFormat Format, ArchiveLayout Layout, ModelName Model, int CompressionLevel = 1);

/// <summary>What was packed.</summary>
/// <param name="ArchiveBytes">Length of the archive in bytes.</param>
/// <param name="ContentBytes">Bytes of all files in it.</param>
/// <param name="Entries">The entries as packed, sorted, every file with the digest of the bytes that are in the archive.</param>
/// <param name="TreeDigest">The identity of the packed tree (<see cref="ModelTree.Digest"/>).</param>
public sealed record PackedModel(long ArchiveBytes, long ContentBytes, IReadOnlyList<TreeEntry> Entries, ContentDigest TreeDigest);
