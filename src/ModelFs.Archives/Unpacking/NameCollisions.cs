using System.Text;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>Finds names that are different here but one name on other systems: they differ only in case, or only in how an accented letter is spelled.</summary>
internal static class NameCollisions
{
    private const int WarningsMax = 20;

    /// <summary>One sentence per colliding pair, at most twenty.</summary>
    public static IEnumerable<string> Describe(IReadOnlyList<TreeEntry> entries)
    {
        var seen = new Dictionary<string, string>(entries.Count, StringComparer.Ordinal);
        return entries
            .Where(entry => !seen.TryAdd(Fold(entry.Path), entry.Path))
            .Select(entry => $"'{seen[Fold(entry.Path)]}' and '{entry.Path}' are one name on systems that ignore case or spelling of accents")
            .Take(WarningsMax);
    }

    private static string Fold(string path) => Ascii.IsValid(path) ? path.ToLowerInvariant() : AccentSpelling.Decompose(path).ToLowerInvariant();
}
