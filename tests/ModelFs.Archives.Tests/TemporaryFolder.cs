namespace ModelFs.Archives.Tests;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "modelfs-archives-" + Guid.NewGuid().ToString("n"));

    /// <summary>Makes a folder in it.</summary>
    public string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public void Dispose()
    {
        MakeRemovable(Path);
        Directory.Delete(Path, recursive: true);
    }

    /// <summary>Folders that their owner may not enter can't be emptied either, unless root does it.</summary>
    private static void MakeRemovable(string folder)
    {
        InteropFiles.SetMode(folder, 0x1c0);
        foreach (var inner in Directory.GetDirectories(folder).Where(inner => new DirectoryInfo(inner).LinkTarget is null))
        {
            MakeRemovable(inner);
        }
    }
}
