using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// Makes a tree on disk from members in the order of their archive. It never writes through a link: links are made last, a member below one is refused,
/// and every file is created new in folders that this object made. Folders are writable for the owner until <see cref="Finish"/> gives modes and times.
/// </summary>
internal sealed class TreeWriter(string targetFolder, TreeBudget budget)
{
    private const int WorkingFolderMode = 0x1c0; // 0700

    private readonly Dictionary<string, TreeEntry> _entries = new(StringComparer.Ordinal);
    private readonly FileCreator _files = new();
    private string _lastParent = "";

    /// <summary>Makes a folder, or gives an existing one new attributes.</summary>
    public void AddFolder(string path, TarMember member)
    {
        budget.AddEntry();
        var entry = new TreeEntry(path, TreeEntryType.Directory, member.Mode, member.ModifiedTime);
        if (path.Length == 0)
        {
            _entries[""] = entry;
            return;
        }

        if (_entries.TryGetValue(path, out var existing))
        {
            if (existing.Type != TreeEntryType.Directory)
            {
                throw ArchiveException.Unsafe($"'{path}' is in the archive as a folder and as something else");
            }
        }
        else
        {
            EnsureParents(path);
            InteropFiles.MakeDirectory(FullPath(path), WorkingFolderMode);
        }

        _entries[path] = entry;
    }

    /// <summary>Makes a file from the spans that <paramref name="next"/> gives until it gives an empty one.</summary>
    public void AddFile(string path, TarMember member, ContentSource next)
    {
        budget.AddEntry();
        budget.AddContent(member.Size);
        MakeRoom(path);
        var digest = _files.Create(FullPath(path), member, next);
        _entries[path] = new TreeEntry(path, TreeEntryType.File, member.Mode, member.ModifiedTime, member.Size, null, digest);
    }

    /// <summary>Takes note of a symbolic link.</summary>
    public void AddSymbolicLink(string path, TarMember member)
    {
        budget.AddEntry();
        MakeRoom(path);
        _entries[path] = new TreeEntry(path, TreeEntryType.SymbolicLink, TreeScanner.LinkMode, member.ModifiedTime, 0, member.LinkName);
    }

    /// <summary>Makes a copy of a file that the archive names a second time.</summary>
    public void AddHardLink(string path, string targetPath, TarMember member)
    {
        if (!_entries.TryGetValue(targetPath, out var target) || target.Type == TreeEntryType.Directory)
        {
            throw ArchiveException.Damaged($"'{path}' is a hard link to '{targetPath}', which the archive does not hold before it");
        }

        if (path == targetPath)
        {
            return;
        }

        budget.AddEntry();
        budget.AddContent(target.Size);
        MakeRoom(path);
        var copy = target with { Path = path, ModifiedTime = member.ModifiedTime };
        if (target.Type == TreeEntryType.File)
        {
            copy = copy with { Mode = member.Mode };
            FileCreator.Copy(FullPath(targetPath), FullPath(path), copy);
        }

        _entries[path] = copy;
    }

    /// <summary>Takes <paramref name="topFolder"/> off if there is one, then makes links and gives modes and times, deepest first.</summary>
    /// <returns>Every entry, sorted.</returns>
    public IReadOnlyList<TreeEntry> Finish(string? topFolder)
    {
        if (topFolder is not null)
        {
            TopFolder.MoveUp(targetFolder, topFolder);
        }

        var entries = SortedTree.From(topFolder is null ? _entries.Values : TopFolder.TakeOff(topFolder, _entries.Values));
        LinkRule.Check(entries);
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            FinishEntry(entries[i], FullPath(entries[i].Path));
        }

        return entries;
    }

    private static void FinishEntry(TreeEntry entry, string fullPath)
    {
        switch (entry.Type)
        {
            case TreeEntryType.Directory:
                InteropFiles.SetMode(fullPath, entry.Mode);
                InteropFiles.SetLinkModifiedTime(fullPath, entry.ModifiedTime);
                break;
            case TreeEntryType.File when !FileCreator.GivesModeAtOnce(entry.Mode):
                InteropFiles.SetMode(fullPath, entry.Mode);
                break;
            case TreeEntryType.File:
                break;
            case TreeEntryType.SymbolicLink:
                InteropFiles.MakeSymbolicLink(entry.LinkTarget!, fullPath);
                InteropFiles.SetLinkModifiedTime(fullPath, entry.ModifiedTime);
                break;
        }
    }

    private string FullPath(string path) => path.Length == 0 ? targetFolder : targetFolder + "/" + path;

    /// <summary>Prepares the place of a file or link: makes its parents, and removes what an earlier member of the same name left there.</summary>
    private void MakeRoom(string path)
    {
        EnsureParents(path);
        if (!_entries.Remove(path, out var existing))
        {
            return;
        }

        if (existing.Type == TreeEntryType.Directory)
        {
            throw ArchiveException.Unsafe($"'{path}' is in the archive as a folder and as something else");
        }

        if (existing.Type == TreeEntryType.File)
        {
            File.Delete(FullPath(path));
        }
    }

    private void EnsureParents(string path)
    {
        var slash = path.LastIndexOf('/');
        var parent = slash < 0 ? "" : path[..slash];
        if (parent == _lastParent)
        {
            return;
        }

        for (var end = path.IndexOf('/', StringComparison.Ordinal); end >= 0; end = path.IndexOf('/', end + 1))
        {
            EnsureFolder(path[..end], path);
        }

        _lastParent = parent;
    }

    private void EnsureFolder(string folder, string member)
    {
        if (_entries.TryGetValue(folder, out var existing))
        {
            if (existing.Type != TreeEntryType.Directory)
            {
                throw ArchiveException.Unsafe($"the member '{member}' would be written through '{folder}', which is no folder");
            }

            return;
        }

        budget.AddEntry();
        InteropFiles.MakeDirectory(FullPath(folder), WorkingFolderMode);
        _entries[folder] = new TreeEntry(folder, TreeEntryType.Directory, SortedTree.ImpliedFolderMode, SortedTree.UnknownTime);
    }
}
