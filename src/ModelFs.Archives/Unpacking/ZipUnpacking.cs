using System.IO.Hashing;
using System.Text;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.Zip;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// Unpacks a zip. Its directory stands at its end, so it is spooled to a file beside the target folder first. The library does not check the CRC of a
/// member that is read by itself; it is checked here.
/// </summary>
internal static class ZipUnpacking
{
    private const int BufferBytes = 1 << 20;
    private const int UnixHost = 3;
    private const int TypeMask = 0xf000;
    private const int LinkTargetBytesMax = 4_095;

    public static async Task RunAsync(
        Stream archive, long archiveLength, string targetFolder, IMemberSink tree, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var spool = new FileStream(
            Path.TrimEndingDirectorySeparator(Path.GetFullPath(targetFolder)) + ".zip-" + Guid.NewGuid().ToString("n"),
            FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, BufferBytes, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        await using (spool.ConfigureAwait(false))
        {
            await SpoolAsync(archive, archiveLength, spool, progress, cancellationToken).ConfigureAwait(false);
            await Task.Run(() => ReadMembers(spool, tree, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task SpoolAsync(
        Stream archive, long archiveLength, FileStream spool, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var length = new LengthCheck(archiveLength, progress);
        var buffer = new byte[BufferBytes];
        long total = 0;
        for (int read; (read = await archive.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            total += read;
            length.OnRead(total, ended: false);
            await spool.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }

        length.OnRead(total, ended: true);
        await spool.FlushAsync(cancellationToken).ConfigureAwait(false);
        spool.Position = 0;
    }

    private static void ReadMembers(FileStream spool, IMemberSink tree, CancellationToken cancellationToken)
    {
        if (spool.Length == 0)
        {
            // The library takes it for a zip without members.
            throw ArchiveException.Damaged("the zip is empty");
        }

        try
        {
            using var zip = new ZipFile(spool, leaveOpen: true, StringCodec.FromEncoding(Encoding.UTF8));
            var buffer = new byte[BufferBytes];
            foreach (ZipEntry entry in zip)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Add(zip, entry, tree, buffer);
            }
        }
        catch (Exception error) when (error is SharpZipBaseException or EndOfStreamException or InvalidDataException or ArgumentException or IndexOutOfRangeException)
        {
            throw ArchiveException.Damaged($"the zip can't be read ({error.Message})", error);
        }
    }

    private static void Add(ZipFile zip, ZipEntry entry, IMemberSink tree, byte[] buffer)
    {
        if (entry.IsCrypted)
        {
            throw ArchiveException.Unsupported($"'{entry.Name}' in the zip is encrypted", "pack the model again without a password");
        }

        var mode = entry.HostSystem == UnixHost ? (entry.ExternalFileAttributes >> 16) & 0xffff : 0;
        var type = (mode & TypeMask) switch
        {
            0xa000 => MemberType.SymbolicLink,
            0x4000 => MemberType.Directory,
            0 or 0x8000 => entry.IsDirectory ? MemberType.Directory : MemberType.File,
            _ => throw ArchiveException.Unsafe($"'{entry.Name}' in the zip is a device or a FIFO"),
        };
        var permissions = mode != 0 ? mode & 0x1ff : type == MemberType.Directory ? SortedTree.ImpliedFolderMode : 0x1a4; // 0644
        var time = UnixTime.From(new DateTimeOffset(DateTime.SpecifyKind(entry.DateTime, DateTimeKind.Utc)));
        var size = type == MemberType.File ? entry.Size : 0;
        var link = type == MemberType.SymbolicLink ? ReadLinkTarget(zip, entry, buffer) : "";
        var member = new TarMember(entry.Name, type, permissions, time, size, link, entry.Offset);
        if (type == MemberType.File)
        {
            using var content = new ZipContent(zip, entry, buffer);
            tree.Add(member, content.Next);
        }
        else
        {
            tree.Add(member, () => []);
        }
    }

    private static string ReadLinkTarget(ZipFile zip, ZipEntry entry, byte[] buffer)
    {
        using var content = new ZipContent(zip, entry, buffer);
        var target = content.Next().ToArray();
        return target.Length <= LinkTargetBytesMax && content.Next().IsEmpty
            ? PaxRecords.DecodeName(target, entry.Offset)
            : throw ArchiveException.Damaged($"the link '{entry.Name}' in the zip is too long");
    }

    /// <summary>Reads one member and checks its CRC at its end.</summary>
    private sealed class ZipContent(ZipFile zip, ZipEntry entry, byte[] buffer) : IDisposable
    {
        private readonly Stream _stream = zip.GetInputStream(entry);
        private readonly Crc32 _crc = new();
        private long _left = entry.Size;

        public ReadOnlySpan<byte> Next()
        {
            var read = _stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            _crc.Append(buffer.AsSpan(0, read));
            _left -= read;
            if (_left < 0 || (read == 0 && (_left != 0 || _crc.GetCurrentHashAsUInt32() != (uint)entry.Crc)))
            {
                throw ArchiveException.Damaged($"'{entry.Name}' in the zip fails its checksum or length");
            }

            return buffer.AsSpan(0, read);
        }

        public void Dispose() => _stream.Dispose();
    }
}
