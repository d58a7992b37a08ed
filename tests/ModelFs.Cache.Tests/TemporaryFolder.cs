namespace ModelFs.Cache.Tests;

/// <summary>A folder for one test, gone afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("modelfs-cache-").FullName;

    public void Dispose() => TreeRemoval.Remove(Path);
}
