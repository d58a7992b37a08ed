using ModelFs.Cache.Posix;
using ModelFs.Cache.Tests;
using ModelFs.Models;

namespace ModelFs.FileSystem.Tests;

/// <summary>
/// Plays the kernel: seeded operations on a model, each carried out on the file system and on the reference, with the kernel's own rules
/// (a name is looked up before it is used; what is forgotten is forgotten as often as it was handed out; a request without an answer is
/// sent again to the next daemon).
/// </summary>
internal sealed class RandomOperations(FileSystemRig rig, int seed) : ReferenceKernel(rig, seed)
{
    private static readonly string[] s_names = ["a", "b", "c", "d", "e", "ü", "metadata.json"];

    public async Task BeginAsync(params (string Path, string Text)[] files)
    {
        Root = new ReferenceNode('d') { Mode = 0x1ED };
        foreach (var (path, text) in files)
        {
            var folder = Root;
            var parts = path.Split('/');
            foreach (var part in parts[..^1])
            {
                if (!folder.Children.TryGetValue(part, out var next))
                {
                    next = new ReferenceNode('d') { Mode = 0x1ED };
                    folder.Add(part, next);
                }

                folder = next;
            }

            folder.Add(parts[^1], new ReferenceNode('f') { Mode = 0x1A4, Content = System.Text.Encoding.UTF8.GetBytes(text) });
        }

        await LookupRootAsync();
    }

    public async Task StepAsync()
    {
        switch (Random.Next(24))
        {
            case 0 or 1 or 2:
                await CreateAsync();
                break;
            case 3:
                await MakeAsync('d');
                break;
            case 4:
                await MakeAsync('l');
                break;
            case 5:
                await MakeAsync('f');
                break;
            case 6 or 7:
                await OpenAsync();
                break;
            case 8 or 9 or 10:
                Write();
                break;
            case 11 or 12:
                Release();
                break;
            case 13 or 14:
                await RemoveAsync();
                break;
            case 15 or 16 or 17 or 18:
                await RenameAsync();
                break;
            case 19 or 20:
                await SetAttributesAsync();
                break;
            case 21:
                Forget();
                break;
            case 22:
                await PassTimeAsync();
                break;
            case 23 when Random.Next(3) == 0:
                await ReplaceInStoreAsync();
                break;
            default:
                Trace.Add("the daemon dies");
                await Rig.TakeOverAsync();
                break;
        }
    }

    /// <summary>Closes everything, publishes, and compares the archive.</summary>
    public async Task EndAsync()
    {
        while (Handles.Count > 0)
        {
            Release();
        }

        await PassTimeAsync();
        await CompareAsync();
    }

    private async Task CreateAsync()
    {
        var (folder, name) = Place();
        var exists = await FindAsync(folder, name);
        if (exists is { Type: not 'f' })
        {
            return;
        }

        var exclusive = Random.Next(2) == 0;
        var mode = Random.Next(2) == 0 ? 0x1A4u : 0x180u;
        Trace.Add($"create {folder.Path}/{name} exclusive {exclusive}");
        var id = await IdOfAsync(folder);
        var made = await CallAsync(request => FileSystem.CreateAsync(id, name, mode, exclusive, truncate: false, request, CancellationToken.None));
        if (exists is not null && exclusive)
        {
            Assert.That(made.Error, Is.EqualTo(Errno.EEXIST));
            return;
        }

        Assert.That(made.Error, Is.EqualTo(Errno.None));
        var node = exists;
        if (node is null)
        {
            node = new ReferenceNode('f') { Mode = mode };
            folder.Add(name, node);
        }

        Know(node, made.Value.Entry);
        Hold(made.Value.Opened.Handle, node, isWriter: true);
    }

    private async Task MakeAsync(char type)
    {
        var (folder, name) = Place();
        var exists = await FindAsync(folder, name) is not null;
        var node = new ReferenceNode(type) { Mode = 0x1C0, Target = type == 'l' ? s_names[Random.Next(s_names.Length)] : "" };
        Trace.Add($"make {type} {folder.Path}/{name}");
        var id = await IdOfAsync(folder);
        var made = await CallAsync(request => type switch
        {
            'd' => FileSystem.MakeFolderAsync(id, name, node.Mode, request, CancellationToken.None),
            'l' => FileSystem.MakeLinkAsync(id, name, node.Target, request, CancellationToken.None),
            _ => FileSystem.MakeFileAsync(id, name, node.Mode, request, CancellationToken.None),
        });
        Assert.That(made.Error, Is.EqualTo(exists ? Errno.EEXIST : Errno.None));
        if (!exists)
        {
            folder.Add(name, node);
            Know(node, made.Value);
        }
    }

