using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>
/// The serialization that a tree's identity is a digest of. It is frozen: caches keep these digests over updates of the program.
/// Per entry, sorted ordinally by path: path, type, mode, then for files size, digest, time, for links target, time.
/// Numbers are little-endian, 8 bytes; texts are a length in bytes and UTF-8.
/// </summary>
internal sealed class TreeDigest
{
    private const long Version = 1;

    private readonly XxHash128 _hash = new();

    public static ContentDigest Compute(IEnumerable<TreeEntry> entries)
    {
        var digest = new TreeDigest();
        digest.Append(Version);
        foreach (var entry in entries.OrderBy(entry => entry.Path, StringComparer.Ordinal))
        {
            digest.Append(entry);
        }

        return ContentDigest.From(digest._hash.GetCurrentHashAsUInt128());
    }

    private void Append(TreeEntry entry)
    {
        Append(entry.Path);
        Append((long)TypeCode(entry.Type));
        Append(entry.Mode);
        switch (entry.Type)
        {
            case TreeEntryType.File:
                var content = entry.Digest ?? throw new ArgumentException($"the file '{entry.Path}' has no digest", nameof(entry));
                Append(entry.Size);
                Append((long)content.High);
                Append((long)content.Low);
                Append(entry.ModifiedTime);
                break;
            case TreeEntryType.SymbolicLink:
                Append(entry.LinkTarget ?? "");
                Append(entry.ModifiedTime);
                break;
            case TreeEntryType.Directory:
                break;
        }
    }

    private static int TypeCode(TreeEntryType type) => type switch
    {
        TreeEntryType.Directory => 1,
        TreeEntryType.File => 2,
        TreeEntryType.SymbolicLink => 3,
    };

    private void Append(UnixTime time)
    {
        Append(time.Seconds);
        Append(time.Nanoseconds);
    }

    private void Append(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Append(bytes.Length);
        _hash.Append(bytes);
    }

    private void Append(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _hash.Append(bytes);
    }
}
