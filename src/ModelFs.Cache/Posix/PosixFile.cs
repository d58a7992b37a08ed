using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ModelFs.Models;

namespace ModelFs.Cache.Posix;

/// <summary>
/// File calls that answer with an error number instead of an exception: on the path of a file system most failures are ordinary answers.
/// Every path is absolute, unless a folder is given that it starts from; a final symbolic link is never followed.
/// </summary>
public static unsafe class PosixFile
{
    /// <summary>For reading only.</summary>
    public const int ReadOnly = 0;

    /// <summary>For writing only.</summary>
    public const int WriteOnly = 1;

    /// <summary>For both.</summary>
    public const int ReadWrite = 2;

    /// <summary>O_CREAT.</summary>
    public const int Create = 0x40;

    /// <summary>O_EXCL.</summary>
    public const int Exclusive = 0x80;

    /// <summary>O_TRUNC.</summary>
    public const int Truncate = 0x200;

    /// <summary>renameat2's flag that refuses an existing target.</summary>
    public const uint RenameNoReplace = 1;

    /// <summary>FS_TOPDIR_FL (<c>chattr +T</c>): ext4 takes the folders in a folder for unrelated, and lays each with its files where the disk is empty.</summary>
    public const int TopFolderFlag = 0x20000;

    /// <summary>Leaves a time as it is (UTIME_OMIT), for <see cref="SetTimes"/>.</summary>
    public static readonly UnixTime TimeUnchanged = new(0, (1 << 30) - 2);

    // O_NOFOLLOW and O_DIRECTORY are swapped between the two architectures (arch/arm64/include/uapi/asm/fcntl.h).
    private static readonly int s_noFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>Opens a file; the descriptor is closed on exec.</summary>
    public static Errno Open(string path, int flags, uint mode, out SafeFileHandle file)
    {
        int descriptor;
        do
        {
            descriptor = Interop.open(path, flags | s_noFollow | Interop.OpenCloseOnExec, mode);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR);

        file = new SafeFileHandle(descriptor, ownsHandle: true);
        return Result(descriptor);
    }

    /// <summary>Makes a file with exactly these permission bits, whatever the umask; refuses an existing one.</summary>
    public static Errno MakeFile(string path, uint mode)
    {
        var error = MakeFile(path, WriteOnly, mode, out var file, out _);
        file.Dispose();
        return error;
    }

    /// <summary>The same, and hands the file on open, with its inode. Nothing is left of a file that fails half-way, unless the disk refuses that, too.</summary>
    public static Errno MakeFile(string path, int flags, uint mode, out SafeFileHandle file, out ulong inode)
    {
        inode = 0;
        var error = Open(path, flags | Create | Exclusive, mode, out file);
        if (error != Errno.None)
        {
            return error;
        }

        // To look whether a umask or an access list took bits from the mode costs a tenth of setting it.
        error = Stat(path, out var status);
        if (error == Errno.None && (status.Mode & ~FileStatus.TypeMask) != mode)
        {
            error = SetMode(file, mode);
        }

        if (error != Errno.None)
        {
            _ = Unlink(path);
        }

        inode = status.Inode;
        return error;
    }

    /// <summary>Makes an empty file in one call (mknod); the umask takes bits from its mode. Refuses an existing one.</summary>
    public static Errno MakeNode(string path, uint mode) => Result(Interop.mknod(path, FileStatus.TypeFile | mode, 0));

    /// <summary>The same for a path below an open folder, which may have been renamed since, and need not be looked for.</summary>
    public static Errno MakeNode(SafeFileHandle folder, string path, uint mode) => Result(Interop.mknodat(folder, path, FileStatus.TypeFile | mode, 0));

    /// <summary>Reads at an offset until the buffer is full or the file ends.</summary>
    public static Errno Read(SafeFileHandle file, Span<byte> buffer, long offset, out int count)
    {
        count = 0;
        fixed (byte* start = buffer)
        {
            while (count < buffer.Length)
            {
                var got = Interop.pread(file, start + count, (nuint)(buffer.Length - count), offset + count);
                if (got < 0)
                {
                    var error = LastError();
                    if (error == Errno.EINTR)
                    {
                        continue;
                    }

                    return error;
                }

                if (got == 0)
                {
                    break;
                }

                count += (int)got;
            }
        }

        return Errno.None;
    }

