using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>What an archive held, after all of it was verified and written.</summary>
/// <param name="Layout">How its members were named; a publish keeps it.</param>
/// <param name="Entries">Every file, folder and link, sorted ordinally by path, so the model folder itself (the empty path) comes first. Files carry their digests.</param>
/// <param name="ContentBytes">Bytes of all files.</param>
/// <param name="TreeDigest">The tree's identity (<see cref="ModelTree.Digest"/>).</param>
/// <param name="Warnings">What works here but deserves to be told: names that collide elsewhere, bytes behind the tar's end. One sentence each.</param>
public sealed record UnpackedModel(
    ArchiveLayout Layout,
    IReadOnlyList<TreeEntry> Entries,
    long ContentBytes,
    ContentDigest TreeDigest,
    IReadOnlyList<string> Warnings);
