using System.Text;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// A member's name as a path below the model folder. A value of this type never leads out of the folder: no leading slash, no <c>..</c>, no NUL,
/// no part longer than a file name may be.
/// </summary>
internal readonly record struct MemberName
{
    /// <summary>The longest path in bytes; with the cache's own folders in front it stays below PATH_MAX (4,096).</summary>
    public const int PathBytesMax = 3_500;

    private const int PartBytesMax = 255;

    private MemberName(string path) => Path = path;

    /// <summary>Parts separated by one slash; empty for the folder itself.</summary>
    public string Path { get; }

    /// <summary>Normalizes and checks a name: <c>./</c>, doubled and trailing slashes go.</summary>
    /// <param name="raw">As the archive has it.</param>
    /// <param name="isFolder">Whether it names a folder. <c>/</c> alone then is the model folder: so Python writes a folder with an empty name.</param>
    /// <exception cref="ArchiveException">It leads out of the folder, or no file system holds such a name.</exception>
    public static MemberName Parse(string raw, bool isFolder)
    {
        if (isFolder && raw == "/")
        {
            return new MemberName("");
        }

        if (raw.StartsWith('/'))
        {
            throw ArchiveException.Unsafe($"the member '{raw}' has an absolute name");
        }

        if (OperatingSystem.IsWindows() && raw.AsSpan().ContainsAny('\\', ':'))
        {
            throw ArchiveException.Unsafe($"the member '{raw}' would leave the model folder on Windows");
        }

        var name = new MemberName(IsNormal(raw) ? raw : string.Join('/', raw.Split('/').Where(part => part is not ("" or "."))));
        foreach (var part in name.Path.Split('/'))
        {
            CheckPart(part, raw);
        }

        if (name.Path.Length == 0 && !isFolder)
        {
            throw ArchiveException.Unsafe($"the member '{raw}' would take the place of the model folder");
        }

        return Encoding.UTF8.GetByteCount(name.Path) <= PathBytesMax
            ? name
            : throw ArchiveException.Unsupported($"the name of '{raw[..64]}…' is longer than {PathBytesMax:N0} bytes", "use shorter names");
    }

    /// <summary>Checks that every path of a tree can be a member's name.</summary>
    /// <exception cref="ArchiveException">One can't.</exception>
    public static void RequireReadable(IReadOnlyList<TreeEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Path.Length > 0)
            {
                _ = Parse(entry.Path, entry.Type == TreeEntryType.Directory);
            }
        }
    }

    private static bool IsNormal(string raw) =>
        raw.Length > 0 && raw[0] != '.' && raw[^1] != '/' && !raw.Contains("//", StringComparison.Ordinal) && !raw.Contains("/.", StringComparison.Ordinal);

    private static void CheckPart(string part, string raw)
    {
        if (part == "..")
        {
            throw ArchiveException.Unsafe($"the member '{raw}' leads out of the model folder");
        }

        if (part.Contains('\0', StringComparison.Ordinal))
        {
            throw ArchiveException.Unsafe($"the name of the member '{raw.Replace('\0', '?')}' holds a NUL");
        }

        if (Encoding.UTF8.GetByteCount(part) > PartBytesMax)
        {
            throw ArchiveException.Unsupported($"the name '{part[..32]}…' is longer than {PartBytesMax} bytes", "use shorter names");
        }
    }
}
