using System.Security.Cryptography;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>A folder as text, one line per entry, so that two folders can be compared with a readable difference.</summary>
internal static class TreeSnapshot
{
    /// <summary>Path, type, mode, time in milliseconds, size, digest and link target of every entry below <paramref name="folder"/>.</summary>
    /// <param name="folder">Read with System.IO, file by file, to its last byte.</param>
    /// <param name="wholeSeconds">For archives in the GNU and USTAR formats, which keep no fractions.</param>
    public static IReadOnlyList<string> Of(string folder, bool wholeSeconds = false)
    {
        var lines = new List<string>();
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            lines.Add(Describe(entry, Path.GetRelativePath(folder, entry.FullName), wholeSeconds));
        }

        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    public static void AssertEqual(string actual, string expected, bool wholeSeconds = false) =>
        Assert.That(Of(actual, wholeSeconds), Is.EqualTo(Of(expected, wholeSeconds)));

    private static string Describe(FileSystemInfo entry, string path, bool wholeSeconds)
    {
        if (entry.LinkTarget is { } target)
        {
            return $"{path} -> {target}";
        }

        // Rounded: Python hands times on as floats, which may come out a hair below.
        var milliseconds = new DateTimeOffset(entry.LastWriteTimeUtc.AddTicks(TimeSpan.TicksPerMillisecond / 2)).ToUnixTimeMilliseconds();
        var time = wholeSeconds ? milliseconds / 1000 * 1000 : milliseconds;
        var mode = Convert.ToString((int)entry.UnixFileMode, 8);
        return entry is FileInfo file
            ? $"{path} file {mode} {time} {file.Length} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file.FullName)))[..16]}"
            : $"{path} folder {mode} {time}";
    }
}
