namespace ModelFs.FunctionalTests.Harness;

/// <summary>Places of the repository that tests need, found by walking up from the test assembly.</summary>
internal static class RepositoryPaths
{
    public static string Root { get; } = FindRoot();

    /// <summary>The built program; tests know the product by nothing else.</summary>
    public static string Program => Path.Combine(Root, "artifacts", "modelfs", "modelfs");

    public static string Script(string name) => Path.Combine(Root, "scripts", name);

    /// <summary>A Python program of the tests' own, copied beside the test assembly.</summary>
    public static string Actor(string name) => Path.Combine(AppContext.BaseDirectory, "Actors", name);

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
