using System.Buffers;
using System.IO.Enumeration;
using System.IO.Hashing;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>One walk over a model folder.</summary>
internal sealed class TreeScanner(string folder, KnownDigest? knownDigest, CancellationToken cancellationToken)
{
    /// <summary>The mode that every link is listed with: Linux keeps none for links, and shows 0777.</summary>
    public const int LinkMode = 0x1ff;

    private const int ReadBytes = 1 << 20;

    private static readonly EnumerationOptions s_everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };

    private readonly List<TreeEntry> _entries = [];

    public IReadOnlyList<TreeEntry> Scan()
    {
        var status = InteropFiles.LinkStatus(folder);
        if (!status.IsDirectory)
        {
            throw new PackException("", $"{folder} is not a folder");
        }

        _entries.Add(new TreeEntry("", TreeEntryType.Directory, status.Permissions, status.ModifiedTime));
        ScanFolder(folder, "");
        _entries.Sort(static (left, right) => string.CompareOrdinal(left.Path, right.Path));
        return _entries;
    }

    private void ScanFolder(string fullPath, string path)
    {
        var names = new FileSystemEnumerable<string>(fullPath, (ref FileSystemEntry entry) => entry.FileName.ToString(), s_everything);
        foreach (var name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ScanEntry(fullPath + "/" + name, path.Length == 0 ? name : path + "/" + name);
        }
    }

    private void ScanEntry(string fullPath, string path)
    {
        var status = InteropFiles.LinkStatus(fullPath);
        if (status.IsDirectory)
        {
            _entries.Add(new TreeEntry(path, TreeEntryType.Directory, status.Permissions, status.ModifiedTime));
            ScanFolder(fullPath, path);
        }
        else if (status.IsSymbolicLink)
        {
            var target = new FileInfo(fullPath).LinkTarget ?? throw new PackException(path, $"the link {fullPath} can't be read");
            _entries.Add(new TreeEntry(path, TreeEntryType.SymbolicLink, LinkMode, status.ModifiedTime, 0, target));
        }
        else if (status.IsRegular)
        {
            var digest = knownDigest?.Invoke(path, status.Stamp) ?? ReadDigest(fullPath, path, status.Size);
            _entries.Add(new TreeEntry(path, TreeEntryType.File, status.Permissions, status.ModifiedTime, status.Size, null, digest));
        }
        else
        {
            throw new PackException(path, $"{fullPath} is neither a file, a folder nor a link: an archive can't hold it, remove it");
        }
    }

    private ContentDigest ReadDigest(string fullPath, string path, long size)
    {
        using var file = InteropFiles.OpenFile(fullPath);
        var hash = new XxHash128();
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(size, 1, ReadBytes));
        try
        {
            long offset = 0;
            for (int read; (read = RandomAccess.Read(file, buffer, offset)) > 0; offset += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.Append(buffer.AsSpan(0, read));
            }

            return offset == size
                ? ContentDigest.From(hash.GetCurrentHashAsUInt128())
                : throw new PackException(path, $"{fullPath} had {size} bytes when it was listed and {offset} when it was read");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
