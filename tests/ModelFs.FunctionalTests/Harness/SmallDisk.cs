namespace ModelFs.FunctionalTests.Harness;

/// <summary>A file system of a few megabytes in memory, so that a disk can be full. Mounted over a folder of the test's; needs root.</summary>
internal sealed class SmallDisk : IDisposable
{
    /// <param name="folder">Becomes the disk; below the test's own folder, which unmounts what is left.</param>
    /// <param name="size">As tmpfs takes it, for example <c>8M</c>.</param>
    public SmallDisk(string folder, string size)
    {
        Requires.Root();
        Path = folder;
        var mounting = Actor.Try("/bin/mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder);
        if (mounting.ExitCode != 0)
        {
            Assert.Ignore("needs a tmpfs of its own: " + mounting.Error.Trim());
        }
    }

    public string Path { get; }

    /// <summary>Bytes that can still be written.</summary>
    public long Free => new DriveInfo(Path).AvailableFreeSpace;

    /// <summary>Lazily: a daemon of the test may still have files open on it.</summary>
    public void Dispose() => Actor.Try("/bin/umount", "-l", Path);
}
