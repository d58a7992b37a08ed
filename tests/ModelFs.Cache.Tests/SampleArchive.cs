using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace ModelFs.Cache.Tests;

/// <summary>Archives of models made by another writer than ModelFs, and what is in an archive by another reader.</summary>
internal static class SampleArchive
{
    /// <summary>A gzip-compressed tar with members below <c>./</c>.</summary>
    public static byte[] Of(params (string Path, string Text)[] files)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "./") { Mode = (UnixFileMode)0x1ED });
            var folders = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (path, text) in files)
            {
                for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
                {
                    if (folders.Add(path[..slash]))
                    {
                        tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, $"./{path[..slash]}/") { Mode = (UnixFileMode)0x1ED });
                    }
                }

                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "./" + path)
                {
                    Mode = (UnixFileMode)0x1A4,
                    ModificationTime = DateTimeOffset.UnixEpoch.AddDays(18_000),
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                });
            }
        }

        return bytes.ToArray();
    }

    /// <summary>Regular files of a published archive, by the last part of their paths' common rule: without a leading <c>./</c> or model folder.</summary>
    public static IReadOnlyDictionary<string, string> Files(byte[] archive)
    {
        using var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
            {
                using var text = new StreamReader(entry.DataStream ?? Stream.Null);
                files[entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name] = text.ReadToEnd();
            }
        }

        return files;
    }

    /// <summary>The only file of an archive, whatever its layout.</summary>
    public static string OnlyFile(byte[] archive) => Files(archive).Values.Single();
}
