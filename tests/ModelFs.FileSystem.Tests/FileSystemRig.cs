using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;
using ModelFs.Models;

namespace ModelFs.FileSystem.Tests;

/// <summary>A file system over a cache on a real disk and a store in memory; its daemon can die and be taken over from.</summary>
internal sealed class FileSystemRig : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("modelfs-fs-").FullName;
    private readonly Func<CacheOptions, CacheOptions> _configure;
    private readonly FileSystemOptions _options;
    private CacheFolder _folder = null!;
    private ulong _unique;

    private FileSystemRig(Func<CacheOptions, CacheOptions>? configure, FileSystemOptions? options)
    {
        _configure = configure ?? (each => each);
        _options = options ?? new FileSystemOptions();
        Store = new TestStore(Time);
    }

    /// <summary>Later than any time of the disk under the test.</summary>
    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2126, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public TestStore Store { get; }

    public ModelCache Cache { get; private set; } = null!;

    public ModelFileSystem FileSystem { get; private set; } = null!;

    /// <summary>Copies that no name leads to any more; the file system was told before.</summary>
    public ConcurrentQueue<ModelCopy> Retired { get; } = new();

    /// <summary>What the last daemon took over.</summary>
    public IReadOnlyList<FsInherited> Inherited { get; private set; } = [];

    public string SessionLogPath => Path.Combine(_folder.Session, "log");

    public static async Task<FileSystemRig> StartAsync(
        Func<CacheOptions, CacheOptions>? configure = null, FileSystemOptions? options = null, params (string Key, byte[] Bytes)[] objects)
    {
        var rig = new FileSystemRig(configure, options);
        foreach (var (key, bytes) in objects)
        {
            rig.Store.Put(key, bytes);
        }

        await rig.StartDaemonAsync(resume: false);
        return rig;
    }

    /// <summary>
    /// The daemon dies and another takes the session over. Nothing is released or forgotten first: closing descriptors is all that the
    /// death of a process does, too.
    /// </summary>
    public async Task TakeOverAsync()
    {
        await StopDaemonAsync();
        await StartDaemonAsync(resume: true);
        Inherited = await FileSystem.InheritAsync();
    }

    /// <summary>Another mount of the same cache begins.</summary>
    public async Task RemountAsync()
    {
        await StopDaemonAsync();
        await StartDaemonAsync(resume: false);
    }

    public FsRequest Request() => new(++_unique, IsResent: false);

    public CachedModel Model(string path)
    {
        Assert.That(ModelName.TryParsePath(path, out var name), Is.True);
        return Cache.Catalog.GetOrAdd(name!);
    }

    /// <summary>Looks a path up name by name, as the kernel does; each inode on the way is handed out once.</summary>
    public async Task<FsEntry> LookupAsync(string path)
    {
        var entry = default(FsEntry);
        var parent = 1UL;
        foreach (var name in path.Split('/'))
        {
            var found = await FileSystem.LookupAsync(parent, name, CancellationToken.None);
            Assert.That(found.Error, Is.EqualTo(Errno.None), $"{name} of {path}");
            entry = found.Value;
            parent = entry.Id;
        }

        return entry;
    }

    public async Task<Errno> LookupErrorAsync(ulong parent, string name) => (await FileSystem.LookupAsync(parent, name, CancellationToken.None)).Error;

    public async Task<IReadOnlyList<string>> ListAsync(ulong folder)
    {
        var handle = await FileSystem.OpenFolderAsync(folder, Request(), CancellationToken.None);
        Assert.That(handle.Error, Is.EqualTo(Errno.None));
        var names = await FileSystem.NamesOfAsync(folder, handle.Value, restart: true, forLookUp: false, CancellationToken.None);
        FileSystem.Release(handle.Value);
        Assert.That(names.Error, Is.EqualTo(Errno.None));
        return [.. names.Value.Select(name => name.Name)];
    }

    public async Task<FsResult<FsCreated>> TryCreateAsync(ulong parent, string name, FsRequest request, bool exclusive = true) =>
        await FileSystem.CreateAsync(parent, name, 0x1A4, exclusive, truncate: false, request, CancellationToken.None);

    public async Task<FsCreated> CreateAsync(ulong parent, string name)
    {
        var created = await TryCreateAsync(parent, name, Request());
        Assert.That(created.Error, Is.EqualTo(Errno.None), name);
        return created.Value;
    }

    public async Task<ulong> MakeFolderAsync(ulong parent, string name)
    {
        var made = await FileSystem.MakeFolderAsync(parent, name, 0x1ED, Request(), CancellationToken.None);
        Assert.That(made.Error, Is.EqualTo(Errno.None), name);
        return made.Value.Id;
    }

    /// <summary>Writes a small file and closes it.</summary>
    public async Task<ulong> WriteFileAsync(ulong parent, string name, string text)
    {
        var created = await CreateAsync(parent, name);
        Assert.That(FileSystem.Write(created.Opened.Handle, 0, System.Text.Encoding.UTF8.GetBytes(text)).Error, Is.EqualTo(Errno.None));
        FileSystem.Release(created.Opened.Handle);
        return created.Entry.Id;
    }

    public string Read(ulong handle)
    {
        var buffer = new byte[1 << 16];
        var count = FileSystem.Read(handle, 0, buffer);
        Assert.That(count.Error, Is.EqualTo(Errno.None));
        return System.Text.Encoding.UTF8.GetString(buffer, 0, count.Value);
    }

    public async Task<string> ReadFileAsync(ulong id)
    {
        var opened = await FileSystem.OpenAsync(id, forWriting: false, truncate: false, Request());
        Assert.That(opened.Error, Is.EqualTo(Errno.None));
        var text = Read(opened.Value.Handle);
        FileSystem.Release(opened.Value.Handle);
        return text;
    }

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var deadline = Environment.TickCount64 + 60_000; !condition();)
        {
            Assert.That(Environment.TickCount64, Is.LessThan(deadline), "still waiting: " + what);
            await Task.Delay(1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopDaemonAsync();
        Directory.Delete(_home, recursive: true);
    }

    private async Task StartDaemonAsync(bool resume)
    {
        var root = Path.Combine(_home, "cache");
        _folder = CacheFolder.Open(root);
        Cache = new ModelCache(_folder, Store, _configure(new CacheOptions { Folder = root, FreeBytesMin = 0 }), Time, NullLogger<ModelCache>.Instance);
        Cache.Start(resume);
        await Cache.Catalog.FirstListing;
        FileSystem = new ModelFileSystem(Cache, _options, _ => "{}"u8.ToArray(), resume);
        Cache.CopyRetired += Retired.Enqueue;
    }

    private async Task StopDaemonAsync()
    {
        await Cache.DisposeAsync();
        FileSystem.Dispose();
        _folder.Dispose();
    }
}
