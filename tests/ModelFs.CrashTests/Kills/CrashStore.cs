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
    public void Put(TestFolder home, IEnumerable<string> models)
    {
        Actor.Run(RepositoryPaths.Script("sample-models"), [home.Create("initial"), .. models.Select(model => model + ":A")]);
        PutArchives(home.At("initial"));
    }

    /// <summary>Stores all archives of a folder.</summary>
    public abstract void PutArchives(string folder);

    /// <summary>Brings all archives into a folder, by other programs than the one under test.</summary>
    public abstract void Fetch(string folder);

    public virtual void Dispose()
    {
    }
}

/// <summary>A folder of archives.</summary>
internal sealed class FolderCrashStore(TestFolder home) : CrashStore
{
    public override string Url => home.At("store");

    public override string? Folder => Url;

    public override void PutArchives(string folder) => Actor.Bash($"mkdir -p '{Url}'; cp '{folder}'/* '{Url}'");

    public override void Fetch(string folder) => Actor.Bash($"rm -rf '{folder}'; cp -r '{Url}' '{folder}'");
}
