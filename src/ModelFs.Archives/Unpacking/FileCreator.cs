using System.Buffers;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>Gives the next bytes of a member's content; empty at its end. A span is valid until the next call.</summary>
internal delegate ReadOnlySpan<byte> ContentSource();

/// <summary>Creates files with few system calls: open, write in blocks of the pipeline, a look at the mode, time, close; big ones are allocated in one piece.</summary>
internal sealed class FileCreator
{
    private const int AllocateFromBytes = 1 << 20;
    private const int CopyBytes = 1 << 20;
    private const int WorkingMode = 0x180; // 0600
    private const int OwnerMayRead = 0x100;

    private readonly XxHash128 _hash = new();

    /// <summary>Whether a file has its final mode when it is created. One that its owner may not read gets it in the end: a hard link may still have to copy it.</summary>
    public static bool GivesModeAtOnce(int mode) => (mode & OwnerMayRead) != 0;

    /// <summary>Creates a file from <paramref name="next"/>.</summary>
    /// <returns>The digest of its content.</returns>
    public ContentDigest Create(string fullPath, TarMember member, ContentSource next)
    {
        using var file = InteropFiles.CreateFile(fullPath, GivesModeAtOnce(member.Mode) ? member.Mode : WorkingMode);
        if (member.Size >= AllocateFromBytes)
        {
            InteropFiles.TryAllocate(file, member.Size, fullPath);
        }

        _hash.Reset();
        long offset = 0;
        for (var bytes = next(); !bytes.IsEmpty; bytes = next())
        {
            RandomAccess.Write(file, bytes, offset);
            _hash.Append(bytes);
            offset += bytes.Length;
        }

        if (offset != member.Size)
        {
            throw ArchiveException.Damaged($"'{member.Name}' has {offset:N0} bytes where its header says {member.Size:N0}");
        }

        Finish(file, fullPath, member.Mode, member.ModifiedTime);
        return ContentDigest.From(_hash.GetCurrentHashAsUInt128());
    }

    /// <summary>Creates a file with the content of another one of the tree, and the attributes of <paramref name="entry"/>.</summary>
    public static void Copy(string sourcePath, string fullPath, TreeEntry entry)
    {
        using var source = File.OpenHandle(sourcePath);
        using var file = InteropFiles.CreateFile(fullPath, GivesModeAtOnce(entry.Mode) ? entry.Mode : WorkingMode);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(entry.Size, 1, CopyBytes));
        try
        {
            long offset = 0;
            for (int read; (read = RandomAccess.Read(source, buffer, offset)) > 0; offset += read)
            {
                RandomAccess.Write(file, buffer.AsSpan(0, read), offset);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        Finish(file, fullPath, entry.Mode, entry.ModifiedTime);
    }

    private static void Finish(SafeFileHandle file, string fullPath, int mode, UnixTime time)
    {
        // A file mostly has its mode from the start; a umask or an access list takes bits from it. To look costs a tenth of setting it.
        if (GivesModeAtOnce(mode) && InteropFiles.HandleStatus(file, fullPath).Permissions != mode)
        {
            InteropFiles.SetMode(file, mode, fullPath);
        }

        InteropFiles.SetModifiedTime(file, time, fullPath);
    }
}
