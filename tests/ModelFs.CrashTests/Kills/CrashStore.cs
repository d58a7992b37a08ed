using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Kills;

/// <summary>A store as the crash tests use it: filled before, mounted, and read by others afterwards.</summary>
internal abstract class CrashStore : IDisposable
{
    /// <summary>What is mounted.</summary>
    public abstract string Url { get; }

    /// <summary>Where its objects lie, when it is a folder.</summary>
    public virtual string? Folder => null;

    public virtual IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>();

    /// <summary>Stores sample models.</summary>
    public abstract void Put(IEnumerable<string> models);

    /// <summary>Brings all archives into a folder, by other programs than the one under test.</summary>
    public abstract void Fetch(string folder);

    public virtual void Dispose()
    {
    }

    protected static void Pack(string folder, IEnumerable<string> models)
    {
        Directory.CreateDirectory(folder);
        Actor.Run(RepositoryPaths.Script("sample-models"), [folder, .. models.Select(model => model + ":A")]);
    }
}

/// <summary>A folder of archives.</summary>
internal sealed class FolderCrashStore(TestFolder home) : CrashStore
{
    public override string Url => home.At("store");

    public override string? Folder => Url;

    public override void Put(IEnumerable<string> models) => Pack(Url, models);

    public override void Fetch(string folder) => Actor.Bash($"rm -rf '{folder}'; cp -r '{Url}' '{folder}'");
}
