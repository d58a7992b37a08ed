namespace ModelFs.Architecture.Tests;

/// <summary>The repository's own files, found by walking up from the test assembly.</summary>
internal static class RepositoryFiles
{
    private static readonly string[] s_generated = ["bin", "obj", "artifacts", "TestResults", "build", ".git", ".vs", ".idea"];

    public static string Root { get; } = FindRoot();

    /// <summary>All files that people write, as paths relative to the root with forward slashes.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Walk(Root).Select(Relative).Order(StringComparer.Ordinal)];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Folders of the repository, each named once.</summary>
    public static IReadOnlyList<string> Folders { get; } = [.. All.Select(path => Path.GetDirectoryName(path)!).Distinct(StringComparer.Ordinal)];

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            // In a work tree of git `.git` is a file.
            if (Path.GetFileName(file) != ".git")
            {
                yield return file;
            }
        }

        foreach (var child in Directory.EnumerateDirectories(folder).Where(child => !s_generated.Contains(Path.GetFileName(child))))
        {
            foreach (var file in Walk(child))
            {
                yield return file;
            }
        }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "ModelFs.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"No ModelFs.sln stands above {AppContext.BaseDirectory}.");
    }
}
