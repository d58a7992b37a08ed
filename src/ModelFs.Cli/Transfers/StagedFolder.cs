using Microsoft.Win32.SafeHandles;

namespace ModelFs.Cli.Transfers;

/// <summary>
/// A folder that is filled beside the place where it belongs and takes that place whole, by one rename. It is locked while it is filled, so that one that a killed
/// program left is known, and removed by the next who works beside it.
/// </summary>
internal sealed class StagedFolder : IDisposable
{
    private const string Prefix = ".modelfs-pull-";
    private const string AsideSuffix = ".replaced";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _target;
    private readonly SafeFileHandle _lock;

    private StagedFolder(string target, string path, SafeFileHandle held)
    {
        _target = target;
        Path = path;
        _lock = held;
    }

    /// <summary>The folder to fill: empty, on the file system of the target.</summary>
    public string Path { get; }

    /// <summary>Makes the folder beside its target; parents of the target are made.</summary>
    /// <param name="target">Absolute, not the root.</param>
    /// <exception cref="IOException">It can't be made.</exception>
    public static StagedFolder Create(string target)
    {
        var parent = Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!).FullName;
        RemoveAbandoned(parent);
        while (true)
        {
            var path = System.IO.Path.Combine(parent, Prefix + System.IO.Path.GetRandomFileName());
            Directory.CreateDirectory(path, OwnerOnly);
            var held = Interop.OpenFolder(path);
            if (Interop.TryLock(held) && Directory.Exists(path))
            {
                return new StagedFolder(target, path, held);
            }

            // Somebody took it for an abandoned one in the moment between making and locking it.
            held.Dispose();
        }
    }

    /// <summary>Brings the content to the disk and puts the folder at its place; returns when that is durable.</summary>
    /// <param name="replace">Whether to replace a folder that has content. Without, only an empty one or nothing may be there.</param>
    /// <exception cref="IOException">The disk failed, or something is at the place; it stands untouched.</exception>
    public void Commit(bool replace)
    {
        Interop.SyncFileSystemOf(_lock, Path);
        if (!replace || !Directory.Exists(_target))
        {
            Interop.Rename(Path, _target);
        }
        else if (!Interop.TryExchange(Path, _target))
        {
            ReplaceInTwoSteps();
        }

        Interop.SyncFolder(System.IO.Path.GetDirectoryName(_target)!);
    }

    /// <summary>Removes what is left under the temporary name: an unfinished folder, or the one that was replaced.</summary>
    public void Dispose()
    {
        Remove(Path);
        _lock.Dispose();
    }

    private static void RemoveAbandoned(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories(parent, Prefix + "*").Where(name => !name.EndsWith(AsideSuffix, StringComparison.Ordinal)).ToList())
        {
            try
            {
                using var held = Interop.OpenFolder(folder);
                if (Interop.TryLock(held))
                {
                    Remove(folder);
                }
            }
            catch (IOException)
            {
                // It is gone by now, or somebody else's.
            }
        }
    }

    /// <summary>For file systems that can't exchange names. A kill between the steps leaves the old folder under a name that nobody removes.</summary>
    private void ReplaceInTwoSteps()
    {
        var aside = Path + AsideSuffix;
        Interop.Rename(_target, aside);
        try
        {
            Interop.Rename(Path, _target);
        }
        catch (IOException)
        {
            Interop.Rename(aside, _target);
            throw;
        }

        Remove(aside);
    }

    /// <summary>Removes a folder whatever the modes inside are; what can't be removed is left to the next who works here.</summary>
    private static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        try
        {
            File.SetUnixFileMode(folder, OwnerOnly);
            var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = true };
            foreach (var inner in new DirectoryInfo(folder).EnumerateDirectories("*", all).Where(inner => inner.LinkTarget is null))
            {
                inner.UnixFileMode |= OwnerOnly;
            }

            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It keeps its name and its missing lock, by which it is found again.
        }
    }
}
