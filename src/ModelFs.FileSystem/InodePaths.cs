using System.Globalization;

namespace ModelFs.FileSystem;

/// <summary>Where inodes are. The caller holds the lock of <see cref="InodeTable"/>.</summary>
internal static class InodePaths
{
    /// <summary>An inode's path relative to its model's folder.</summary>
    public static string InModel(Inode inode)
    {
        if (inode.Kind != InodeKind.Tree)
        {
            return "";
        }

        var last = inode.Last;
        return last.Parent is { Kind: InodeKind.Tree } parent ? InModel(parent) + "/" + last.Name : last.Name;
    }

    /// <summary>
    /// Whether an inode is reached by the name of a version that lost against the store. Needs no lock: names move inside of one version only, so that
    /// every way up ends at the same place.
    /// </summary>
    public static bool IsInConflict(Inode inode)
    {
        var top = inode;
        while (top is { Kind: InodeKind.Tree, Parent: { } parent })
        {
            top = parent;
        }

        return top.Kind == InodeKind.Conflict;
    }

    /// <summary>How many folders an inode is below the root.</summary>
    public static int Depth(Inode inode)
    {
        var depth = 0;
        for (var each = inode.Parent; each is not null; each = each.Parent)
        {
            depth++;
        }

        return depth;
    }

    /// <summary>Where an inode's file is on the cache's disk; null for what has none.</summary>
    public static string? OnDisk(Inode inode)
    {
        inode = inode.Last;
        if (inode.Copy is not { } copy)
        {
            return null;
        }

        if (inode.Kind != InodeKind.Tree)
        {
            return copy.Content;
        }

        if (inode.IsUnlinked)
        {
            return copy.Unlinked + "/" + inode.Id.ToString(CultureInfo.InvariantCulture);
        }

        return inode.Parent is { Kind: InodeKind.Tree } parent ? OnDisk(parent) + "/" + inode.Name : copy.Content + "/" + inode.Name;
    }
}
