using System.Text;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// In which order the files of a copy were first opened: <c>opened</c> beside its content, one path a line. It is a hint, so it is never synced, and what is
/// unreadable in it is passed over.
/// </summary>
internal sealed class LoadOrder
{
    private readonly Lock _gate = new();
    private HashSet<string>? _known;

    /// <summary>The paths in that order; none when nothing is known.</summary>
    public static IReadOnlyList<string> Read(string folder)
    {
        try
        {
            return [.. File.ReadLines(PathOf(folder)).Where(line => line.Length > 0).Distinct(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Notes an open; only the first of a file counts.</summary>
    public void Note(string folder, string path)
    {
        lock (_gate)
        {
            _known ??= new HashSet<string>(Read(folder), StringComparer.Ordinal);
            if (!_known.Add(path) || path.Contains('\n', StringComparison.Ordinal))
            {
                return;
            }

            try
            {
                using var file = new FileStream(PathOf(folder), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                file.Write(Encoding.UTF8.GetBytes(path + "\n"));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The next pack has one hint less.
            }
        }
    }

    private static string PathOf(string folder) => folder + "/opened";
}
