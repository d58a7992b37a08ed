using System.Text.Json;
using ModelFs.CrashTests.Kills;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Injection;

/// <summary>A folder store, a cache and a mount whose processes run under the injector from their first system call on.</summary>
internal sealed class TracedMount : IDisposable
{
    private readonly SyscallInjector _injector;
    private ServedMount? _served;

    public TracedMount(TestFolder home, params IReadOnlyList<string> options)
    {
        Root = home.Create("models");
        Store = home.Create("store");
        Cache = home.Create("cache");
        string[] program =
        [
            RepositoryPaths.Program, "mount", Store, Root, "--cache-dir", Cache, "--log-file", home.At("models.log"), "--settle", "0.05", "--settle-new", "0.3",
            "--switch-after", "0.3", .. options,
        ];
        _injector = new SyscallInjector(home, [Cache, Store], program);
    }

    public string Root { get; }

    public string Store { get; }

    public string Cache { get; }

    public SyscallInjector Injector => _injector;

    /// <summary>Names for the folders in the words of a step.</summary>
    public IReadOnlyDictionary<string, string> Folders => new Dictionary<string, string> { ["cache"] = Cache, ["store"] = Store };

    /// <summary>Changes that the store does not have.</summary>
    public bool IsDirty => Directory.EnumerateFiles(Path.Combine(Cache, "journal")).Any();

    /// <summary>The processes behind the mount.</summary>
    public ServedMount Served => _served ?? throw new InvalidOperationException("nothing is mounted yet");

    /// <summary>Mounts, and waits until that is done.</summary>
    public void Mount()
    {
        _injector.Go();
        Eventually.True(() => _injector.Messages.Contains("is mounted at", StringComparison.Ordinal), "the mount is ready");
        _served = new ServedMount(Cache);
    }

    /// <summary>Versions that are kept since they lost a conflict.</summary>
    public string[] Conflicts()
    {
        var folder = Path.Combine(Root, ".modelfs", "conflicts");
        return Directory.Exists(folder) ? [.. Directory.GetFileSystemEntries(folder).Select(each => Path.GetFileName(each))] : [];
    }

    /// <summary>What the status says of a model; null when it knows none of that name.</summary>
    public ModelStatus? StatusOf(string model)
    {
        using var document = JsonDocument.Parse(MountedStore.Modelfs(["status", Root, "--json"]).Succeeded().Output);
        return new StatusReport(document.RootElement.Clone()).Models.FirstOrDefault(each => each.Name == model);
    }

    /// <summary>Publishes everything and unmounts.</summary>
    public void Unmount() => MountedStore.Modelfs(["unmount", Root]).Succeeded();

    public void Dispose() => _injector.Dispose();
}
