namespace ModelFs.Stores.Tests;

/// <summary>A folder for one test, gone afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("modelfs-stores-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
