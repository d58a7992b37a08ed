using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>What the file system says about one file: enough to notice that it was replaced or written to.</summary>
/// <remarks>
/// The change time (ctime) is part of the revision because nobody can set it: an overwriting <c>cp -p</c> keeps size, inode and
/// modification time but not the change time. The price is a revision that also changes with chmod and hard links.
/// </remarks>
/// <param name="IsRegularFile">Whether it is an ordinary file; folders, FIFOs and devices are no archives.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Revision">Inode, size, mtime and ctime.</param>
/// <param name="LastModified">The file's mtime.</param>
internal readonly record struct FileIdentity(bool IsRegularFile, long Length, StoreRevision Revision, DateTimeOffset LastModified)
{
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;

    /// <summary>Follows symbolic links.</summary>
    /// <returns>Zero, or the errno.</returns>
    internal static int TryGet(string path, out FileIdentity identity) =>
        Finish(Interop.Statx(Interop.AtFdCwd, path, 0, Interop.StatxWanted, out var buffer), in buffer, out identity);

    /// <summary>Of an open file.</summary>
    /// <returns>Zero, or the errno.</returns>
    internal static int TryGet(SafeFileHandle file, out FileIdentity identity) =>
        Finish(Interop.StatxOfHandle(file, "", Interop.AtEmptyPath, Interop.StatxWanted, out var buffer), in buffer, out identity);

    private static int Finish(int result, in Interop.StatxBuffer buffer, out FileIdentity identity)
    {
        if (result != 0)
        {
            identity = default;
            return Marshal.GetLastPInvokeError();
        }

        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{buffer.Inode:x}-{buffer.Size:x}-{buffer.ModifySeconds:x}.{buffer.ModifyNanoseconds:x}-{buffer.ChangeSeconds:x}.{buffer.ChangeNanoseconds:x}");
        var modified = new UnixTime(buffer.ModifySeconds, buffer.ModifyNanoseconds).ToDateTimeOffset();
        identity = new FileIdentity((buffer.Mode & FileTypeMask) == RegularFile, (long)buffer.Size, new StoreRevision(text), modified);
        return 0;
    }
}
