using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Reads indexed archives that tests hold in memory, by their index alone.</summary>
internal static class IndexedArchive
{
    /// <summary>The index at the end, or null for a foreign archive.</summary>
    public static ArchiveIndex? IndexOf(ReadOnlySpan<byte> archive, ModelName? model = null) =>
        ArchiveIndexReader.TryRead(archive, archive.Length, model ?? Unpacking.Bert, UnpackLimits.Default, out _, out var index) ? index : null;

    /// <summary>The content of every file, put together from the slices of all members.</summary>
    /// <exception cref="ArchiveException">A member is damaged.</exception>
    public static Dictionary<string, byte[]> ContentOf(byte[] archive, ArchiveIndex index, bool checksCrc = true)
    {
        using var inflater = new MemberInflater(checksCrc);
        var contents = index.Entries.Where(entry => entry.Entry.Type == TreeEntryType.File)
            .ToDictionary(entry => entry.Entry.Path, entry => new byte[entry.Entry.Size], StringComparer.Ordinal);
        var filled = contents.ToDictionary(pair => pair.Key, _ => 0L, StringComparer.Ordinal);
        var empty = contents.Where(pair => pair.Value.Length == 0).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < index.Members.Count; i++)
        {
            foreach (var slice in InflateOne(inflater, archive, index, i))
            {
                var path = index.Entries[slice.Entry].Entry.Path;
                Assert.That(slice.FileOffset, Is.EqualTo(filled[path]), path);
                slice.Bytes.CopyTo(contents[path].AsMemory((int)slice.FileOffset));
                filled[path] += slice.Bytes.Length;
                empty.Remove(path);
            }
        }

        Assert.That(filled.All(pair => pair.Value == contents[pair.Key].Length), Is.True, "a file is not whole");
        Assert.That(empty, Is.Empty, "an empty file was not reported");
        return contents;
    }

    /// <summary>The slices of one member.</summary>
    public static IReadOnlyList<ContentSlice> InflateOne(MemberInflater inflater, byte[] archive, ArchiveIndex index, int number)
    {
        var member = index.Members[number];
        return inflater.Inflate(index, number, archive.AsMemory((int)member.Offset, member.ArchiveBytes), new byte[member.TarBytes]);
    }

    /// <summary>That the index says what a whole unpack finds, and that the members hold the files of a folder.</summary>
    public static async Task AgreesWithUnpackAsync(byte[] archive, string folder)
    {
        var index = IndexOf(archive);
        Assert.That(index, Is.Not.Null, "the archive is foreign");
        using var temporary = new TemporaryFolder();
        var whole = await Unpacking.ToFolderAsync(archive, temporary.Path);
        Assert.That(index!.Layout, Is.EqualTo(whole.Layout));
        Assert.That(index.Tree, Is.EqualTo(whole.Entries));
        Assert.That(index.TreeDigest, Is.EqualTo(whole.TreeDigest));
        Assert.That(index.ContentBytes, Is.EqualTo(whole.ContentBytes));
        foreach (var (path, content) in ContentOf(archive, index))
        {
            Assert.That(content.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder, path))), Is.True, path);
        }
    }
}
