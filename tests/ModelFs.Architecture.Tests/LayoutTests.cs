using System.Runtime.Versioning;
using System.Text.RegularExpressions;

namespace ModelFs.Architecture.Tests;

/// <summary>Where things stand, how long files are, and what must not be in them.</summary>
internal sealed partial class LayoutTests
{
    private const int LinesMax = 500;
    private static readonly string[] s_drawers = ["Common", "Utils", "Util", "Helpers", "Helper", "Misc", "Shared", "Base", "Managers"];
    private static readonly string[] s_topFolders = ["src", "native", "tests", "scripts"];

    private static IReadOnlyList<string> CSharp { get; } = [.. RepositoryFiles.All.Where(path => path.EndsWith(".cs", StringComparison.Ordinal))];

    [Test]
    public void A_namespace_is_the_folder_it_stands_in()
    {
        var wrong = CSharp.Select(path => (Path: path, Declared: NamespaceLine().Match(RepositoryFiles.Read(path)).Groups[1].Value, Expected: NamespaceOf(path)))
            .Where(file => file.Declared.Length > 0 && file.Declared != file.Expected)
            .Select(file => $"{file.Path}: {file.Declared}, expected {file.Expected}");
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void A_project_is_named_as_its_folder()
    {
        Assert.That(ProjectFile.All.Where(project => Path.GetFileName(project.Folder) != project.Name), Is.Empty);
        Assert.That(ProjectFile.All.Where(project => project.Folder.Split('/').Length != 2), Is.Empty, "projects stand in src/NAME or tests/NAME");
    }

    [Test]
    public void At_the_top_stand_only_the_four_folders()
    {
        var folders = RepositoryFiles.All.Where(path => path.Contains('/')).Select(path => path.Split('/')[0]).Where(name => name[0] != '.').Distinct();
        Assert.That(folders, Is.SubsetOf(s_topFolders));
    }

    [Test]
    public void No_folder_and_no_file_is_a_drawer_for_everything()
    {
        var folders = RepositoryFiles.Folders.SelectMany(folder => folder.Split('/')).Distinct().Where(name => s_drawers.Any(drawer => name == drawer || name.EndsWith("." + drawer, StringComparison.Ordinal)));
        var files = CSharp.Where(path => DrawerFile().IsMatch(Path.GetFileName(path)));
        Assert.That(folders.Concat(files), Is.Empty);
    }

    [Test]
    public void No_source_file_is_longer_than_500_lines()
    {
        var sources = RepositoryFiles.All.Where(path => Path.GetExtension(path) is ".cs" or ".c" or ".h" or ".py" || path.StartsWith("scripts/", StringComparison.Ordinal));
        var tooLong = sources.Select(path => (path, Lines: RepositoryFiles.Read(path).Split('\n').Length)).Where(file => file.Lines > LinesMax).Select(file => $"{file.path}: {file.Lines}");
        Assert.That(tooLong, Is.Empty);
    }

    [Test]
    public void Product_code_holds_nothing_unfinished()
    {
        var product = RepositoryFiles.All.Where(path => (path.StartsWith("src/", StringComparison.Ordinal) || path.StartsWith("native/", StringComparison.Ordinal)) && Path.GetExtension(path) is ".cs" or ".c" or ".h");
        Assert.That(Matches(product, Unfinished()), Is.Empty);
    }

    [Test]
    public void No_file_names_a_path_of_one_machine()
    {
        // Fixtures of archives are bytes, not text.
        var texts = RepositoryFiles.All.Where(path => !path.Contains("/Fixtures/", StringComparison.Ordinal) && Path.GetFileName(path) != "LayoutTests.cs");
        Assert.That(Matches(texts, MachinePath()), Is.Empty);
    }

    [Test]
    public void A_platform_call_stands_in_an_Interop_file()
    {
        var product = CSharp.Where(path => path.StartsWith("src/", StringComparison.Ordinal) && !Path.GetFileName(path).StartsWith("Interop.", StringComparison.Ordinal));
        Assert.That(Matches(product, PlatformCall()), Is.Empty);
    }

    [Test]
    [SupportedOSPlatform("linux")]
    public void Scripts_can_be_run()
    {
        var scripts = RepositoryFiles.All.Where(path => path.StartsWith("scripts/", StringComparison.Ordinal) || path == ".ci/run").Where(path => RepositoryFiles.Read(path).StartsWith("#!", StringComparison.Ordinal));
        Assert.That(scripts.Where(path => !File.GetUnixFileMode(Path.Combine(RepositoryFiles.Root, path)).HasFlag(UnixFileMode.UserExecute)), Is.Empty);
        Assert.That(scripts, Does.Contain("scripts/test").And.Contain("scripts/demo").And.Contain("scripts/build"));
    }

    private static IEnumerable<string> Matches(IEnumerable<string> paths, Regex pattern) =>
        paths.Where(path => new FileInfo(Path.Combine(RepositoryFiles.Root, path)).Length < 1 << 20)
            .SelectMany(path => RepositoryFiles.Read(path).Split('\n').Select((line, index) => (Line: line, At: $"{path}:{index + 1}")))
            .Where(line => pattern.IsMatch(line.Line))
            .Select(line => $"{line.At}: {line.Line.Trim()}");

    private static string NamespaceOf(string path)
    {
        var parts = path.Split('/');
        return string.Join('.', parts[1..^1]);
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex("(Utils?|Helpers?|Manager|Common)\\.cs$")]
    private static partial Regex DrawerFile();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException|Thread\.Sleep")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"/(home|Users)/\w|/root/|/work/|/tmp/wt/|[A-Z]:\\Users\\")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\[(LibraryImport|DllImport)\(")]
    private static partial Regex PlatformCall();
}
