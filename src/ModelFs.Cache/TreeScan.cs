using System.Buffers;
using System.IO.Hashing;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>What stands in a copy's content folder at one moment.</summary>
/// <param name="Entries">Sorted ordinally by path, the model folder (empty path) first; files with digests.</param>
/// <param name="Files">Regular files with what lstat said before they were read.</param>
/// <param name="Changed">Paths of files whose digest had to be computed, because lstat told that they may differ from the base.</param>
internal sealed record TreeScan(IReadOnlyList<TreeEntry> Entries, IReadOnlyList<BaseFile> Files, IReadOnlyList<string> Changed)
{
    /// <summary>Nanoseconds that no ctime has: the file is read again the next time.</summary>
    public const uint NeverSame = uint.MaxValue;

    private static readonly TimeSpan s_clockTicks = TimeSpan.FromMilliseconds(20);

    /// <summary>Sum of the files' sizes, in bytes.</summary>
    public long ContentBytes => Files.Sum(file => file.Size);

    /// <summary>Walks a content folder.</summary>
    /// <param name="content">The folder.</param>
    /// <param name="known">Files whose digests are known as long as lstat says the same of them.</param>
    /// <param name="probe">Called with each file before any is read; what it throws ends the scan.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <exception cref="ModelException">The cache's disk failed.</exception>
    public static TreeScan Run(string content, IReadOnlyDictionary<string, BaseFile> known, Action<string, FileStatus>? probe, CancellationToken cancellationToken)
    {
        var entries = new List<TreeEntry>();
        var found = new List<(string Path, FileStatus Status)>();
        var looked = UnixTime.From(DateTimeOffset.UtcNow);
        Walk(content, entries, found, cancellationToken);
        foreach (var (path, status) in found)
        {
            probe?.Invoke(path, status);
        }

        var files = new List<BaseFile>(found.Count);
        var changed = new List<string>();
        foreach (var (path, status) in found)
        {
            ContentDigest digest;
            if (known.TryGetValue(path, out var before) && IsSame(before, status) && ContentDigest.TryParse(before.Digest, out var unchanged))
            {
                digest = unchanged;
            }
            else
            {
                digest = HashFile(content + "/" + path, cancellationToken);
                changed.Add(path);
            }

            entries.Add(new TreeEntry(path, TreeEntryType.File, (int)(status.Mode & 0x1FF), status.ModifiedTime, status.Size, Digest: digest));
            files.Add(Describe(path, digest, status, looked));
        }

        entries.Sort((left, right) => string.CompareOrdinal(left.Path, right.Path));
        return new TreeScan(entries, files, changed);
    }

    /// <summary>What the base tree records of a file.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="digest">Of its content.</param>
    /// <param name="status">What lstat said of it before it was read.</param>
    /// <param name="looked">The system's time when lstat was asked, or a little earlier.</param>
    /// <remarks>
    /// Before Linux 6.13 a ctime is as coarse as the timer's tick, so a file that was changed within the tick of its last change looks the
    /// same. The ctime of a file that is so fresh is recorded as one that no file has: it is read again the next time.
    /// </remarks>
    public static BaseFile Describe(string path, ContentDigest digest, FileStatus status, UnixTime looked)
    {
        var age = looked.ToDateTimeOffset() - status.ChangeTime.ToDateTimeOffset();
        return new(path, digest.ToString(), status.Inode, status.Size, status.ChangeTime.Seconds, age > s_clockTicks ? status.ChangeTime.Nanoseconds : NeverSame);
    }

    private static void Walk(string content, List<TreeEntry> entries, List<(string Path, FileStatus Status)> found, CancellationToken cancellationToken)
    {
        var pending = new Stack<string>([""]);
        while (pending.TryPop(out var path))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var full = path.Length == 0 ? content : content + "/" + path;
            DurableFile.Check(PosixFile.Stat(full, out var status), "stat", full);
            var mode = (int)(status.Mode & 0x1FF);
            if (status.IsFolder)
            {
                entries.Add(new TreeEntry(path, TreeEntryType.Directory, mode, status.ModifiedTime));
                DurableFile.Check(PosixFile.List(full, out var names), "list", full);
                foreach (var name in names)
                {
                    pending.Push(path.Length == 0 ? name.Name : path + "/" + name.Name);
                }
            }
            else if (status.IsLink)
            {
                DurableFile.Check(PosixFile.ReadLink(full, out var target), "read", full);
                entries.Add(new TreeEntry(path, TreeEntryType.SymbolicLink, mode, status.ModifiedTime, LinkTarget: target));
            }
            else if (status.IsFile)
            {
                found.Add((path, status));
            }
        }
    }

    private static bool IsSame(BaseFile known, FileStatus status) =>
        known.Inode == status.Inode
        && known.Size == status.Size
        && known.ChangeSeconds == status.ChangeTime.Seconds
        && known.ChangeNanoseconds == status.ChangeTime.Nanoseconds;

    private static ContentDigest HashFile(string path, CancellationToken cancellationToken)
    {
        DurableFile.Check(PosixFile.Open(path, PosixFile.ReadOnly, 0, out var file), "open", path);
        using (file)
        {
            var hash = new XxHash128();
            var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
            try
            {
                for (long offset = 0; ;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    DurableFile.Check(PosixFile.Read(file, buffer, offset, out var count), "read", path);
                    if (count == 0)
                    {
                        return ContentDigest.From(hash.GetCurrentHashAsUInt128());
                    }

                    hash.Append(buffer.AsSpan(0, count));
                    offset += count;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
