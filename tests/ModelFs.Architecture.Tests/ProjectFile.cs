using System.Xml.Linq;

namespace ModelFs.Architecture.Tests;

/// <summary>A project and what it refers to.</summary>
internal sealed record ProjectFile(string Path, string Name, IReadOnlyList<string> Projects, IReadOnlyList<string> Packages, XDocument Xml)
{
    public string Folder => System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    public static IReadOnlyList<ProjectFile> All { get; } =
        [.. RepositoryFiles.All.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)).Select(Load)];

    public static IReadOnlyList<ProjectFile> Product { get; } = [.. All.Where(project => project.Path.StartsWith("src/", StringComparison.Ordinal))];

    public override string ToString() => Name;

    private static ProjectFile Load(string path)
    {
        var xml = XDocument.Parse(RepositoryFiles.Read(path));
        return new ProjectFile(
            path,
            System.IO.Path.GetFileNameWithoutExtension(path),
            [.. Includes(xml, "ProjectReference").Select(include => System.IO.Path.GetFileNameWithoutExtension(include.Replace('\\', '/')))],
            [.. Includes(xml, "PackageReference")],
            xml);
    }

    private static IEnumerable<string> Includes(XDocument xml, string element) =>
        xml.Descendants(element).Select(reference => reference.Attribute("Include")!.Value).Order(StringComparer.Ordinal);
}
