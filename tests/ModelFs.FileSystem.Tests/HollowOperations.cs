using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>
/// Plays the kernel on a model that comes and goes by files. What a name led to is kept for later, as the kernel keeps it; it is looked up again after ESTALE, and
/// everything is when a copy was retired.
/// </summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class HollowOperations
{
    private const int LargeBytes = 9 << 20;

    private static readonly string[] s_names = ["a/1", "a/2", "b/1", "b/new", "large", "metadata.json", "new"];
    private static readonly string[] s_models = ["m", "other"];
    private readonly FileSystemRig _rig;
    private readonly Random _random;
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly (string Path, byte[] Content)[] _others;
    private readonly Dictionary<string, ulong> _known = [];
    private readonly Dictionary<ulong, ulong> _lookups = [];
    private readonly List<(ulong Handle, string Path, Func<byte[]> Content)> _open = [];
    private int _retired;
    private bool _mayHaveDied;

    public HollowOperations(FileSystemRig rig, int seed, (string Path, byte[] Content)[] files, (string Path, byte[] Content)[] others)
    {
        _rig = rig;
        _random = new Random(seed);
        _others = others;
        foreach (var (path, content) in files)
        {
            _files[path] = content;
        }
    }

    /// <summary>What was done, for the message of a failure.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>How often content was seen to have gone from the disk that was here before.</summary>
    public int Dropped { get; private set; }

    private ModelFileSystem FileSystem => _rig.FileSystem;

    /// <summary>What the model holds at first: small files, and one that is read while it comes.</summary>
    public static (string Path, byte[] Content)[] Files(int seed) =>
    [
        ("a/1", IndexedArchive.Noise(300_000, seed)), ("a/2", IndexedArchive.Noise(5_000, seed + 1)), ("b/1", IndexedArchive.Noise(700_000, seed + 2)),
        ("large", IndexedArchive.Noise(LargeBytes, seed + 3)), ("metadata.json", "{}"u8.ToArray()),
    ];

    /// <summary>One operation.</summary>
    /// <param name="mayDie">
    /// Whether it may be the daemon's death, rather than the eviction of the whole model: nodes that a dead daemon handed out are held to the end of the mount, and an evicted copy's files with
    /// them, for which this cache may have no room.
    /// </param>
    public async Task StepAsync(bool mayDie)
    {
        var before = s_models.Select(BytesHere).ToArray();
        if (mayDie && !_mayHaveDied)
        {
            _mayHaveDied = true;
            await LetGoAsync();
        }

        try
        {
            await DoAsync(mayDie);
        }
        catch (ModelException error) when (error.Kind == ModelErrorKind.NoSpace && mayDie)
        {
            Trace.Add("  (no room)");
            ReleaseAll();
            ForgetAll();
            _rig.Time.Advance(TimeSpan.FromMinutes(6));
        }

        Dropped += s_models.Where((model, at) => BytesHere(model) < before[at]).Count();
    }

    private async Task DoAsync(bool mayDie)
    {
        switch (_random.Next(20))
        {
            case < 5:
                await ReadAsync();
                break;
            case < 8:
                await OpenAsync();
                break;
            case < 10:
                await ReadOpenAsync();
                break;
            case < 12:
                Release();
                break;
            case < 15:
                await UseOtherAsync();
                break;
            case 15:
                await ListAsync();
                break;
            case 16:
                await ChangeAsync();
                break;
            case 17:
                await PublishAsync();
                break;
            case >= 18 when !mayDie:
                EvictModel();
                break;
            default:
                Trace.Add("the daemon dies");
                await _rig.TakeOverAsync();
                break;
        }
    }

    /// <summary>Closes everything, publishes, and compares all.</summary>
    public async Task EndAsync()
    {
        await PublishAsync();
        await ListAsync();
        foreach (var (path, content) in _files)
        {
            try
            {
                await WithRoomAsync(() => CompareAsync("m/" + path, content));
            }
            catch (ModelException error) when (error.Kind == ModelErrorKind.NoSpace && _mayHaveDied)
            {
                Trace.Add("  (no room)");
            }
        }
    }

    private async Task ReadAsync()
    {
        var path = Pick();
        Trace.Add("read " + path);
        await WithRoomAsync(() => CompareAsync("m/" + path, _files[path]));
    }

    private async Task UseOtherAsync()
    {
        var (path, content) = _others[_random.Next(_others.Length)];
        Trace.Add("read other/" + path);
        await WithRoomAsync(() => CompareAsync("other/" + path, content));
    }

    private async Task CompareAsync(string path, byte[] expected)
    {
        var handle = await PatientlyAsync(() => OpenAsync(path, writes: false));
        try
        {
            await CompareContentAsync(handle, path, expected, 0, expected.Length + 1);
        }
        finally
        {
            FileSystem.Release(handle);
        }
    }

    private async Task OpenAsync()
    {
        var path = Pick();
        Trace.Add("open " + path);
        var content = _files[path];
        _open.Add((await PatientlyAsync(() => OpenAsync("m/" + path, writes: false)), path, () => content));
    }

    private async Task ReadOpenAsync()
    {
        if (_open.Count > 0)
        {
            var (handle, path, content) = _open[_random.Next(_open.Count)];
            var offset = _random.Next(content().Length);
            Trace.Add($"read the open {path} at {offset}");
            try
            {
                await CompareContentAsync(handle, path, content(), offset, 50_000);
            }
            catch (ModelException error) when (error.Kind == ModelErrorKind.NoSpace && !_mayHaveDied)
            {
                await MakeRoomAsync();
            }
        }
    }

    /// <summary>Room may be refused to a read while other files are open, or those of an evicted copy are not gone; and only then.</summary>
    private async Task WithRoomAsync(Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (ModelException error) when (error.Kind == ModelErrorKind.NoSpace && !_mayHaveDied)
        {
            await MakeRoomAsync();
            await read();
        }
    }

    /// <summary>Closes and forgets everything, and lets the pause after a failure pass.</summary>
    private async Task MakeRoomAsync()
    {
        Trace.Add("  (no room)");
        await LetGoAsync();
        _rig.Time.Advance(TimeSpan.FromMinutes(6));
    }

    private void Release()
    {
        if (_open.Count > 0)
        {
            var at = _random.Next(_open.Count);
            Trace.Add("close " + _open[at].Path);
            FileSystem.Release(_open[at].Handle);
            _open.RemoveAt(at);
        }
    }

    private void ReleaseAll()
    {
        while (_open.Count > 0)
        {
            Release();
        }
    }

    private async Task ListAsync()
    {
        Trace.Add("list");
        foreach (var folder in new[] { "", "a", "b" })
        {
            var names = _files.Keys.Where(path => path.StartsWith(folder.Length == 0 ? "" : folder + "/", StringComparison.Ordinal))
                .Select(path => path[(folder.Length == 0 ? 0 : folder.Length + 1)..].Split('/')[0])
                .Concat(folder.Length == 0 ? ["a", "b"] : []).Distinct().Order(StringComparer.Ordinal);
            Assert.That((await _rig.ListAsync(await WalkAsync(("m/" + folder).TrimEnd('/')))).Order(StringComparer.Ordinal), Is.EqualTo(names), folder);
        }

        foreach (var (path, content) in _files)
        {
            var found = FileSystem.GetAttributes(await WalkAsync("m/" + path));
            Assert.That((found.Error, found.Value.Attributes.Size), Is.EqualTo((Errno.None, (long)content.Length)), path);
        }
    }

    /// <summary>What is open keeps its own content through renames and removals; a file that is written while it is open is not compared here.</summary>
    private async Task ChangeAsync()
    {
        ReleaseAll();
        var (from, to) = (Pick(), s_names[_random.Next(s_names.Length)]);
        switch (_random.Next(3))
        {
            case 0:
                Trace.Add("write " + from);
                var data = IndexedArchive.Noise(1000, _random.Next());
                var offset = _random.Next(_files[from].Length);
                var handle = await PatientlyAsync(() => OpenAsync("m/" + from, writes: true));
                Assert.That(FileSystem.Write(handle, offset, data).Value, Is.EqualTo(data.Length));
                FileSystem.Release(handle);
                var content = new byte[Math.Max(_files[from].Length, offset + data.Length)];
                _files[from].CopyTo(content, 0);
                data.CopyTo(content, offset);
                _files[from] = content;
                break;
            case 1 when from != to && !IsLarge(to):
                Trace.Add($"rename {from} to {to}");
                await PatientlyAsync(async () =>
                {
                    await WalkAsync("m/" + from);
                    var (old, target) = (await WalkAsync(Parent(from)), await WalkAsync(Parent(to)));
                    return await FileSystem.RenameAsync(old, Name(from), target, Name(to), RenameKind.Replace, _rig.Request()) is var error && error == Errno.None
                        ? new FsResult<ulong>(error, 0) : error;
                });
                (_files[to], _) = (_files[from], _files.Remove(from));
                ForgetAll();
                break;
            case 2 when _files.Count > 3 && !IsLarge(from):
                Trace.Add("remove " + from);
                await PatientlyAsync(async () =>
                {
                    await WalkAsync("m/" + from);
                    var folder = await WalkAsync(Parent(from));
                    return await FileSystem.UnlinkAsync(folder, Name(from), _rig.Request()) is var error && error == Errno.None ? new FsResult<ulong>(error, 0) : error;
                });
                _files.Remove(from);
                ForgetAll();
                break;
        }
    }

    /// <summary>Whether the model would fit beside the other one without it: then nothing would be dropped any more.</summary>
    private bool IsLarge(string path) => _files.TryGetValue(path, out var content) && content.Length >= LargeBytes;

    private void EvictModel()
    {
        Trace.Add("evict");
        try
        {
            _rig.Cache.Evict(_rig.Model("m"));
        }
        catch (ModelException error)
        {
            Trace.Add("  refused: " + error.Message);
            Assert.That(error.Kind, Is.EqualTo(ModelErrorKind.Busy));
        }
    }

    private async Task PublishAsync()
    {
        ReleaseAll();
        Trace.Add("time passes");
        var copy = _rig.Model("m").Copy;
        _rig.Time.Advance(TimeSpan.FromSeconds(31));
        if (copy is { IsDirty: true })
        {
            await _rig.Cache.SyncAsync(_rig.Model("m"), CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        }
    }

    private async Task<FsResult<ulong>> OpenAsync(string path, bool writes)
    {
        var opened = await FileSystem.OpenAsync(await WalkAsync(path), writes, truncate: false, _rig.Request());
        return opened.Error == Errno.None ? opened.Value.Handle : opened.Error;
    }

    /// <summary>
    /// The kernel looks a name up again after ESTALE, once. Room may be refused while files are open or those of an evicted copy are being removed, and only then.
    /// </summary>
    private async Task<ulong> PatientlyAsync(Func<Task<FsResult<ulong>>> call)
    {
        var (mayBeStale, mayBeFull) = (true, true);
        while (true)
        {
            try
            {
                var result = await call();
                if (result.Error != Errno.ESTALE || !mayBeStale)
                {
                    Assert.That(result.Error, Is.EqualTo(Errno.None));
                    return result.Value;
                }

                Trace.Add("  (looked up again)");
                mayBeStale = false;
                ForgetAll();
            }
            catch (ModelException error) when (error.Kind == ModelErrorKind.NoSpace && mayBeFull && !_mayHaveDied)
            {
                mayBeFull = false;
                await MakeRoomAsync();
            }
        }
    }

    private async Task LetGoAsync()
    {
        ReleaseAll();
        ForgetAll();
        await FileSystemRig.UntilAsync(() => Directory.GetDirectories(_rig.Cache.Folder.Trees).Length <= s_models.Count(model => _rig.Model(model).Copy is not null), "evicted copies to be gone");
    }

    private long BytesHere(string model) => _rig.Model(model).Copy?.BytesHere ?? 0;

    private async Task CompareContentAsync(ulong handle, string path, byte[] expected, int offset, int length)
    {
        var buffer = new byte[length];
        var count = await FileSystem.ReadAsync(handle, offset, buffer, CancellationToken.None);
        Assert.That(count.Error, Is.EqualTo(Errno.None), path);
        Assert.That(buffer.AsSpan(0, count.Value).SequenceEqual(expected.AsSpan(offset, Math.Min(length, expected.Length - offset))), Is.True, $"{count.Value} bytes of {path} at {offset}");
    }

    /// <summary>The node of a path, by what is known of it and by look-ups.</summary>
    private async Task<ulong> WalkAsync(string path)
    {
        if (_rig.Retired.Count != _retired)
        {
            _retired = _rig.Retired.Count;
            ForgetAll();
        }

        if (_known.TryGetValue(path, out var known) && _random.Next(3) > 0)
        {
            return known;
        }

        var parent = path.Contains('/', StringComparison.Ordinal) ? await WalkAsync(path[..path.LastIndexOf('/')]) : 1;
        var found = await FileSystem.LookupAsync(parent, Name(path), CancellationToken.None);
        Assert.That(found.Error, Is.EqualTo(Errno.None), path);
        _lookups[found.Value.Id] = _lookups.GetValueOrDefault(found.Value.Id) + 1;
        return _known[path] = found.Value.Id;
    }

    /// <summary>Every name is looked up at its next use; what is open is kept.</summary>
    private void ForgetAll()
    {
        _known.Clear();
        if (_open.Count == 0)
        {
            foreach (var (id, count) in _lookups.OrderByDescending(each => each.Key))
            {
                FileSystem.Forget(id, count);
            }

            _lookups.Clear();
        }
    }

    private static string Parent(string path) => path.Contains('/', StringComparison.Ordinal) ? "m/" + path[..path.LastIndexOf('/')] : "m";

    private static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    private string Pick() => _files.Keys.ElementAt(_random.Next(_files.Count));
}
