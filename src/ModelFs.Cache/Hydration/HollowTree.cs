using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// Makes a tree of a model whose content is not here: its folders and links as they are, its files by name only. What size, mode and time such a file shows
/// comes from the index (<see cref="CopyHydration.Show"/>), so one system call makes one.
/// </summary>
internal static class HollowTree
{
    /// <summary>What this process needs of a folder to make and fill files in it; a stricter mode is set once all content is here.</summary>
    public const uint WorkingFolderMode = 0x1C0;

    private const uint WorkingFileMode = 0x180;

    /// <summary>Makes its folders and links.</summary>
    /// <param name="content">An empty folder.</param>
    /// <param name="tree">The entries, sorted by path, the model folder first.</param>
    /// <exception cref="IOException">The cache's disk refused.</exception>
    public static void MakeFolders(string content, IReadOnlyList<TreeEntry> tree)
    {
        foreach (var entry in tree)
        {
            var path = PathOf(content, entry);
            switch (entry.Type)
            {
                case TreeEntryType.Directory when entry.Path.Length > 0:
                    DurableFile.Check(PosixFile.MakeFolder(path, (uint)entry.Mode | WorkingFolderMode), "create", path);
                    break;
                case TreeEntryType.Directory:
                    DurableFile.Check(PosixFile.SetMode(path, (uint)entry.Mode | WorkingFolderMode), "set the mode of", path);
                    break;
                case TreeEntryType.SymbolicLink:
                    DurableFile.Check(PosixFile.MakeLink(entry.LinkTarget!, path), "create", path);
                    DurableFile.Check(PosixFile.SetTimes(path, PosixFile.TimeUnchanged, entry.ModifiedTime), "set the time of", path);
                    break;
                case TreeEntryType.File:
                    break;
            }
        }
    }

    /// <summary>Makes one of its files.</summary>
    /// <param name="content">With all folders.</param>
    /// <param name="contentPath">Its path, for messages.</param>
    /// <param name="file">The file.</param>
    /// <param name="mayStand">Whether it may stand already, and then stays as it is. Otherwise that is an error: a disk on which two names are one would mix two files up.</param>
    /// <exception cref="IOException">The cache's disk refused.</exception>
    public static void MakeFile(SafeFileHandle content, string contentPath, TreeEntry file, bool mayStand)
    {
        var error = PosixFile.MakeNode(content, file.Path, WorkingFileMode);
        if (error != Errno.None && (error != Errno.EEXIST || !mayStand))
        {
            DurableFile.Check(error, "create", PathOf(contentPath, file));
        }
    }

    /// <summary>Makes files that have no content what they are to be, since nothing will ever be fetched for them; and gives the folders their times, which making files changes.</summary>
    /// <exception cref="IOException">The cache's disk refused.</exception>
    public static void FinishMaking(string content, IReadOnlyList<TreeEntry> tree)
    {
        foreach (var file in tree.Where(entry => entry is { Type: TreeEntryType.File, Size: 0 }))
        {
            var path = PathOf(content, file);
            DurableFile.Check(PosixFile.SetMode(path, (uint)file.Mode), "set the mode of", path);
            DurableFile.Check(PosixFile.SetTimes(path, PosixFile.TimeUnchanged, file.ModifiedTime), "set the time of", path);
        }

        SetFolderTimes(content, tree);
    }

    /// <summary>Gives folders their times, which change when files in them are replaced, and the modes that would have kept this process from filling them.</summary>
    public static void Finish(string content, IReadOnlyList<TreeEntry> tree)
    {
        SetFolderTimes(content, tree);
        foreach (var entry in tree.Where(IsStrict).Reverse())
        {
            DurableFile.Check(PosixFile.SetMode(PathOf(content, entry), (uint)entry.Mode), "set the mode of", entry.Path);
        }
    }

    /// <summary>Takes those modes away again, before files are emptied.</summary>
    public static void Unfinish(string content, IReadOnlyList<TreeEntry> tree)
    {
        foreach (var entry in tree.Where(IsStrict))
        {
            DurableFile.Check(PosixFile.SetMode(PathOf(content, entry), (uint)entry.Mode | WorkingFolderMode), "set the mode of", entry.Path);
        }
    }

    /// <summary>Puts an empty file in the place of one whose content is dropped. Who has the old one open or mapped keeps it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spare">A name beside the tree for the new file, on the same disk.</param>
    public static Errno Empty(string path, string spare)
    {
        _ = PosixFile.Unlink(spare);
        var error = PosixFile.MakeNode(spare, WorkingFileMode);
        return error == Errno.None ? PosixFile.Rename(spare, path) : error;
    }

    private static void SetFolderTimes(string content, IReadOnlyList<TreeEntry> tree)
    {
        foreach (var entry in tree.Where(entry => entry.Type == TreeEntryType.Directory))
        {
            DurableFile.Check(PosixFile.SetTimes(PathOf(content, entry), PosixFile.TimeUnchanged, entry.ModifiedTime), "set the time of", entry.Path);
        }
    }

    private static bool IsStrict(TreeEntry entry) => entry.Type == TreeEntryType.Directory && ((uint)entry.Mode & WorkingFolderMode) != WorkingFolderMode;

    private static string PathOf(string content, TreeEntry entry) => entry.Path.Length == 0 ? content : content + "/" + entry.Path;
}
