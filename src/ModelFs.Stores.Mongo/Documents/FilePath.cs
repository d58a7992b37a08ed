using System.Text;
using ModelFs.Models;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>Paths inside of a model, as members of archives and fields of documents spell them. Neither is trusted.</summary>
internal static class FilePath
{
    /// <summary>Whether <paramref name="path"/> names a file inside of the model folder in the one way that it is written.</summary>
    internal static bool IsPlain(string path)
    {
        foreach (var part in path.Split('/'))
        {
            if (part is "" or "." or ".." || part.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(part) > ModelName.PartBytesMax)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The folders above a file, each with its trailing slash, without the model folder.</summary>
    internal static IEnumerable<string> FoldersAbove(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0 && slash < path.Length - 1; slash = path.IndexOf('/', slash + 1))
        {
            yield return path[..(slash + 1)];
        }
    }

    /// <summary>Finds a name that stands for a file and for a folder at once.</summary>
    internal static string? FindClash(IReadOnlySet<string> files) =>
        files.SelectMany(FoldersAbove).Select(folder => folder[..^1]).FirstOrDefault(files.Contains);
}
