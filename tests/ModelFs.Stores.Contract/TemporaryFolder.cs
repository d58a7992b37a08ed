namespace ModelFs.Stores.Contract;

/// <summary>A folder for one test, gone afterwards.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("modelfs-stores-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
