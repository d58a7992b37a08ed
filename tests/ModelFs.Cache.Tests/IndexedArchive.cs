using ModelFs.Archives;
using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>Indexed archives as ModelFs writes them, made from files in memory.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal static class IndexedArchive
{
    /// <summary>Modified time of every file.</summary>
    public static UnixTime Modified { get; } = new(1_500_000_000, 123_000_000);

    /// <summary>Packs files; a path that ends with a slash is an empty folder.</summary>
    public static byte[] Of(string model, params (string Path, byte[] Content)[] files) => Of(model, [], files);

    /// <summary>Packs files in an order of their own.</summary>
    public static byte[] Of(string model, IReadOnlyList<string> order, params (string Path, byte[] Content)[] files)
    {
        var folder = Directory.CreateTempSubdirectory("modelfs-indexed-").FullName;
        try
        {
            foreach (var (path, content) in files)
            {
                var full = Path.Combine(folder, path);
                if (path.EndsWith('/'))
                {
                    Directory.CreateDirectory(full);
                    continue;
                }

                Directory.CreateDirectory(Path.GetDirectoryName(full)!);
                File.WriteAllBytes(full, content);
                File.SetUnixFileMode(full, (UnixFileMode)0x1A4);
                File.SetLastWriteTimeUtc(full, Modified.ToDateTimeOffset().UtcDateTime);
            }

            var entries = ModelTree.ScanAsync(folder, null, CancellationToken.None).GetAwaiter().GetResult();
            var name = ModelName.TryParsePath(model, out var parsed) ? parsed! : throw new ArgumentException(model);
            using var output = new MemoryStream();
            var options = new PackOptions(ArchiveFormat.TarGz, ModelCache.LayoutOf(name), name) { Order = order };
            ModelPacker.PackAsync(folder, entries, options, output, CancellationToken.None).GetAwaiter().GetResult();
            return output.ToArray();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The index of such an archive.</summary>
    public static ArchiveIndex IndexOf(string model, byte[] archive)
    {
        var name = ModelName.TryParsePath(model, out var parsed) ? parsed! : throw new ArgumentException(model);
        return ArchiveIndexReader.TryRead(archive, archive.Length, name, UnpackLimits.Default, out _, out var index)
            ? index
            : throw new InvalidOperationException("the archive has no index");
    }

    /// <summary>Bytes that no packer shrinks, other ones for each seed.</summary>
    public static byte[] Noise(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
