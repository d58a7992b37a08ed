using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>
/// The file calls that .NET does not offer: times with nanoseconds, link times, lstat with inode and ctime, allocation without a fallback that writes zeros.
/// statx(2) is used because its layout is the same on every architecture; the flags below are, too.
/// </summary>
internal static partial class InteropFiles
{
    private const int AtFdcwd = -100;
    private const int AtSymlinkNofollow = 0x100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasicStats = 0x7ff;
    private const int UtimeOmit = (1 << 30) - 2;
    private const int Eintr = 4;
    private const int WriteOnly = 1;
    private const int CreateNew = 0x40 | 0x80; // O_CREAT | O_EXCL
    private const int CloseOnExec = 0x80000;

    /// <summary>Type, permissions, size and times of one path or descriptor.</summary>
    public readonly record struct Status(int ModeWithType, ulong Inode, long Size, UnixTime ModifiedTime, UnixTime ChangedTime)
    {
        private const int TypeMask = 0xf000;

        public bool IsDirectory => (ModeWithType & TypeMask) == 0x4000;

        public bool IsRegular => (ModeWithType & TypeMask) == 0x8000;

        public bool IsSymbolicLink => (ModeWithType & TypeMask) == 0xa000;

        public int Permissions => ModeWithType & 0x1ff;

        public FileStamp Stamp => new(Inode, Size, ModifiedTime, ChangedTime);
    }

    /// <summary>Creates a file that must not exist, for writing only.</summary>
    public static SafeFileHandle CreateFile(string path, int mode) => OpenChecked(path, WriteOnly | CreateNew | CloseOnExec, mode);

    /// <summary>Opens a file for reading, with no lock, so that writers are not kept away.</summary>
    public static SafeFileHandle OpenFile(string path) => OpenChecked(path, CloseOnExec, 0);

    private static SafeFileHandle OpenChecked(string path, int flags, int mode)
    {
        var file = Open(path, flags, (uint)mode);
        if (file.IsInvalid)
        {
            var error = Failure("open", path);
            file.Dispose();
            throw error;
        }

        return file;
    }

    /// <summary>lstat(2).</summary>
    public static Status LinkStatus(string path)
    {
        if (Statx(AtFdcwd, path, AtSymlinkNofollow, StatxBasicStats, out var buffer) != 0)
        {
            throw Failure("statx", path);
        }

        return buffer.ToStatus();
    }

    /// <summary>fstat(2).</summary>
    public static Status HandleStatus(SafeFileHandle file, string path)
    {
        if (StatxHandle(file, "", AtEmptyPath, StatxBasicStats, out var buffer) != 0)
        {
            throw Failure("statx", path);
        }

        return buffer.ToStatus();
    }

    public static void SetMode(SafeFileHandle file, int mode, string path)
    {
        if (Fchmod(file, (uint)mode) != 0)
        {
            throw Failure("fchmod", path);
        }
    }

    public static void SetMode(string path, int mode)
    {
        if (Chmod(path, (uint)mode) != 0)
        {
            throw Failure("chmod", path);
        }
    }

    public static unsafe void SetModifiedTime(SafeFileHandle file, UnixTime time, string path)
    {
        var times = stackalloc Timespec[2] { Timespec.Omit, Timespec.From(time) };
        if (Futimens(file, times) != 0)
        {
            throw Failure("futimens", path);
        }
    }

    /// <summary>Sets the time of a folder, or of a link itself.</summary>
    public static unsafe void SetLinkModifiedTime(string path, UnixTime time)
    {
        var times = stackalloc Timespec[2] { Timespec.Omit, Timespec.From(time) };
        if (Utimensat(AtFdcwd, path, times, AtSymlinkNofollow) != 0)
        {
            throw Failure("utimensat", path);
        }
    }

    public static void MakeDirectory(string path, int mode)
    {
        if (Mkdir(path, (uint)mode) != 0)
        {
            throw Failure("mkdir", path);
        }
    }

    public static void MakeSymbolicLink(string target, string path)
    {
        if (Symlink(target, path) != 0)
        {
            throw Failure("symlink", path);
        }
    }

    /// <summary>Reserves <paramref name="size"/> bytes. False when the file system has no such call; ENOSPC is an error.</summary>
    public static bool TryAllocate(SafeFileHandle file, long size, string path)
    {
        const int Eopnotsupp = 95, Enosys = 38;
        while (Fallocate(file, 0, 0, size) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is Eopnotsupp or Enosys)
            {
                return false;
            }

            if (error != Eintr)
            {
                throw Failure("fallocate", path);
            }
        }

        return true;
    }

    private static IOException Failure(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} failed on {path}: {Marshal.GetPInvokeErrorMessage(error)}", new Win32Exception(error));
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxBuffer buffer);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatxHandle(SafeFileHandle file, string path, int flags, uint mask, out StatxBuffer buffer);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    private static partial int Fchmod(SafeFileHandle file, uint mode);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chmod(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    private static unsafe partial int Futimens(SafeFileHandle file, Timespec* times);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Utimensat(int folder, string path, Timespec* times, int flags);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mkdir(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Symlink(string target, string path);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Fallocate(SafeFileHandle file, int mode, long offset, long length);

    /// <summary>struct timespec of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timespec(long seconds, long nanoseconds)
    {
        public readonly long Seconds = seconds;
        public readonly long Nanoseconds = nanoseconds;

        public static Timespec Omit => new(0, UtimeOmit);

        public static Timespec From(UnixTime time) => new(time.Seconds, time.Nanoseconds);
    }

    /// <summary>struct statx_timestamp.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private readonly struct StatxTimestamp
    {
        public readonly long Seconds;
        public readonly uint Nanoseconds;

        public UnixTime ToUnixTime() => new(Seconds, Nanoseconds);
    }

    /// <summary>struct statx, 256 bytes; the fields that are read stand at the offsets of linux/stat.h.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct StatxBuffer
    {
        [FieldOffset(28)]
        private readonly ushort _mode;

        [FieldOffset(32)]
        private readonly ulong _inode;

        [FieldOffset(40)]
        private readonly ulong _size;

        [FieldOffset(96)]
        private readonly StatxTimestamp _changed;

        [FieldOffset(112)]
        private readonly StatxTimestamp _modified;

        public Status ToStatus() => new(_mode, _inode, (long)_size, _modified.ToUnixTime(), _changed.ToUnixTime());
    }
}
