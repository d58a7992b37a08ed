using System.Globalization;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>The files that a local copy is made of on disk, and the steps that make, load and drop one.</summary>
internal sealed class CopyFiles(CacheFolder folder)
{
    /// <summary>Begins a copy.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public StagedCopy Stage() => StagedCopy.Make(folder, this);

    /// <summary>Drops a copy: out of sight in one step, then file by file.</summary>
    public void Drop(string path)
    {
        var doomed = NewDoomedPath();
        TreeRemoval.Remove(PosixFile.Rename(path, doomed) == Errno.None ? doomed : path);
    }

    /// <summary>Drops a copy, or leaves it whole when the disk does not let it out of sight in one step.</summary>
    /// <returns>False when it still stands there.</returns>
    public bool TryDrop(string path)
    {
        var doomed = NewDoomedPath();
        if (PosixFile.Rename(path, doomed) == Errno.None)
        {
            TreeRemoval.Remove(doomed);
            return true;
        }

        return !Path.Exists(path);
    }

    /// <summary>Bytes that can still be written to the cache's disk.</summary>
    public long BytesFree() => PosixFile.StatFileSystem(folder.Root, out var disk) == Errno.None ? disk.BytesAvailable : long.MaxValue;

    /// <summary>Where a pack is written.</summary>
    public string NewPackPath() => Path.Combine(folder.Staging, "pack-" + folder.NextId().ToString(CultureInfo.InvariantCulture));

    public static void WriteManifest(string path, CopyManifest manifest, bool durable) =>
        DurableFile.Write(path + "/manifest.json", manifest, CacheJson.Default.CopyManifest, durable);

    public static CopyManifest? ReadManifest(string path) => DurableFile.Read(path + "/manifest.json", CacheJson.Default.CopyManifest);

    public static void WriteBase(string path, IReadOnlyList<BaseFile> files, bool durable) =>
        DurableFile.Write(path + "/base.json", new BaseTree(1, files), CacheJson.Default.BaseTree, durable);

    /// <summary>The base tree; empty when it was never written or is damaged: every file is read then.</summary>
    public static IReadOnlyDictionary<string, BaseFile> ReadBase(string path) =>
        DurableFile.Read(path + "/base.json", CacheJson.Default.BaseTree)?.Files.ToDictionary(file => file.Path, StringComparer.Ordinal)
        ?? new Dictionary<string, BaseFile>(StringComparer.Ordinal);

    /// <summary>Describes the files of an unpacked tree for the base.</summary>
    public static List<BaseFile> DescribeBase(string content, IReadOnlyList<TreeEntry> entries)
    {
        var files = new List<BaseFile>();
        var looked = UnixTime.From(DateTimeOffset.UtcNow);
        foreach (var entry in entries)
        {
            if (entry.Type == TreeEntryType.File)
            {
                var path = content + "/" + entry.Path;
                DurableFile.Check(PosixFile.Stat(path, out var status), "stat", path);
                files.Add(TreeScan.Describe(entry.Path, entry.Digest ?? default, status, looked));
            }
        }

        return files;
    }

    private string NewDoomedPath() => Path.Combine(folder.Staging, "drop-" + folder.NextId().ToString(CultureInfo.InvariantCulture));
}