    /// <summary>Writes buffers one after the other from an offset on, by as few calls as the kernel allows.</summary>
    public static Errno Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset)
    {
        if (buffers.Count == 1)
        {
            return Write(file, buffers[0].Span, offset, out _);
        }

        try
        {
            RandomAccess.Write(file, buffers, offset);
            return Errno.None;
        }
        catch (IOException error)
        {
            // .NET gives the errno as the HResult, but for those that it has types for; none of these comes of a file that is open.
            return (Errno)error.HResult;
        }
    }

    /// <summary>Writes the whole buffer at an offset; on an error <paramref name="count"/> tells how much got through.</summary>
    public static Errno Write(SafeFileHandle file, ReadOnlySpan<byte> buffer, long offset, out int count)
    {
        count = 0;
        fixed (byte* start = buffer)
        {
            while (count < buffer.Length)
            {
                var put = Interop.pwrite(file, start + count, (nuint)(buffer.Length - count), offset + count);
                if (put < 0)
                {
                    var error = LastError();
                    if (error == Errno.EINTR)
                    {
                        continue;
                    }

                    return error;
                }

                count += (int)put;
            }
        }

        return Errno.None;
    }

    /// <summary>lstat.</summary>
    public static Errno Stat(string path, out FileStatus status)
    {
        // struct statx (linux/stat.h), 256 bytes, the same on every architecture.
        var raw = stackalloc byte[256];
        var result = Interop.statx(Interop.AtCurrentFolder, path, Interop.AtNoFollow, Interop.StatxBasicStats, raw);
        if (result < 0)
        {
            status = default;
            return LastError();
        }

        var fields = new ReadOnlySpan<byte>(raw, 256);
        status = new FileStatus(
            Inode: BinaryPrimitives.ReadUInt64LittleEndian(fields[32..]),
            Mode: BinaryPrimitives.ReadUInt16LittleEndian(fields[28..]),
            LinkCount: BinaryPrimitives.ReadUInt32LittleEndian(fields[16..]),
            Size: BinaryPrimitives.ReadInt64LittleEndian(fields[40..]),
            Blocks: BinaryPrimitives.ReadInt64LittleEndian(fields[48..]),
            AccessTime: ReadTime(fields[64..]),
            ModifiedTime: ReadTime(fields[112..]),
            ChangeTime: ReadTime(fields[96..]));
        return Errno.None;
    }

    /// <summary>All names of a folder except <c>.</c> and <c>..</c>, in the file system's order. Names that are not UTF-8 are left out.</summary>
    public static Errno List(string path, out List<FolderEntry> entries)
    {
        entries = [];
        var stream = Interop.opendir(path);
        if (stream == 0)
        {
            return LastError();
        }

        try
        {
            while (true)
            {
                Marshal.SetLastSystemError(0);
                var record = Interop.readdir(stream);
                if (record == null)
                {
                    return LastError();
                }

                // struct dirent of a 64-bit glibc or musl: d_ino 0, d_off 8, d_reclen 16, d_type 18, d_name 19.
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(record + 19);
                if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || !System.Text.Unicode.Utf8.IsValid(name))
                {
                    continue;
                }

                entries.Add(new FolderEntry(Encoding.UTF8.GetString(name), *(ulong*)record, (uint)record[18] << 12));
            }
        }
        finally
        {
            _ = Interop.closedir(stream);
        }
    }

    /// <summary>mkdir with exactly these permission bits, whatever the umask. Nothing is left of a folder that fails half-way, unless the disk refuses that, too.</summary>
    public static Errno MakeFolder(string path, uint mode)
    {
        var error = Result(Interop.mkdir(path, mode));
        if (error == Errno.None && (error = SetMode(path, mode)) != Errno.None)
        {
            _ = RemoveFolder(path);
        }

        return error;
    }

    /// <summary>rmdir.</summary>
    public static Errno RemoveFolder(string path) => Result(Interop.rmdir(path));

    /// <summary>unlink.</summary>
    public static Errno Unlink(string path) => Result(Interop.unlink(path));

    /// <summary>renameat2.</summary>
    public static Errno Rename(string from, string to, uint flags = 0) =>
        Result(Interop.renameat2(Interop.AtCurrentFolder, from, Interop.AtCurrentFolder, to, flags));

    /// <summary>symlink.</summary>
    public static Errno MakeLink(string target, string path) => Result(Interop.symlink(target, path));

    /// <summary>readlink.</summary>
    public static Errno ReadLink(string path, out string target)
    {
        var buffer = stackalloc byte[4096];
        var length = Interop.readlink(path, buffer, 4096);
        target = length < 0 ? "" : Encoding.UTF8.GetString(buffer, (int)length);
        return length < 0 ? LastError() : Errno.None;
    }

    /// <summary>Sets permission bits of a file or folder.</summary>
    public static Errno SetMode(string path, uint mode) => Result(Interop.chmod(path, mode));

    /// <summary>Sets permission bits of an open file, whatever the umask.</summary>
    public static Errno SetMode(SafeFileHandle file, uint mode) => Result(Interop.fchmod(file, mode));

    /// <summary>Sets both times; <see cref="TimeUnchanged"/> leaves one as it is.</summary>
    public static Errno SetTimes(string path, UnixTime access, UnixTime modified)
    {
        var times = stackalloc long[4] { access.Seconds, access.Nanoseconds, modified.Seconds, modified.Nanoseconds };
        return Result(Interop.utimensat(Interop.AtCurrentFolder, path, times, Interop.AtNoFollow));
    }

    /// <summary>truncate.</summary>
    public static Errno SetLength(string path, long length) => Result(Interop.truncate(path, length));

    /// <summary>ftruncate.</summary>
    public static Errno SetLength(SafeFileHandle file, long length) => Result(Interop.ftruncate(file, length));

    /// <summary>fallocate.</summary>
    public static Errno Allocate(SafeFileHandle file, int mode, long offset, long length) => Result(Interop.fallocate(file, mode, offset, length));

    /// <summary>lseek, for SEEK_DATA and SEEK_HOLE.</summary>
    public static Errno Seek(SafeFileHandle file, long offset, int whence, out long position)
    {
        position = Interop.lseek(file, offset, whence);
        return position < 0 ? LastError() : Errno.None;
    }

    /// <summary>fsync, or fdatasync.</summary>
    public static Errno Sync(SafeFileHandle file, bool dataOnly = false) => Result(dataOnly ? Interop.fdatasync(file) : Interop.fsync(file));

    /// <summary>Brings everything of the file system that a folder lies on to the disk.</summary>
    public static Errno SyncFileSystem(string folder)
    {
        var error = Open(folder, ReadOnly, 0, out var file);
        using (file)
        {
            return error == Errno.None ? Result(Interop.syncfs(file)) : error;
        }
    }

    /// <summary>Opens and fsyncs a file or a folder.</summary>
    public static Errno SyncPath(string path)
    {
        var error = Open(path, ReadOnly, 0, out var file);
        using (file)
        {
            return error == Errno.None ? Sync(file) : error;
        }
    }

    /// <summary>Reads the flags that <c>lsattr</c> shows (FS_IOC_GETFLAGS); an error on file systems that have none.</summary>
    public static Errno GetFlags(string path, out int flags)
    {
        var error = Open(path, ReadOnly, 0, out var file);
        using (file)
        {
            flags = 0;
            return error == Errno.None ? GetFlags(file, out flags) : error;
        }
    }

    /// <summary>Adds to the flags that <c>chattr</c> sets (FS_IOC_SETFLAGS); an error on file systems that don't have these.</summary>
    public static Errno AddFlags(string path, int flags)
    {
        var error = Open(path, ReadOnly, 0, out var file);
        using (file)
        {
            var before = 0;
            error = error == Errno.None ? GetFlags(file, out before) : error;
            if (error != Errno.None || (before & flags) == flags)
            {
                return error;
            }

            long value = before | flags;
            return Result(Interop.ioctl(file, Interop.SetFlags, &value));
        }
    }

    private static Errno GetFlags(SafeFileHandle file, out int flags)
    {
        long value = 0;
        var error = Result(Interop.ioctl(file, Interop.GetFlags, &value));
        flags = (int)value;
        return error;
    }

    /// <summary>statvfs.</summary>
    public static Errno StatFileSystem(string path, out FileSystemStatus status)
    {
        // struct statvfs of a 64-bit C library begins with eight-byte f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree.
        var raw = stackalloc ulong[32];
        var result = Interop.statvfs(path, raw);
        status = result < 0 ? default : new FileSystemStatus(raw[1], raw[2], raw[3], raw[4], raw[5], raw[6]);
        return Result(result);
    }

    /// <summary>Takes an exclusive lock on an open file without waiting.</summary>
    /// <returns><see cref="Errno.EAGAIN"/> when another process holds it.</returns>
    public static Errno LockExclusive(SafeFileHandle file) => Result(Interop.flock(file, Interop.LockExclusive | Interop.LockNonBlocking));

    /// <summary>Whether no descriptor and no shared mapping can write to the file at this moment.</summary>
    /// <returns>
    /// <see cref="Errno.None"/> when it is quiet, <see cref="Errno.EAGAIN"/> when somebody can write, another error when the file system can't tell.
    /// </returns>
    /// <remarks>
    /// fcntl(2), F_SETLEASE: a read lease is refused while the file is open for writing, and a writable mapping keeps its descriptor's
    /// file open. The lease is given back at once, so nobody's open ever waits for it to break; SIGIO, which a break would raise in
    /// between, is ignored.
    /// </remarks>
    public static Errno ProbeQuiet(string path)
    {
        _ = Interop.signal(Interop.SignalIo, Interop.SignalIgnore);
        var error = Open(path, ReadOnly, 0, out var file);
        using (file)
        {
            if (error != Errno.None)
            {
                return error;
            }

            error = Result(Interop.fcntl(file, Interop.FcntlSetLease, Interop.LeaseRead));
            if (error == Errno.None)
            {
                _ = Interop.fcntl(file, Interop.FcntlSetLease, Interop.LeaseNone);
            }

            return error;
        }
    }

    private static UnixTime ReadTime(ReadOnlySpan<byte> field) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(field), BinaryPrimitives.ReadUInt32LittleEndian(field[8..]));

    private static Errno Result(int result) => result < 0 ? LastError() : Errno.None;

    private static Errno LastError() => (Errno)Marshal.GetLastPInvokeError();
}
