using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Stores;

/// <summary>The few calls of libc that .NET has no name for: exact file identity, and renames that refuse to replace.</summary>
internal static partial class Interop
{
    internal const int AtFdCwd = -100;
    internal const int OpenCloseOnExec = 0x80000;
    internal const int LockExclusive = 2;
    internal const int LockNonBlocking = 4;
    internal const int AtEmptyPath = 0x1000;
    internal const uint RenameNoReplace = 1;
    internal const uint RenameExchange = 2;

    /// <summary>STATX_TYPE, MODE, MTIME, CTIME, INO and SIZE.</summary>
    internal const uint StatxWanted = 0x0001 | 0x0002 | 0x0040 | 0x0080 | 0x0100 | 0x0200;

    internal const int ENOENT = 2;
    internal const int EIO = 5;
    internal const int EACCES = 13;
    internal const int EEXIST = 17;
    internal const int EINVAL = 22;
    internal const int ENOSPC = 28;
    internal const int EROFS = 30;
    internal const int EPERM = 1;
    internal const int ENOTDIR = 20;
    internal const int ENAMETOOLONG = 36;
    internal const int ELOOP = 40;
    internal const int EBADF = 9;
    internal const int EAGAIN = 11;
    internal const int ENOLCK = 37;
    internal const int EOPNOTSUPP = 95;
    internal const int ETIMEDOUT = 110;
    internal const int EHOSTDOWN = 112;
    internal const int ESTALE = 116;
    internal const int EDQUOT = 122;

    /// <summary>RWF_DONTCACHE.</summary>
    internal const int DoNotCache = 0x80;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Statx(int directory, string path, int flags, uint mask, out StatxBuffer buffer);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatxOfHandle(SafeFileHandle file, string path, int flags, uint mask, out StatxBuffer buffer);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int RenameAt2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Link(string existing, string added);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int OpenDirectory(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    internal static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Fsync(SafeFileHandle file);

    /// <summary>pwritev2(2).</summary>
    [LibraryImport("libc", EntryPoint = "pwritev2", SetLastError = true)]
    internal static unsafe partial nint WriteVector(SafeFileHandle file, Vector* vectors, int count, long offset, int flags);

    /// <summary>The kernel's <c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Vector
    {
        internal void* Start;
        internal nuint Length;
    }

    /// <summary>The kernel's <c>struct statx</c>: the same layout on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatxBuffer
    {
        [FieldOffset(28)]
        internal ushort Mode;

        [FieldOffset(32)]
        internal ulong Inode;

        [FieldOffset(40)]
        internal ulong Size;

        [FieldOffset(96)]
        internal long ChangeSeconds;

        [FieldOffset(104)]
        internal uint ChangeNanoseconds;

        [FieldOffset(112)]
        internal long ModifySeconds;

        [FieldOffset(120)]
        internal uint ModifyNanoseconds;
    }
}
