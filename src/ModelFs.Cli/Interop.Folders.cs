using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Cli;

/// <summary>Folders as descriptors: locking, syncing and exchanging them.</summary>
internal static partial class Interop
{
    private const int CloseOnExec = 0x80000;
    private const int LockExclusiveNow = 2 | 4;
    private const int CurrentFolder = -100;
    private const uint RenameExchange = 2;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFileSystem(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int fromFolder, string from, int toFolder, string to, uint flags);

    /// <summary>Opens a folder; closing the handle gives its lock up.</summary>
    /// <exception cref="IOException">It can't be opened.</exception>
    internal static SafeFileHandle OpenFolder(string path)
    {
        var descriptor = Open(path, CloseOnExec);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path);
    }

    /// <summary>Locks a folder against others who lock it, until its handle is closed; does not wait.</summary>
    /// <returns>False when somebody else holds it.</returns>
    internal static bool TryLock(SafeFileHandle folder) => Lock(folder, LockExclusiveNow) == 0;

    /// <summary>Brings a folder's names to the disk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    internal static void SyncFolder(string path)
    {
        using var folder = OpenFolder(path);
        if (Sync(folder) != 0)
        {
            throw Failure("sync", path);
        }
    }

    /// <summary>Brings everything on a folder's file system to the disk: one call, however many files were written.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    internal static void SyncFileSystemOf(SafeFileHandle folder, string path)
    {
        if (SyncFileSystem(folder) != 0)
        {
            throw Failure("sync", path);
        }
    }

    /// <summary>Renames a file or folder; an empty folder of the new name is replaced.</summary>
    /// <exception cref="IOException">It can't be.</exception>
    internal static void Rename(string from, string to)
    {
        if (Rename(CurrentFolder, from, CurrentFolder, to, 0) != 0)
        {
            throw Failure("rename", to);
        }
    }

    /// <summary>Exchanges two names in one step.</summary>
    /// <returns>False where the file system can't.</returns>
    /// <exception cref="IOException">Another failure.</exception>
    internal static bool TryExchange(string one, string other)
    {
        if (Rename(CurrentFolder, one, CurrentFolder, other, RenameExchange) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is Errno.EINVAL or Errno.ENOSYS or Errno.ENOTSUP ? false : throw Failure("replace", other);
    }

    private static IOException Failure(string verb, string path) => new($"cannot {verb} {path}: {Marshal.GetLastPInvokeErrorMessage()}");
}
