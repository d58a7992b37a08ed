using Microsoft.Win32.SafeHandles;

namespace ModelFs.Stores;

/// <summary>
/// The last step of a publish: a finished file gets its name. Only this step is serialised, over all publishers of one folder, by a
/// lock on the folder that dies with its process.
/// </summary>
internal sealed class FolderPublishGate(string folder, StoreOptions options)
{
    /// <summary>Names that start so are the store's own and no objects.</summary>
    internal const string OwnPrefix = ".modelfs-";

    private const string PartialSuffix = ".partial";
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(5);

    /// <summary>Long enough for a publisher to lock the file that it has just made.</summary>
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromSeconds(10);

    /// <summary>Whether the file system was seen to refuse a rename or link onto an existing name, which makes creation atomic.</summary>
    internal Creation CreationBy { get; private set; } = Creation.CheckedBefore;

    /// <summary>How a name is given to a file only if the name is free.</summary>
    internal enum Creation
    {
        /// <summary>renameat2 with RENAME_NOREPLACE.</summary>
        Rename,

        /// <summary>link, then unlink: for file systems that lack the former, NFS among them.</summary>
        Link,

        /// <summary>A look, then a rename.</summary>
        CheckedBefore,
    }

    /// <summary>A new name in the folder that no listing shows.</summary>
    internal string NewPartialPath() => Path.Combine(folder, $"{OwnPrefix}{Environment.ProcessId}-{Guid.NewGuid():N}{PartialSuffix}");

    /// <summary>Finds out which way of creation the file system really refuses to replace by; a folder that can't be written keeps the weakest.</summary>
    internal void Probe()
    {
        var taken = NewPartialPath();
        var other = NewPartialPath();
        try
        {
            File.WriteAllBytes(taken, []);
            File.WriteAllBytes(other, []);
            CreationBy =
                Interop.RenameAt2(Interop.AtFdCwd, other, Interop.AtFdCwd, taken, Interop.RenameNoReplace) != 0 && LastErrno() == Interop.EEXIST ? Creation.Rename
                : Interop.Link(other, taken) != 0 && LastErrno() == Interop.EEXIST && CanLink(other) ? Creation.Link
                : Creation.CheckedBefore;
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            CreationBy = Creation.CheckedBefore;
        }
        finally
        {
            TryDelete(taken);
            TryDelete(other);
        }
    }

    /// <summary>Deletes what publishers that died left behind: unfinished files that nobody holds open.</summary>
    internal void RemoveLeftovers()
    {
        var limit = options.TimeProvider.GetUtcNow() - LeftoverAge;
        foreach (var path in Directory.EnumerateFiles(folder, OwnPrefix + "*" + PartialSuffix))
        {
            if (FileIdentity.TryGet(path, out var identity) == 0 && identity.LastModified < limit && IsAbandoned(path))
            {
                TryDelete(path);
            }
        }
    }

    /// <summary>A publisher holds its unfinished file open with a shared lock (.NET's FileShare), which dies with it.</summary>
    private static bool IsAbandoned(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return true;
        }
        catch (Exception error) when (FolderErrors.IsOfFileSystem(error))
        {
            return false;
        }
    }

    /// <summary>Waits until no other publisher of this folder is in its last step.</summary>
    internal async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        var started = options.TimeProvider.GetTimestamp();
        while (true)
        {
            if (TryLockFolder(out var held))
            {
                return held;
            }

            if (options.TimeProvider.GetElapsedTime(started) >= options.Deadlines.NoProgress)
            {
                throw new StoreException(StoreErrorKind.Unavailable, $"{folder}: another publisher has held its lock for {options.Deadlines.NoProgress.TotalSeconds} s; find it with lslocks");
            }

            await Task.Delay(LockPause, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Locks the folder itself, so that no lock file is left in it; the lock ends with the descriptor, and so with the process.</summary>
    /// <returns>False when another publisher holds it.</returns>
    private bool TryLockFolder(out SafeFileHandle held)
    {
        held = new SafeFileHandle(Interop.OpenDirectory(folder, Interop.OpenCloseOnExec), ownsHandle: true);
        var errno = held.IsInvalid || Interop.Flock(held, Interop.LockExclusive | Interop.LockNonBlocking) != 0 ? LastErrno() : 0;

        // Some network file systems lock no folders; between their machines the condition is then checked without a lock.
        if (errno is 0 or Interop.EBADF or Interop.EINVAL or Interop.EOPNOTSUPP or Interop.ENOLCK && !held.IsInvalid)
        {
            return true;
        }

        held.Dispose();
        return errno == Interop.EAGAIN ? false : throw FolderErrors.Of(errno, "locking", folder);
    }

    /// <summary>Gives the name to a finished file only if it is free.</summary>
    /// <returns>False when it is taken.</returns>
    internal bool TryCreate(string partial, string path)
    {
        var errno = CreationBy switch
        {
            Creation.Rename => Interop.RenameAt2(Interop.AtFdCwd, partial, Interop.AtFdCwd, path, Interop.RenameNoReplace) == 0 ? 0 : LastErrno(),
            Creation.Link => Interop.Link(partial, path) == 0 ? 0 : LastErrno(),
            Creation.CheckedBefore => FileIdentity.TryGet(path, out _) == 0 ? Interop.EEXIST : Replace(partial, path),
        };
        if (errno is not (0 or Interop.EEXIST))
        {
            throw FolderErrors.Of(errno, "publishing", path);
        }

        if (errno == 0 && CreationBy == Creation.Link)
        {
            TryDelete(partial);
        }

        return errno == 0;
    }

    /// <summary>Gives the name to a finished file, replacing what has it.</summary>
    /// <returns>Zero: failures are thrown.</returns>
    internal static int Replace(string partial, string path)
    {
        File.Move(partial, path, overwrite: true);
        return 0;
    }

    /// <summary>Makes the folder's names durable. File systems that can't do it for folders are taken as durable.</summary>
    internal void SyncFolder()
    {
        var descriptor = Interop.OpenDirectory(folder, Interop.OpenCloseOnExec);
        if (descriptor < 0)
        {
            throw FolderErrors.Of(LastErrno(), "opening", folder);
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Interop.Fsync(handle) != 0 && LastErrno() is not (Interop.EINVAL or Interop.EOPNOTSUPP) and var errno)
        {
            throw FolderErrors.Of(errno, "syncing", folder);
        }
    }

    /// <summary>Deletes a file of the store's own; a failure leaves it to <see cref="RemoveLeftovers"/>.</summary>
    internal static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            // A leftover is harmless: it is hidden, and removed after a day.
        }
    }

    private bool CanLink(string existing)
    {
        var added = NewPartialPath();
        var linked = Interop.Link(existing, added) == 0;
        TryDelete(added);
        return linked;
    }

    private static int LastErrno() => System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
}
