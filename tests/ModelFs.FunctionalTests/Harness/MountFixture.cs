namespace ModelFs.FunctionalTests.Harness;

/// <summary>Base of the tests on a mount: a folder of the test's own, a folder store in it, sample models, and a sure end.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal abstract class MountFixture : IDisposable
{
    private readonly List<MountedStore> _mounts = [];
    private TestFolder? _folder;

    protected TestFolder Folder => _folder ??= new TestFolder();

    /// <summary>The folder that is the store of most tests.</summary>
    protected string StoreFolder => Folder.At("store");

    [SetUp]
    public void A_mount_is_possible_here()
    {
        Requires.Fuse();
        Directory.CreateDirectory(StoreFolder);
    }

    /// <summary>Unmounts and removes what the test made, also after a failure.</summary>
    [TearDown]
    public void Everything_is_taken_down() => Dispose();

    public void Dispose()
    {
        foreach (var mount in Enumerable.Reverse(_mounts))
        {
            mount.Dispose();
        }

        _mounts.Clear();
        _folder?.Dispose();
        _folder = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Mounts the folder store; unmounted at the test's end.</summary>
    protected MountedStore Mount(MountSettings? settings = null, string? store = null, string mountName = "models", string cacheName = "cache")
    {
        var mounted = MountedStore.Start(Folder, store ?? StoreFolder, settings, mountName, cacheName);
        _mounts.Add(mounted);
        return mounted;
    }

    protected MountedStore TryMount(MountSettings? settings = null, string? store = null, string mountName = "models", string cacheName = "cache")
    {
        var mounted = MountedStore.Try(Folder, store ?? StoreFolder, settings, mountName, cacheName);
        _mounts.Add(mounted);
        return mounted;
    }

    /// <summary>Puts sample models into the store; the form of a model's description is told by <c>scripts/sample-models</c>.</summary>
    protected void Pack(params IEnumerable<string> models) => Actor.Run(RepositoryPaths.Script("sample-models"), [StoreFolder, .. models]);

    /// <summary>The same model, unpacked by nobody: a local folder to compare with.</summary>
    protected string Tree(string model, string below = "local")
    {
        Actor.Run(RepositoryPaths.Script("sample-models"), ["--tree", Folder.Create(below), model]);
        return Path.Combine(Folder.At(below), model.Split(':')[0]);
    }

    protected string ArchiveOf(string model) => Path.Combine(StoreFolder, model + ".tar.gz");

    /// <summary>Keys of the folder store; names with a leading dot are the store's own bookkeeping.</summary>
    protected string[] StoreKeys() =>
        [.. Directory.GetFileSystemEntries(StoreFolder).Select(path => Path.GetFileName(path)).Where(name => name[0] != '.').Order(StringComparer.Ordinal)];

    /// <summary>What tells one version of an archive from another: a replaced file has another inode.</summary>
    protected string RevisionOf(string model) => Actor.Run("/usr/bin/stat", ["-c", "%i %s %.Y %.Z", ArchiveOf(model)]).Output;

    /// <summary>The store's archive holds exactly the tree of <paramref name="folder"/>, as Python's tarfile reads it.</summary>
    protected void AssertArchiveHolds(string model, string folder) =>
        Actor.Run("/usr/bin/python3", [RepositoryPaths.Actor("archive_check.py"), "compare", ArchiveOf(model), folder, model.Split("___")[^1]]);

    /// <summary>A, B, C or D, as Python's tarfile reads it.</summary>
    protected string LayoutOf(string model) =>
        Actor.Run("/usr/bin/python3", [RepositoryPaths.Actor("archive_check.py"), "layout", ArchiveOf(model), model.Split("___")[^1]]).Output.Trim();

    protected IReadOnlyList<string> MembersOf(string model) =>
        Actor.Run("/usr/bin/python3", [RepositoryPaths.Actor("archive_check.py"), "members", ArchiveOf(model), model.Split("___")[^1]]).Lines;
}
