using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem.Tests;

/// <summary>
/// What the kernel keeps of a mount, over the reference: which inodes it holds and how often they were handed out to it, and what is open.
/// Each answer of the file system is compared with the reference here.
/// </summary>
internal abstract class ReferenceKernel(FileSystemRig rig, int seed)
{
    private readonly Dictionary<ulong, ReferenceNode> _known = [];

    protected FileSystemRig Rig { get; } = rig;

    protected Random Random { get; } = new(seed);

    /// <summary>The model's folder.</summary>
    protected ReferenceNode Root { get; set; } = new('d');

    protected List<(ulong Handle, ReferenceNode Node, bool IsWriter)> Handles { get; } = [];

    protected ModelFileSystem FileSystem => Rig.FileSystem;

    /// <summary>What was done, for the message of a failure.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>Compares everything: names, types, modes, sizes, content, times, links and what is open.</summary>
    public async Task CompareAsync()
    {
        await CompareAsync(Root);
        foreach (var (handle, node, _) in Handles)
        {
            Assert.That(Read(handle), Is.EqualTo(node.Content), $"open {node.Path} (unlinked: {node.IsUnlinked})");
            CompareAttributes(node);
        }
    }

    private async Task CompareAsync(ReferenceNode folder)
    {
        Assert.That(await Rig.ListAsync(await IdOfAsync(folder)), Is.EqualTo(folder.Children.Keys), folder.Path);
        foreach (var node in folder.Children.Values)
        {
            var id = await IdOfAsync(node);
            CompareAttributes(node);
            switch (node.Type)
            {
                case 'd':
                    await CompareAsync(node);
                    break;
                case 'l':
                    Assert.That(FileSystem.ReadLink(id).Value, Is.EqualTo(node.Target), node.Path);
                    break;
                default:
                    var opened = await FileSystem.OpenAsync(id, forWriting: false, truncate: false, Rig.Request());
                    Assert.That(opened.Error, Is.EqualTo(Errno.None), node.Path);
                    Assert.That(Read(opened.Value.Handle), Is.EqualTo(node.Content), node.Path);
                    FileSystem.Release(opened.Value.Handle);
                    break;
            }
        }
    }

    protected void CompareAttributes(ReferenceNode node)
    {
        var found = FileSystem.GetAttributes(node.Id);
        Assert.That(found.Error, Is.EqualTo(Errno.None), node.Path);
        var attributes = found.Value.Attributes;
        var type = node.Type switch { 'd' => FileStatus.TypeFolder, 'l' => FileStatus.TypeLink, _ => FileStatus.TypeFile };
        Assert.That(attributes.Mode & FileStatus.TypeMask, Is.EqualTo(type), node.Path);
        Assert.That(attributes.LinkCount, Is.EqualTo(node.IsUnlinked ? 0u : node.Type == 'd' ? 2u : 1u), node.Path);
        if (node.Type != 'l')
        {
            Assert.That(attributes.Mode & 0xFFF, Is.EqualTo(node.Mode), node.Path);
        }

        if (node.Type == 'f')
        {
            Assert.That(attributes.Size, Is.EqualTo(node.Content.Length), node.Path);
        }

        if (node.Modified is { } modified)
        {
            Assert.That(attributes.ModifiedTime, Is.EqualTo(modified), node.Path);
        }
    }

    /// <summary>One request; now and then its daemon dies before the answer, and the kernel sends it again to the next.</summary>
    protected async Task<T> CallAsync<T>(Func<FsRequest, ValueTask<T>> call)
    {
        var request = Rig.Request();
        var answer = await call(request);
        if (Random.Next(12) > 0)
        {
            return answer;
        }

        Trace.Add("  (the answer is lost with the daemon; sent again)");
        await Rig.TakeOverAsync();
        return await call(request with { IsResent = true });
    }

    protected async Task LookupRootAsync()
    {
        var found = await FileSystem.LookupAsync(1, "m", CancellationToken.None);
        Assert.That(found.Error, Is.EqualTo(Errno.None));
        Know(Root, found.Value);
        Assert.That((await FileSystem.LookupAsync(found.Value.Id, "nothing", CancellationToken.None)).Error, Is.EqualTo(Errno.ENOENT));
    }

    protected async Task<ReferenceNode?> FindAsync(ReferenceNode folder, string name)
    {
        if (folder.Children.TryGetValue(name, out var node))
        {
            await IdOfAsync(node);
            return node;
        }

        Assert.That((await FileSystem.LookupAsync(await IdOfAsync(folder), name, CancellationToken.None)).Error, Is.EqualTo(Errno.ENOENT), $"{folder.Path}/{name}");
        return null;
    }

    protected async Task<ulong> IdOfAsync(ReferenceNode node)
    {
        if (node.Lookups == 0 || Random.Next(10) == 0)
        {
            if (node.Parent is { } parent && !node.IsUnlinked)
            {
                var found = await FileSystem.LookupAsync(await IdOfAsync(parent), node.Name, CancellationToken.None);
                Assert.That(found.Error, Is.EqualTo(Errno.None), node.Path);
                Know(node, found.Value);
            }
        }

        return node.Id;
    }

    protected void Know(ReferenceNode node, FsEntry entry)
    {
        Assert.That(node.Lookups == 0 || node.Id == entry.Id, Is.True, $"{node.Path} is known as {node.Id} and came as {entry.Id}");
        Assert.That(_known.GetValueOrDefault(entry.Id, node), Is.SameAs(node), $"the id {entry.Id} stood for another file");
        _known[entry.Id] = node;
        node.Id = entry.Id;
        node.Lookups++;
    }

    protected void Hold(ulong handle, ReferenceNode node, bool isWriter)
    {
        Assert.That(Handles.Select(each => each.Handle), Has.None.EqualTo(handle));
        Handles.Add((handle, node, isWriter));
        node.Handles++;
    }

    protected void Unlink(ReferenceNode node)
    {
        node.IsUnlinked = true;
        ForgetIfGone(node);
    }

    protected void ForgetIfGone(ReferenceNode node)
    {
        if (node is { IsUnlinked: true, Handles: 0 })
        {
            ForgetAll(node);
        }
    }

    protected void ForgetAll(ReferenceNode node)
    {
        if (node.Lookups > 0)
        {
            FileSystem.Forget(node.Id, node.Lookups);
            node.Lookups = 0;
        }
    }

    protected byte[] Read(ulong handle)
    {
        var buffer = new byte[1000];
        var count = FileSystem.Read(handle, 0, buffer);
        Assert.That(count.Error, Is.EqualTo(Errno.None));
        return buffer[..count.Value];
    }
}
