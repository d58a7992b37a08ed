using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>Makes a model folder from an archive.</summary>
public static class ModelUnpacker
{
    /// <summary>
    /// Reads the archive to its very end and writes its tree below <paramref name="targetFolder"/>. When it returns, every byte is verified: lengths, checksums,
    /// end marks, and the archive's own length. When it throws, the caller drops <paramref name="targetFolder"/>; nothing in it may be shown.
    /// </summary>
    /// <param name="archive">
    /// The archive from its first byte, not disposed. It is read ahead of the unpacking, or is an <see cref="Streaming.IBlockSource"/> and does so by itself.
    /// </param>
    /// <param name="archiveLength">The length that the store gives, in bytes.</param>
    /// <param name="format">What the archive is.</param>
    /// <param name="model">The model; a single top folder of its name is taken off (<see cref="ArchiveLayout.Named"/>).</param>
    /// <param name="targetFolder">Exists and is empty; nobody else writes to it.</param>
    /// <param name="limits">Bounds on the tree.</param>
    /// <param name="progress">Told the bytes of the archive that were read so far, about four times per MiB, from any thread.</param>
    /// <param name="cancellationToken">Ends the work at the next block.</param>
    /// <exception cref="ArchiveException">The archive is damaged, unsafe, too large or of an unsupported kind.</exception>
    /// <exception cref="IOException">The archive's stream or the local file system failed.</exception>
    public static async Task<UnpackedModel> UnpackAsync(
        Stream archive,
        long archiveLength,
        ArchiveFormat format,
        ModelName model,
        string targetFolder,
        UnpackLimits limits,
        IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        var tree = new ModelTreeBuilder(model, Path.TrimEndingDirectorySeparator(targetFolder), limits, archiveLength);
        if (format == ArchiveFormat.Zip)
        {
            await ZipUnpacking.RunAsync(archive, archiveLength, targetFolder, tree, progress, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await TarUnpacking.RunAsync(archive, archiveLength, format, tree, progress, cancellationToken).ConfigureAwait(false);
        }

        return await Task.Run(tree.Finish, cancellationToken).ConfigureAwait(false);
    }
}
