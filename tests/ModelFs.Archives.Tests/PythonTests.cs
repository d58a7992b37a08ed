using System.Diagnostics;
using System.Text.Json;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Python's tarfile, which every generation of Rasa reads its models with, reads what ModelFs writes.</summary>
public sealed class PythonTests
{
    private const string Python = "/usr/bin/python3";

    private const string Listing = """
        import sys, tarfile, json, hashlib
        with tarfile.open(sys.argv[1], sys.argv[2]) as tar:
            print(json.dumps([{
                "name": m.name, "mode": m.mode, "time": m.mtime, "kind": m.type.decode(), "size": m.size, "link": m.linkname, "owner": [m.uid, m.gid],
                "sha256": hashlib.sha256(tar.extractfile(m).read()).hexdigest() if m.isreg() else None} for m in tar]))
        """;

    /// <summary>Python's <c>r|gz</c> stops behind the first gzip member: for it there are archives of a single one.</summary>
    private static readonly (string Mode, ArchiveStructure Structure)[] s_modes =
        [("r:gz", ArchiveStructure.Indexed), ("r:gz", ArchiveStructure.SingleMember), ("r|gz", ArchiveStructure.SingleMember)];

    [Test]
    public async Task Tarfile_reads_every_member_with_mode_time_and_content(
        [Values] ArchiveLayout layout, [ValueSource(nameof(s_modes))] (string Mode, ArchiveStructure Structure) way)
    {
        using var temporary = new TemporaryFolder();
        var source = temporary.Folder("source");
        var entries = await SampleTree.WriteTypicalAsync(source);
        var members = await ListAsync(temporary, source, entries, layout, way.Mode, way.Structure);
        var expected = layout == ArchiveLayout.Bare ? entries.Skip(1).ToList() : entries;
        Assert.That(members.Select(member => member.Name), Is.EqualTo(expected.Select(entry => NameIn(layout, entry))));
        foreach (var (member, entry) in members.Zip(expected))
        {
            Assert.That(member.Mode, Is.EqualTo(entry.Mode), entry.Path);
            Assert.That(member.Time, Is.EqualTo(entry.ModifiedTime.Seconds + (entry.ModifiedTime.Nanoseconds / 1e9)).Within(1e-6), entry.Path);
            Assert.That(member.Size, Is.EqualTo(entry.Size), entry.Path);
            Assert.That(member.Link, Is.EqualTo(entry.LinkTarget ?? ""), entry.Path);
            Assert.That(member.Owner, Is.EqualTo(new[] { 0, 0 }));
            Assert.That(member.Kind, Is.EqualTo(entry.Type switch { TreeEntryType.File => "0", TreeEntryType.SymbolicLink => "2", TreeEntryType.Directory => "5" }));
            if (entry.Type == TreeEntryType.File)
            {
                var content = File.ReadAllBytes(Path.Combine(source, entry.Path));
                Assert.That(member.Sha256, Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))), entry.Path);
            }
        }
    }

    [Test]
    public async Task Gnu_tar_and_gzip_find_nothing_to_complain_about([Values] ArchiveLayout layout, [Values] ArchiveStructure structure)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("tar compares owners, too: the packed owner is root");
        }

        using var temporary = new TemporaryFolder();
        var source = temporary.Folder("source");
        var path = await PackToFileAsync(temporary, source, await SampleTree.WriteTypicalAsync(source), layout, structure);
        await RunAsync("gzip", "-t", path);
        var (_, complaints) = await RunAsync("tar", "--compare", "-zf", path, "-C", layout == ArchiveLayout.Named ? RenamedTo(source, "bert") : source);
        Assert.That(complaints.Where(line => !line.Contains("Removing leading", StringComparison.Ordinal) && line.Length > 0), Is.Empty);
    }

    private static string RenamedTo(string source, string name)
    {
        var parent = Path.GetDirectoryName(source)!;
        Directory.Move(source, Path.Combine(parent, name));
        return parent;
    }

    private static string NameIn(ArchiveLayout layout, TreeEntry entry) => (layout, entry.Path) switch
    {
        (ArchiveLayout.Named, "") => "bert",
        (ArchiveLayout.Named, var path) => "bert/" + path,
        (ArchiveLayout.Dot, "") => ".",
        (ArchiveLayout.Dot, var path) => "./" + path,
        (_, var path) => path,
    };

    private static async Task<List<Member>> ListAsync(
        TemporaryFolder temporary, string source, IReadOnlyList<TreeEntry> entries, ArchiveLayout layout, string mode, ArchiveStructure structure)
    {
        if (!File.Exists(Python))
        {
            Assert.Ignore($"{Python} is not installed");
        }

        var path = await PackToFileAsync(temporary, source, entries, layout, structure);
        var (output, _) = await RunAsync(Python, "-c", Listing, path, mode);
        return JsonSerializer.Deserialize<List<Member>>(output, JsonSerializerOptions.Web)!;
    }

    private static async Task<string> PackToFileAsync(
        TemporaryFolder temporary, string source, IReadOnlyList<TreeEntry> entries, ArchiveLayout layout, ArchiveStructure structure)
    {
        var (archive, _) = await PackTests.PackAsync(source, entries, layout, structure: structure);
        var path = Path.Combine(temporary.Path, "bert.tar.gz");
        await File.WriteAllBytesAsync(path, archive);
        return path;
    }

    private static async Task<(string Output, string[] Errors)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"{program}: {await errors} {output}");
        return (output, (await errors).Split('\n'));
    }

    private sealed record Member(string Name, int Mode, double Time, string Kind, long Size, string Link, int[] Owner, string? Sha256);
}
