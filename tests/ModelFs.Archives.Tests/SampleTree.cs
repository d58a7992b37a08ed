using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Writes model folders from lists of entries.</summary>
internal static class SampleTree
{
    public static readonly UnixTime Time = new(1_700_000_000, 123_456_789);

    /// <summary>Makes every file, folder and link that is listed; contents by path.</summary>
    public static void Write(string folder, IReadOnlyList<TreeEntry> entries, Func<TreeEntry, byte[]> content)
    {
        foreach (var entry in entries.Where(entry => entry.Path.Length > 0))
        {
            var path = Path.Combine(folder, entry.Path);
            switch (entry.Type)
            {
                case TreeEntryType.Directory:
                    Directory.CreateDirectory(path);
                    break;
                case TreeEntryType.File:
                    File.WriteAllBytes(path, content(entry));
                    InteropFiles.SetMode(path, entry.Mode);
                    InteropFiles.SetLinkModifiedTime(path, entry.ModifiedTime);
                    break;
                case TreeEntryType.SymbolicLink:
                    File.CreateSymbolicLink(path, entry.LinkTarget!);
                    InteropFiles.SetLinkModifiedTime(path, entry.ModifiedTime);
                    break;
            }
        }

        foreach (var entry in entries.Where(entry => entry.Type == TreeEntryType.Directory).Reverse())
        {
            InteropFiles.SetMode(Path.Combine(folder, entry.Path), entry.Mode);
            InteropFiles.SetLinkModifiedTime(Path.Combine(folder, entry.Path), entry.ModifiedTime);
        }
    }

    /// <summary>A small model with everything that needs care in it.</summary>
    public static async Task<IReadOnlyList<TreeEntry>> WriteTypicalAsync(string folder)
    {
        TreeEntry[] entries =
        [
            new("", TreeEntryType.Directory, 0x1c0, Time),
            new("a", TreeEntryType.Directory, 0x16d, new UnixTime(5, 0)),
            new("a-b", TreeEntryType.File, 0x180, new UnixTime(-7, 500_000_000), 3),
            new("a/weights", TreeEntryType.File, 0x1a4, Time, 3_000_000),
            new("empty", TreeEntryType.Directory, 0x1ff, Time),
            new("link", TreeEntryType.SymbolicLink, 0x1ff, Time, 0, "a/weights"),
            new("link-" + new string('l', 200), TreeEntryType.SymbolicLink, 0x1ff, new UnixTime(9, 0), 0, "a/" + new string('ö', 120)),
            new("metadata.json", TreeEntryType.File, 0x124, new UnixTime(1_600_000_000, 0), 512),
            new("n" + new string('n', 254), TreeEntryType.File, 0x1a4, new UnixTime(1L << 33, 0), 1),
            new("p" + new string('p', 150), TreeEntryType.Directory, 0x1ed, new UnixTime(5, 0)),
            new("p" + new string('p', 150) + "/" + new string('q', 99), TreeEntryType.Directory, 0x1ed, new UnixTime(5, 0)),
            new("größe", TreeEntryType.File, 0x1a4, new UnixTime(5, 0)),
        ];
        Write(folder, entries.OrderBy(entry => entry.Path, StringComparer.Ordinal).ToList(), entry => Content(entry.Size));
        return await ModelTree.ScanAsync(folder, null, CancellationToken.None);
    }

    public static byte[] Content(long size)
    {
        var content = new byte[size];
        new Random((int)size).NextBytes(content);
        return content;
    }
}