    private async Task OpenAsync()
    {
        if (Pick(node => node.Type == 'f') is not { } node)
        {
            return;
        }

        var (writes, truncates) = (Random.Next(2) == 0, Random.Next(4) == 0);
        Trace.Add($"open {node.Path} writes {writes} truncates {truncates}");
        var id = await IdOfAsync(node);
        var opened = await CallAsync(request => FileSystem.OpenAsync(id, writes, truncates, request));
        Assert.That(opened.Error, Is.EqualTo(Errno.None));
        if (truncates)
        {
            node.SetLength(0);
        }

        Hold(opened.Value.Handle, node, writes || truncates);
    }

    private void Write()
    {
        var writers = Handles.Where(each => each.IsWriter).ToList();
        if (writers.Count == 0)
        {
            return;
        }

        var (handle, node, _) = writers[Random.Next(writers.Count)];
        var data = System.Text.Encoding.ASCII.GetBytes(new string((char)('a' + Random.Next(26)), Random.Next(1, 100)));
        var offset = Random.Next(200);
        Trace.Add($"write {data.Length} at {offset} of {node.Path}");
        var written = FileSystem.Write(handle, offset, data);
        Assert.That((written.Error, written.Value), Is.EqualTo((Errno.None, data.Length)));
        node.Write(offset, data);
    }

    private void Release()
    {
        if (Handles.Count == 0)
        {
            return;
        }

        var at = Random.Next(Handles.Count);
        var (handle, node, _) = Handles[at];
        Trace.Add($"release {node.Path}");
        Handles.RemoveAt(at);
        node.Handles--;
        var forgetFirst = Random.Next(2) == 0;
        if (forgetFirst)
        {
            ForgetIfGone(node);
        }

        FileSystem.Release(handle);
        ForgetIfGone(node);
    }

    private async Task RemoveAsync()
    {
        if (Pick(node => node.Parent is not null) is not { } node)
        {
            return;
        }

        Trace.Add($"remove {node.Path}");
        await IdOfAsync(node);
        var parent = await IdOfAsync(node.Parent!);
        var error = await CallAsync(request => node.Type == 'd'
            ? FileSystem.RemoveFolderAsync(parent, node.Name, request, CancellationToken.None)
            : FileSystem.UnlinkAsync(parent, node.Name, request));
        Assert.That(error, Is.EqualTo(node.Children.Count > 0 ? Errno.ENOTEMPTY : Errno.None));
        if (error == Errno.None)
        {
            node.Parent!.Remove(node.Name);
            Unlink(node);
        }
    }

    private async Task RenameAsync()
    {
        var (folder, name) = Place();
        var kind = (RenameKind)Random.Next(3);
        var target = await FindAsync(folder, name);
        if (Pick(each => each.Parent is not null) is not { } node || node == target
            || node == folder || folder.Ancestors.Contains(node)
            || (kind == RenameKind.Exchange && (target is null || node.Ancestors.Contains(target)))
            || (kind == RenameKind.Replace && target is not null && (target.Type == 'd') != (node.Type == 'd')))
        {
            // The kernel answers these by itself.
            return;
        }

        Trace.Add($"rename {node.Path} to {folder.Path}/{name} {kind}");
        await IdOfAsync(node);
        var (from, to) = (await IdOfAsync(node.Parent!), await IdOfAsync(folder));
        var error = await CallAsync(request => FileSystem.RenameAsync(from, node.Name, to, name, kind, request));
        if (target is not null && (kind == RenameKind.NoReplace || (kind == RenameKind.Replace && target.Children.Count > 0)))
        {
            Assert.That(error, Is.EqualTo(kind == RenameKind.NoReplace ? Errno.EEXIST : Errno.ENOTEMPTY));
            return;
        }

        Assert.That(error, Is.EqualTo(Errno.None));
        var (oldParent, oldName) = (node.Parent!, node.Name);
        oldParent.Remove(oldName);
        if (target is not null)
        {
            folder.Remove(name);
            if (kind == RenameKind.Exchange)
            {
                oldParent.Add(oldName, target);
            }
            else
            {
                Unlink(target);
            }
        }

        folder.Add(name, node);
        node.Modified = node.Type == 'd' ? null : node.Modified;
        if (target is { Type: 'd' })
        {
            target.Modified = null;
        }
    }

