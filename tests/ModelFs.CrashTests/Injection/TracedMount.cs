using System.Text.Json;
using ModelFs.CrashTests.Kills;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Injection;

/// <summary>A folder store, a cache and a mount whose processes run under the injector from their first system call on.</summary>
internal sealed class TracedMount : IDisposable
{
    private readonly TestFolder _home;
    private readonly string[] _program;
    private SyscallInjector? _injector;
    private ServedMount? _served;

    /// <param name="home">Where everything of it lies.</param>
    /// <param name="options">More of <c>modelfs mount</c>.</param>
    public TracedMount(TestFolder home, params IReadOnlyList<string> options)
    {
        Root = home.Create("models");
        Store = home.Create("store");
        Cache = home.Create("cache");
        _home = home;
        _program =
        [
            RepositoryPaths.Program, "mount", Store, Root, "--cache-dir", Cache, "--log-file", home.At("models.log"), "--settle", "0.05", "--settle-new", "0.3",
            "--switch-after", "0.3", .. options,
        ];
    }

    public string Root { get; }

    public string Store { get; }

    public string Cache { get; }

    /// <summary>Whether calls on the store's folder are let be.</summary>
    public bool OnlyCache { get; init; }

    public SyscallInjector Injector => _injector ??= new SyscallInjector(_home, OnlyCache ? [Cache] : [Cache, Store], _program);

    /// <summary>Names for the folders in the words of a step.</summary>
    public IReadOnlyDictionary<string, string> Folders => new Dictionary<string, string> { ["cache"] = Cache, ["store"] = Store };

    /// <summary>Changes that the store does not have, or work in the store that is not done.</summary>
    public bool IsDirty => CacheEvidence.IsDirty(Cache);

    /// <summary>The processes behind the mount.</summary>
    public ServedMount Served => _served ?? throw new InvalidOperationException("nothing is mounted yet");

    /// <summary>Mounts, and waits until that is done.</summary>
    public void Mount()
    {
        Injector.Go();
        Eventually.True(() => Injector.Messages.Contains("is mounted at", StringComparison.Ordinal), "the mount is ready");
        _served = new ServedMount(Cache);
    }

    /// <summary>The same with a new keeper, which waits for nothing: one whose daemons die young starts the next one later each time.</summary>
    public void MountAgain()
    {
        Unmount();
        Dispose();
        _injector = null;
        Mount();
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

    public void Dispose() => _injector?.Dispose();
}
