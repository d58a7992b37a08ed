namespace ModelFs.Models;

/// <summary>The container that a model's archive is written in, told by the ending of its key.</summary>
public enum ArchiveFormat
{
    /// <summary>A gzip-compressed tar, <c>.tar.gz</c>: what every generation of Rasa writes and what ModelFs publishes.</summary>
    TarGz,

    /// <summary>The same bytes as <see cref="TarGz"/> under the ending <c>.tgz</c>.</summary>
    Tgz,

    /// <summary>An uncompressed tar, <c>.tar</c>.</summary>
    Tar,

    /// <summary>A bzip2-compressed tar, <c>.tar.bz2</c>. Read only.</summary>
    TarBz2,

    /// <summary>A zip file, <c>.zip</c>. Read only.</summary>
    Zip,
}

/// <summary>Endings of archive keys.</summary>
public static class ArchiveFormats
{
    private static readonly (string Suffix, ArchiveFormat Format)[] s_suffixes =
    [
        (".tar.gz", ArchiveFormat.TarGz),
        (".tgz", ArchiveFormat.Tgz),
        (".tar.bz2", ArchiveFormat.TarBz2),
        (".tar", ArchiveFormat.Tar),
        (".zip", ArchiveFormat.Zip),
    ];

    /// <summary>The ending, with its leading dot, that keys of this format carry.</summary>
    public static string Suffix(this ArchiveFormat format) => format switch
    {
        ArchiveFormat.TarGz => ".tar.gz",
        ArchiveFormat.Tgz => ".tgz",
        ArchiveFormat.Tar => ".tar",
        ArchiveFormat.TarBz2 => ".tar.bz2",
        ArchiveFormat.Zip => ".zip",
    };

    /// <summary>Whether ModelFs can publish an archive of this format; the others are read and rewritten as <see cref="ArchiveFormat.TarGz"/>.</summary>
    public static bool CanWrite(this ArchiveFormat format) => format is ArchiveFormat.TarGz or ArchiveFormat.Tgz or ArchiveFormat.Tar;

    /// <summary>Splits <paramref name="key"/> into the part before the ending and the format that the ending names.</summary>
    /// <returns>False when the key carries none of the known endings, or nothing stands before it.</returns>
    public static bool TrySplit(string key, out string stem, out ArchiveFormat format)
    {
        foreach (var (suffix, candidate) in s_suffixes)
        {
            if (key.Length > suffix.Length && key.EndsWith(suffix, StringComparison.Ordinal))
            {
                stem = key[..^suffix.Length];
                format = candidate;
                return true;
            }
        }

        stem = "";
        format = default;
        return false;
    }
}
