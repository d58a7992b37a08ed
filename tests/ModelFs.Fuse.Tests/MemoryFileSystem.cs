using System.Collections.Concurrent;

namespace ModelFs.Fuse.Tests;

/// <summary>A small file system in memory, for real programs on a real mount. One lock; nothing in it waits, except for files named "slow".</summary>
internal sealed class MemoryFileSystem : FuseOperationsBase
{
    private const uint Directory = 0x4000;
    private const uint Regular = 0x8000;
    private const uint SymbolicLink = 0xA000;
    private const uint TypeMask = 0xF000;
    private static readonly TimeSpan Valid = TimeSpan.FromSeconds(60);

    private readonly Lock gate = new();
    private readonly Dictionary<ulong, Node> nodes = [];
    private readonly TaskCompletionSource slowGate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong lastNodeId = 1;

    internal MemoryFileSystem() => nodes[1] = new Node(1, Directory | 0x1ED, 1);

    /// <summary>What was opened as "slow" and waits.</summary>
    internal TaskCompletionSource SlowOpened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Requests that came marked as resent.</summary>
    internal ConcurrentQueue<ulong> Resent { get; } = new();

    /// <summary>True when a look-up has to wait, as that of a daemon which dies before answering.</summary>
    internal bool IsStuck { get; set; }

    internal ConcurrentQueue<string> StuckLookups { get; } = new();

    /// <summary>Look-ups that the kernel still holds, by node.</summary>
    internal IReadOnlyDictionary<ulong, long> Lookups
    {
        get
        {
            lock (gate)
            {
                return nodes.Values.ToDictionary(node => node.Id, node => node.Lookups);
            }
        }
    }

    internal void AddFile(string name, byte[] content)
    {
        lock (gate)
        {
            Add(nodes[1], name, Regular | 0x1A4).Content = content;
        }
    }

    internal byte[] ReadFile(string name)
    {
        lock (gate)
        {
            return nodes[nodes[1].Children[name]].Content;
        }
    }

    internal void LetSlowGo() => slowGate.TrySetResult();

