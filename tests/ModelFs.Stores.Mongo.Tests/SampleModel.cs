using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>Archives of small models, and what is in archives.</summary>
internal static class SampleModel
{
    public static readonly DateTimeOffset Time = new(2017, 5, 4, 3, 2, 1, 123, TimeSpan.Zero);

    /// <summary>A model whose JSON no Python would render so.</summary>
    public static Dictionary<string, byte[]> Files => new()
    {
        ["metadata.json"] = Encoding.UTF8.GetBytes("{\n  \"language\": \"de\",\n  \"größe\": 1.50,\n  \"pipeline\": [ \"a\", \"b\" ]\n}\n"),
        ["intent_classifier.pkl"] = [0x80, 2, 0, 255],
        ["ner/model"] = BytesContent.Random(5000, seed: 11),
        ["ner/config.json"] = "[1, 2.0, null]"u8.ToArray(),
    };

    /// <summary>Packs files below <paramref name="prefix"/>, folders before what is in them.</summary>
    public static byte[] Pack(IEnumerable<KeyValuePair<string, byte[]>> files, string prefix = "./", params TarEntry[] more)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            var folders = new HashSet<string>();
            foreach (var (path, bytes) in files)
            {
                var name = prefix + path;
                for (var slash = name.IndexOf('/'); slash >= 0; slash = name.IndexOf('/', slash + 1))
                {
                    if (folders.Add(name[..(slash + 1)]))
                    {
                        tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, name[..(slash + 1)]) { Mode = (UnixFileMode)0x1ed, ModificationTime = Time });
                    }
                }

                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(bytes),
                    Mode = name.EndsWith(".pkl", StringComparison.Ordinal) ? (UnixFileMode)0x180 : (UnixFileMode)0x1a4,
                    ModificationTime = Time,
                });
            }

            foreach (var entry in more)
            {
                tar.WriteEntry(entry);
            }
        }

        return output.ToArray();
    }

    public static byte[] Pack() => Pack(Files);

    /// <summary>The files of an archive, with their modes and times.</summary>
    public static Dictionary<string, (byte[] Bytes, int Mode, DateTimeOffset Modified)> Unpack(byte[] archive)
    {
        var files = new Dictionary<string, (byte[], int, DateTimeOffset)>();
        using var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            if (entry.EntryType is TarEntryType.RegularFile)
            {
                using var bytes = new MemoryStream();
                entry.DataStream?.CopyTo(bytes);
                files[entry.Name[2..]] = (bytes.ToArray(), (int)entry.Mode, entry.ModificationTime);
            }
        }

        return files;
    }

    /// <summary>Writes files below a folder.</summary>
    public static void WriteTo(string folder, Dictionary<string, byte[]> files)
    {
        foreach (var (path, bytes) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
            File.WriteAllBytes(Path.Combine(folder, path), bytes);
        }
    }
}
