using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>Makes an archive from a model folder.</summary>
public static class ModelPacker
{
    /// <summary>Writes the files of <paramref name="folder"/> as one archive to <paramref name="output"/>.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="entries">What to pack, as <see cref="ModelTree.ScanAsync"/> listed it.</param>
    /// <param name="options">Format, layout and level.</param>
    /// <param name="output">Takes the archive; not disposed.</param>
    /// <param name="cancellationToken">Ends the work at the next block.</param>
    /// <exception cref="PackException">A file is not what <paramref name="entries"/> says: shorter, longer, other bytes, gone. What was written is useless.</exception>
    /// <exception cref="IOException">The output or the file system failed.</exception>
    public static Task<PackedModel> PackAsync(
        string folder, IReadOnlyList<TreeEntry> entries, PackOptions options, Stream output, CancellationToken cancellationToken) => throw new NotSupportedException();
}
