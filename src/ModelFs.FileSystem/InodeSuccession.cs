namespace ModelFs.FileSystem;

/// <summary>Superseded inodes whose place nobody has taken yet. Guarded by the lock of <see cref="InodeTable"/>.</summary>
internal sealed class InodeSuccession
{
    private readonly Dictionary<(ulong Parent, string Name), List<Inode>> _waiting = [];

    /// <summary>The next inode that is handed out for an inode's name takes its place.</summary>
    public void Await(Inode inode)
    {
        var place = (inode.Parent!.Id, inode.Name);
        if (!_waiting.TryGetValue(place, out var waiting))
        {
            _waiting[place] = waiting = [];
        }

        waiting.Add(inode);
    }

    /// <summary>A new inode takes the place of those that wait at its name.</summary>
    /// <returns>Those.</returns>
    public IReadOnlyList<Inode> TakePlaces(Inode inode)
    {
        if (!_waiting.Remove((inode.Parent!.Id, inode.Name), out var predecessors))
        {
            return [];
        }

        foreach (var predecessor in predecessors)
        {
            inode.Succeed(predecessor);
        }

        return predecessors;
    }

    /// <summary>An inode is gone, and needs no successor.</summary>
    /// <returns>The inode that had taken its place.</returns>
    public Inode? Leave(Inode inode)
    {
        if (inode.Successor is { } successor)
        {
            successor.Predecessors.Remove(inode);
            return successor;
        }

        if (inode is { IsSuperseded: true, Parent: { } parent } && _waiting.TryGetValue((parent.Id, inode.Name), out var waiting) && waiting.Remove(inode) && waiting.Count == 0)
        {
            _waiting.Remove((parent.Id, inode.Name));
        }

        return null;
    }
}
