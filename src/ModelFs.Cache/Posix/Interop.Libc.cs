using System.Runtime.InteropServices;

namespace ModelFs.Cache.Posix;

/// <summary>The C library's file calls, as they are. <see cref="PosixFile"/> gives them .NET shapes.</summary>
internal static unsafe partial class Interop
{
    internal const int AtCurrentFolder = -100;
    internal const int AtNoFollow = 0x100;
    internal const int OpenCloseOnExec = 0x80000;
    internal const int StatxBasicStats = 0x7ff;
    internal const int FcntlSetLease = 1024;
    internal const int LeaseRead = 0;
    internal const int LeaseNone = 2;
    internal const int LockExclusive = 2;
    internal const int LockNonBlocking = 4;
    internal const int SignalIo = 29;
    internal const nint SignalIgnore = 1;

    // _IOR and _IOW of 'f' 1 and 2, the same on both architectures (linux/fs.h).
    internal const nuint GetFlags = 0x80086601;
    internal const nuint SetFlags = 0x40086602;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint pread(SafeHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint pwrite(SafeHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fsync(SafeHandle file);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int syncfs(SafeHandle file);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fdatasync(SafeHandle file);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fchmod(SafeHandle file, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ftruncate(SafeHandle file, long length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fallocate(SafeHandle file, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial long lseek(SafeHandle file, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int flock(SafeHandle file, int operation);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fcntl(SafeHandle file, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(SafeHandle file, nuint request, long* argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mknod(string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mknodat(SafeHandle folder, string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rmdir(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int unlink(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int renameat2(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int symlink(string target, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint readlink(string path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chmod(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int utimensat(int folder, string path, long* times, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int truncate(string path, long length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statvfs(string path, ulong* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint opendir(string path);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial byte* readdir(nint stream);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int closedir(nint stream);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint signal(int number, nint handler);
}