    private async Task SetAttributesAsync()
    {
        if (Pick(each => each.Parent is not null && each.Type != 'l') is not { } node)
        {
            return;
        }

        var change = Random.Next(3) switch
        {
            0 when node.Type == 'f' => new FsChange(null, null, Random.Next(300), null, null),
            1 => new FsChange(null, node.Type == 'd' ? 0x1EDu : 0x180u, null, null, null),
            _ => new FsChange(null, null, null, null, new UnixTime(Random.Next(1_000_000_000), (uint)Random.Next(1_000_000_000))),
        };
        Trace.Add($"set {node.Path} {change}");
        var set = await FileSystem.SetAttributesAsync(await IdOfAsync(node), change, CancellationToken.None);
        Assert.That(set.Error, Is.EqualTo(Errno.None));
        if (change.Size is { } size)
        {
            node.SetLength((int)size);
        }

        node.Mode = change.Mode ?? node.Mode;
        node.Modified = change.ModifiedTime ?? node.Modified;
    }

    /// <summary>The kernel's memory is short: leaves first, and nothing that is open.</summary>
    private void Forget()
    {
        Trace.Add("forget");
        foreach (var node in Root.Subtree.Reverse().Where(each => each is { Parent: not null, Lookups: > 0, Handles: 0 }).ToList())
        {
            if (Random.Next(2) == 0 && node.Subtree.Skip(1).All(each => each.Lookups == 0))
            {
                ForgetAll(node);
            }
        }
    }

    /// <summary>Everything settles: what nobody writes to is published, whatever happened before.</summary>
    private async Task PassTimeAsync()
    {
        Trace.Add("31 seconds pass");
        var copy = Rig.Model("m").Copy;
        Rig.Time.Advance(TimeSpan.FromSeconds(31));
        if (copy is null || Handles.Any(each => each.IsWriter) || !Root.Subtree.Any(each => each.Type == 'f'))
        {
            return;
        }

        // An attempt that found the model busy is made again only when more time has passed.
        await FileSystemRig.UntilAsync(
            () =>
            {
                Rig.Time.Advance(TimeSpan.FromMilliseconds(100));
                return copy is { IsDirty: false, Model.State: ModelState.Ready };
            },
            "the model to be published");
        var files = Root.Subtree.Where(each => each.Type == 'f').ToDictionary(each => each.Path, each => System.Text.Encoding.ASCII.GetString(each.Content));
        Assert.That(SampleArchive.Files(Rig.Store.Bytes("m.tar.gz")), Is.EquivalentTo(files));
        Assert.That(Rig.Cache.Conflicts, Is.Empty);
    }

    /// <summary>Somebody else publishes a version while nothing is open and nothing unpublished here.</summary>
    private async Task ReplaceInStoreAsync()
    {
        if (Handles.Count > 0 || !Root.Subtree.Any(each => each.Type == 'f'))
        {
            return;
        }

        await PassTimeAsync();
        var text = $"version {Random.Next()}";
        Trace.Add("the store gets " + text);
        Rig.Store.Put("m.tar.gz", SampleArchive.Of(("new/text", text)));
        var old = Rig.Model("m").Copy;
        await Rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Rig.Time.Advance(TimeSpan.FromSeconds(10));
        await FileSystemRig.UntilAsync(() => old is null or { IsRetired: true }, "the switch");
        await FileSystemRig.UntilAsync(() => old is null || Rig.Retired.Contains(old), "the name to lead elsewhere");
        foreach (var node in Root.Subtree.Where(each => each.Lookups > 0))
        {
            CompareAttributesOfOld(node);
        }

        foreach (var node in Root.Subtree.Reverse())
        {
            ForgetAll(node);
        }

        await BeginAsync(("new/text", text));
    }

    private void CompareAttributesOfOld(ReferenceNode node)
    {
        var found = FileSystem.GetAttributes(node.Id);
        Assert.That(found.Error, Is.EqualTo(Errno.None), $"whoever stands in the old version keeps it: {node.Path}");
        if (node.Type == 'f')
        {
            Assert.That(found.Value.Attributes.Size, Is.EqualTo(node.Content.Length), node.Path);
        }
    }

    private (ReferenceNode Folder, string Name) Place()
    {
        var folders = Root.Subtree.Where(node => node.Type == 'd').ToList();
        return (folders[Random.Next(folders.Count)], s_names[Random.Next(s_names.Length)]);
    }

    private ReferenceNode? Pick(Func<ReferenceNode, bool> which)
    {
        var all = Root.Subtree.Where(which).ToList();
        return all.Count == 0 ? null : all[Random.Next(all.Count)];
    }
}