    public override ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name)
    {
        if (request.IsResent)
        {
            Resent.Enqueue(request.Unique);
        }

        if (IsStuck)
        {
            StuckLookups.Enqueue(name);
            return new(new TaskCompletionSource<FuseResult<FuseEntry>>().Task);
        }

        lock (gate)
        {
            return new(nodes[parent].Children.TryGetValue(name, out ulong id) ? Found(nodes[id]) : FuseEntry.Negative(Valid));
        }
    }

    public override void Forget(ulong nodeId, ulong lookups)
    {
        lock (gate)
        {
            nodes[nodeId].Lookups -= (long)lookups;
        }
    }

    public override ValueTask<FuseResult<FuseAttributesReply>> GetAttributesAsync(FuseRequest request, ulong nodeId, ulong? fileHandle)
    {
        lock (gate)
        {
            return new(new FuseAttributesReply(nodes[nodeId].Attributes, Valid));
        }
    }

    public override ValueTask<FuseResult<FuseAttributesReply>> SetAttributesAsync(FuseRequest request, ulong nodeId, FuseSetAttributes changes)
    {
        lock (gate)
        {
            Node node = nodes[nodeId];
            if (changes.Size is long size)
            {
                Array.Resize(ref node.Content, (int)size);
            }

            node.Mode = changes.Mode ?? node.Mode;
            node.ModificationTime = changes.ModificationTime ?? node.ModificationTime;
            return new(new FuseAttributesReply(node.Attributes, Valid));
        }
    }

    public override ValueTask<FuseResult<ReadOnlyMemory<byte>>> ReadLinkAsync(FuseRequest request, ulong nodeId)
    {
        lock (gate)
        {
            return new(FuseResult<ReadOnlyMemory<byte>>.Success(nodes[nodeId].Content));
        }
    }

    public override ValueTask<FuseResult<FuseEntry>> CreateSymbolicLinkAsync(
        FuseRequest request, ulong parent, string name, ReadOnlyMemory<byte> target)
    {
        lock (gate)
        {
            Node link = Add(nodes[parent], name, SymbolicLink | 0x1FF);
            link.Content = target.ToArray();
            return new(Found(link));
        }
    }

    public override ValueTask<FuseResult<FuseEntry>> MakeDirectoryAsync(FuseRequest request, ulong parent, string name, uint mode, uint umask)
    {
        lock (gate)
        {
            return new(Found(Add(nodes[parent], name, Directory | mode)));
        }
    }

    public override ValueTask<FuseResult> UnlinkAsync(FuseRequest request, ulong parent, string name) => Remove(parent, name);

    public override ValueTask<FuseResult> RemoveDirectoryAsync(FuseRequest request, ulong parent, string name)
    {
        lock (gate)
        {
            return nodes[nodes[parent].Children[name]].Children.Count > 0 ? new(FuseErrno.ENOTEMPTY) : Remove(parent, name);
        }
    }

    public override ValueTask<FuseResult> RenameAsync(
        FuseRequest request, ulong parent, string name, ulong newParent, string newName, FuseRenameFlags flags)
    {
        lock (gate)
        {
            if (flags == FuseRenameFlags.NoReplace && nodes[newParent].Children.ContainsKey(newName))
            {
                return new(FuseErrno.EEXIST);
            }

            nodes[parent].Children.Remove(name, out ulong id);
            nodes[newParent].Children[newName] = id;
            return new(FuseResult.Success);
        }
    }

    public override async ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags)
    {
        bool isSlow;
        lock (gate)
        {
            isSlow = nodes[1].Children.TryGetValue("slow", out ulong slow) && slow == nodeId;
            if (flags.IsTruncate)
            {
                nodes[nodeId].Content = [];
            }
        }

        if (isSlow)
        {
            SlowOpened.TrySetResult();
            await slowGate.Task.WaitAsync(request.Interrupted).ConfigureAwait(false);
        }

        return new FuseOpened(nodeId);
    }

    public override ValueTask<FuseResult<FuseCreated>> CreateAsync(
        FuseRequest request, ulong parent, string name, FuseFileFlags flags, uint mode, uint umask)
    {
        lock (gate)
        {
            Node file = Add(nodes[parent], name, mode);
            return new(new FuseCreated(Found(file), new FuseOpened(file.Id)));
        }
    }

    public override ValueTask<FuseResult<int>> ReadAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags)
    {
        lock (gate)
        {
            ReadOnlySpan<byte> content = nodes[nodeId].Content;
            ReadOnlySpan<byte> rest = offset < content.Length ? content[(int)offset..] : default;
            int count = Math.Min(rest.Length, buffer.Length);
            rest[..count].CopyTo(buffer.Span);
            return new(count);
        }
    }

    public override ValueTask<FuseResult<int>> WriteAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, ReadOnlyMemory<byte> data, FuseFileFlags flags, FuseWriteFlags writeFlags)
    {
        lock (gate)
        {
            Node node = nodes[nodeId];
            if (node.Content.Length < offset + data.Length)
            {
                Array.Resize(ref node.Content, (int)offset + data.Length);
            }

            data.Span.CopyTo(node.Content.AsSpan((int)offset));
            return new(data.Length);
        }
    }

    public override ValueTask<FuseResult> ReleaseAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags, FuseReleaseFlags releaseFlags, ulong lockOwner) =>
        new(FuseResult.Success);

    public override ValueTask<FuseResult<FuseOpened>> OpenDirectoryAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
        new(new FuseOpened(nodeId));

    public override ValueTask<FuseResult> ReadDirectoryAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryBuffer buffer)
    {
        lock (gate)
        {
            foreach ((string name, Node node, long next) in Entries(nodeId, offset))
            {
                if (!buffer.TryAdd(name, node.Id, node.Mode, next))
                {
                    break;
                }
            }
        }

        return new(FuseResult.Success);
    }

    public override ValueTask<FuseResult> ReadDirectoryPlusAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryPlusBuffer buffer)
    {
        lock (gate)
        {
            foreach ((string name, Node node, long next) in Entries(nodeId, offset))
            {
                if (!buffer.TryAdd(name, Entry(node), next))
                {
                    break;
                }

                node.Lookups += name is "." or ".." ? 0 : 1;
            }
        }

        return new(FuseResult.Success);
    }

    public override ValueTask<FuseResult> ReleaseDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags) =>
        new(FuseResult.Success);

    public override ValueTask<FuseResult<FuseFileSystemStatistics>> StatFsAsync(FuseRequest request, ulong nodeId) =>
        new(new FuseFileSystemStatistics { Blocks = 1000, BlocksFree = 500, BlocksAvailable = 400, BlockSize = 4096, FragmentSize = 4096, NameLengthMax = 255 });

    public override ValueTask<FuseResult<string[]>> ListXattrAsync(FuseRequest request, ulong nodeId)
    {
        lock (gate)
        {
            return new(nodes[nodeId].Xattrs.Keys.ToArray());
        }
    }

    public override ValueTask<FuseResult<ReadOnlyMemory<byte>>> GetXattrAsync(FuseRequest request, ulong nodeId, string name)
    {
        lock (gate)
        {
            return nodes[nodeId].Xattrs.TryGetValue(name, out byte[]? value) ? new((ReadOnlyMemory<byte>)value) : new(FuseErrno.ENODATA);
        }
    }

    public override ValueTask<FuseResult> SetXattrAsync(
        FuseRequest request, ulong nodeId, string name, ReadOnlyMemory<byte> value, FuseXattrFlags flags)
    {
        lock (gate)
        {
            nodes[nodeId].Xattrs[name] = value.ToArray();
            return new(FuseResult.Success);
        }
    }

    private static FuseEntry Entry(Node node) =>
        new() { NodeId = node.Id, Attributes = node.Attributes, EntryValid = Valid, AttributesValid = Valid };

    private static FuseEntry Found(Node node)
    {
        node.Lookups++;
        return Entry(node);
    }

    private IEnumerable<(string Name, Node Node, long Next)> Entries(ulong nodeId, long offset)
    {
        Node directory = nodes[nodeId];
        IEnumerable<(string, ulong)> all = [(".", nodeId), ("..", directory.Parent), .. directory.Children.Select(child => (child.Key, child.Value))];
        return all.Select((entry, index) => (entry.Item1, nodes[entry.Item2], (long)index + 1)).Skip((int)offset);
    }

    private ValueTask<FuseResult> Remove(ulong parent, string name)
    {
        lock (gate)
        {
            return nodes[parent].Children.Remove(name) ? new(FuseResult.Success) : new(FuseErrno.ENOENT);
        }
    }

    private Node Add(Node parent, string name, uint mode)
    {
        var node = new Node(++lastNodeId, mode, parent.Id);
        nodes[node.Id] = node;
        parent.Children[name] = node.Id;
        return node;
    }

    private sealed class Node(ulong id, uint mode, ulong parent)
    {
        internal byte[] Content = [];

        internal ulong Id => id;

        internal ulong Parent => parent;

        internal uint Mode { get; set; } = mode;

        internal FuseTime ModificationTime { get; set; } = new(1_600_000_000, 5);

        internal long Lookups { get; set; }

        internal SortedDictionary<string, ulong> Children { get; } = new(StringComparer.Ordinal);

        internal Dictionary<string, byte[]> Xattrs { get; } = [];

        internal FuseAttributes Attributes => new()
        {
            Inode = id,
            Size = Content.Length,
            Blocks = (ulong)(Content.Length + 511) / 512,
            ModificationTime = ModificationTime,
            ChangeTime = ModificationTime,
            AccessTime = ModificationTime,
            Mode = Mode,
            LinkCount = (Mode & TypeMask) == Directory ? 2u : 1u,
            BlockSize = 4096,
        };
    }
}
