using ModelFs.Archives.Tar;
using ModelFs.Archives.Unpacking;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>What an archive holds, seen without unpacking it.</summary>
/// <param name="Layout">How its members are named.</param>
/// <param name="Files">Files, hard links among them.</param>
/// <param name="ContentBytes">Bytes of the files' content.</param>
public sealed record InspectedArchive(ArchiveLayout Layout, int Files, long ContentBytes);

/// <summary>Reads an archive to its very end and writes nothing: checks it, and tells its layout.</summary>
public static class ArchiveInspector
{
    /// <summary>Inspects an archive. When it returns, every length, checksum and end mark was checked.</summary>
    /// <param name="archive">The archive from its first byte; read ahead, not disposed.</param>
    /// <param name="archiveLength">The length that the store gives, in bytes.</param>
    /// <param name="format">What the archive is. A zip is spooled to the folder for temporary files.</param>
    /// <param name="model">The model whose name tells the layout <see cref="ArchiveLayout.Named"/>.</param>
    /// <param name="progress">Told the bytes of the archive that were read so far, from any thread.</param>
    /// <param name="cancellationToken">Ends the work at the next block.</param>
    /// <exception cref="ArchiveException">The archive is damaged, unsafe or of an unsupported kind.</exception>
    /// <exception cref="IOException">The archive's stream failed.</exception>
    public static async Task<InspectedArchive> InspectAsync(
        Stream archive, long archiveLength, ArchiveFormat format, ModelName model, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var members = new Counter(model, archiveLength);
        if (format == ArchiveFormat.Zip)
        {
            await ZipUnpacking.RunAsync(archive, archiveLength, Path.Combine(Path.GetTempPath(), "modelfs"), members, progress, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await TarUnpacking.RunAsync(archive, archiveLength, format, members, progress, cancellationToken).ConfigureAwait(false);
        }

        return members.Result();
    }

    private sealed class Counter(ModelName model, long archiveLength) : IMemberSink
    {
        private readonly LayoutDetector _layout = new(model.Name);
        private readonly TreeBudget _budget = new(UnpackLimits.Default, archiveLength);
        private int _files;
        private long _bytes;

        public void Add(TarMember member, ContentSource content)
        {
            var isFolder = member.Type == MemberType.Directory;
            _layout.Observe(member.Name, MemberName.Parse(member.Name, isFolder).Path, isFolder);
            _budget.AddEntry();
            if (member.Type == MemberType.File)
            {
                _budget.AddContent(member.Size);
                for (var data = content(); !data.IsEmpty; data = content())
                {
                    _bytes += data.Length;
                }
            }

            _files += member.Type is MemberType.File or MemberType.HardLink ? 1 : 0;
        }

        public void Warn(string warning)
        {
        }

        public InspectedArchive Result() => new(_layout.Layout(), _files, _bytes);
    }
}
