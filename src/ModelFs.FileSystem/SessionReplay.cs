using ModelFs.Cache;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>Rebuilds inodes and handles from the log of a daemon that died.</summary>
internal sealed class SessionReplay(Inode root, ModelCache cache)
{
    private readonly Dictionary<ulong, FileHandle> _handles = [];

    public Dictionary<ulong, Inode> Inodes { get; } = [];

    public IEnumerable<FileHandle> Handles => _handles.Values;

    /// <summary>Handles by the number of the request that they were made for.</summary>
    public Dictionary<ulong, ulong> Opened { get; } = [];

    /// <summary>Operations that were about to take effect, with the st_ino of what they move.</summary>
    public Dictionary<ulong, ulong> Intents { get; } = [];

    /// <summary>Operations that took effect.</summary>
    public HashSet<ulong> Done { get; } = [];

    public ulong LastInode { get; private set; }

    public int Resumes { get; private set; }

    public void Apply(SessionRecord record)
    {
        switch (record.Type)
        {
            case SessionRecordType.Node:
                AddNode(record);
                break;
            case SessionRecordType.Forget:
                Inodes.Remove(record.First);
                LastInode = Math.Max(LastInode, record.First);
                break;
            case SessionRecordType.Move:
                if (Inodes.TryGetValue(record.First, out var moved) && Parent(record.Second) is { } parent)
                {
                    moved.Parent = parent;
                    moved.Name = record.Text;
                    moved.Model = moved.Kind == InodeKind.Model ? FindModel(parent, record.Text) : null;
                }

                break;
            case SessionRecordType.Unlink:
                if (Inodes.TryGetValue(record.First, out var unlinked))
                {
                    unlinked.IsUnlinked = true;
                }

                break;
            case SessionRecordType.Bind:
                if (Inodes.TryGetValue(record.First, out var bound))
                {
                    bound.Copy = cache.FindCopy(record.Signed);
                }

                break;
            case SessionRecordType.Open:
                if (Inodes.TryGetValue(record.Second, out var opened))
                {
                    _handles[record.First] = new FileHandle(record.First, opened, new HandleUse(record.Small == 1, record.Small == 2, record.Text));
                    Opened[(ulong)record.Signed] = record.First;
                }

                break;
            case SessionRecordType.Cached:
                if (_handles.TryGetValue(record.First, out var handle))
                {
                    _handles[record.First] = new FileHandle(handle.Id, handle.Inode, new HandleUse(handle.IsWriter, handle.IsFolder, handle.ChangePath, IsCached: true));
                }

                break;
            case SessionRecordType.Close:
                _handles.Remove(record.First);
                break;
            case SessionRecordType.Intent:
                Intents[record.First] = (ulong)record.Signed;
                break;
            case SessionRecordType.Done:
                Done.Add(record.First);
                break;
            case SessionRecordType.Resume:
                Resumes++;
                break;
        }
    }

    private Inode? Parent(ulong id) => id == root.Id ? root : Inodes.GetValueOrDefault(id);

    private void AddNode(SessionRecord record)
    {
        LastInode = Math.Max(LastInode, record.First);
        var kind = (InodeKind)record.Small;
        var parent = Parent(record.Second);
        var model = kind == InodeKind.Model ? FindModel(parent, record.Text) : null;
        var copy = kind == InodeKind.Model || record.Signed == 0 ? null : cache.FindCopy(record.Signed);
        Inodes[record.First] = new Inode
        {
            Id = record.First,
            Kind = kind,
            Number = InodeNumbers.Of(kind, model?.Name.ToString() ?? record.Text, record.Signed),
            Parent = parent,
            Name = record.Text,
            Model = model,
            Copy = copy,
            IsInherited = true,
        };
    }

    private CachedModel? FindModel(Inode? parent, string name) =>
        ModelName.TryCreate(parent is { Kind: InodeKind.Project } ? parent.Name : null, name, out var model) ? cache.Catalog.GetOrAdd(model) : null;
}
