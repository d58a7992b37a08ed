namespace ModelFs.FunctionalTests.Harness;

/// <summary>A folder of one test. Disposing it ends every process that was started for something inside of it, unmounts and deletes.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder()
    {
        Path = Directory.CreateTempSubdirectory("modelfs-").FullName;
        // Other users' mounts below it must be reachable (the default of a temporary folder is 0700).
        File.SetUnixFileMode(Path, (UnixFileMode)0b111_101_101);
    }

    public string Path { get; }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public string Create(string name) => Directory.CreateDirectory(At(name)).FullName;

    /// <summary>Processes whose command line or environment names this folder; its name is random, so they are this test's own.</summary>
    public IReadOnlyList<int> Processes()
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(System.IO.Path.GetFileName(folder), out var id) && id != Environment.ProcessId && (Mentions(folder + "/cmdline") || Mentions(folder + "/environ")) && Signals.IsAlive(id))
            {
                found.Add(id);
            }
        }

        return found;
    }

    public void Dispose()
    {
        foreach (var id in Processes())
        {
            Signals.Send(id, Signals.Continue);
            Signals.Send(id, Signals.Kill);
        }

        foreach (var point in MountTable.Below(Path))
        {
            if (Environment.IsPrivilegedProcess)
            {
                Actor.Try("/bin/umount", "-l", point);
            }
            else
            {
                Actor.Try("/usr/bin/fusermount3", "-u", "-z", point);
            }
        }

        Assert.That(MountTable.Below(Path), Is.Empty, "a mount is left");
        Eventually.True(() => Processes().Count == 0, "all processes of the test have ended");
        Actor.Run("/bin/rm", "-rf", "--one-file-system", Path);
    }

    private bool Mentions(string file)
    {
        try
        {
            return File.ReadAllText(file).Contains(Path, StringComparison.Ordinal);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
