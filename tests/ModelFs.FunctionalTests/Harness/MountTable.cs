namespace ModelFs.FunctionalTests.Harness;

/// <summary>What the kernel says is mounted.</summary>
internal static class MountTable
{
    public static bool IsMounted(string mountPoint) => Count(mountPoint) > 0;

    /// <summary>How many mounts are stacked at a place.</summary>
    public static int Count(string mountPoint) => Rows().Count(row => row.Point == mountPoint);

    /// <summary>Mount points below a folder, innermost first.</summary>
    public static IReadOnlyList<string> Below(string folder) =>
        [.. Rows().Select(row => row.Point).Where(point => point.StartsWith(folder + "/", StringComparison.Ordinal)).OrderByDescending(point => point.Length)];

    public static string? TypeOf(string mountPoint) => Rows().LastOrDefault(row => row.Point == mountPoint).Type;

    private static IEnumerable<(string Point, string Type)> Rows()
    {
        foreach (var line in File.ReadAllLines("/proc/self/mountinfo"))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            yield return (fields[4].Replace("\\040", " ", StringComparison.Ordinal), fields[separator + 1]);
        }
    }
}
