using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ICSharpCode.SharpZipLib.GZip;
using ICSharpCode.SharpZipLib.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Everybody's readers extract an indexed archive: every file as it was, and no file more; also one that was put together of parts of earlier ones.</summary>
/// <param name="edits">So many random edits, each packed upon the archive before, lie behind it.</param>
[TestFixture(0)]
[TestFixture(25)]
public sealed class ReaderTests(int edits) : IDisposable
{
    private const string PythonExtract = "import sys, tarfile; t = tarfile.open(sys.argv[1], 'r:gz'); t.extractall(sys.argv[2]); t.close()";

    private const string JavaExtract = """
        import java.io.*;
        import java.nio.file.*;
        import java.util.zip.GZIPInputStream;
        import org.apache.commons.compress.archivers.tar.*;
        import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

        public class Extract {
            public static void main(String[] args) throws Exception {
                InputStream file = new BufferedInputStream(new FileInputStream(args[1]));
                InputStream data = args[0].equals("jdk") ? new GZIPInputStream(file) : new GzipCompressorInputStream(file, true);
                TarArchiveInputStream tar = new TarArchiveInputStream(data);
                for (TarArchiveEntry entry; (entry = tar.getNextTarEntry()) != null; ) {
                    Path path = Paths.get(args[2]).resolve(entry.getName()).normalize();
                    if (entry.isDirectory()) Files.createDirectories(path);
                    else if (entry.isSymbolicLink()) Files.createSymbolicLink(path, Paths.get(entry.getLinkName()));
                    else Files.copy(tar, path, StandardCopyOption.REPLACE_EXISTING);
                }
                while (data.read() >= 0) { }
            }
        }
        """;

    private const string GoExtract = """
        package main

        import (
            "archive/tar"
            "compress/gzip"
            "io"
            "os"
            "path/filepath"
        )

        func main() {
            file, _ := os.Open(os.Args[1])
            data, err := gzip.NewReader(file)
            if err != nil { panic(err) }
            reader := tar.NewReader(data)
            for {
                header, err := reader.Next()
                if err == io.EOF { break }
                if err != nil { panic(err) }
                path := filepath.Join(os.Args[2], header.Name)
                switch header.Typeflag {
                case tar.TypeDir: err = os.MkdirAll(path, 0755)
                case tar.TypeSymlink: err = os.Symlink(header.Linkname, path)
                default:
                    out, _ := os.Create(path)
                    _, err = io.Copy(out, reader)
                    out.Close()
                }
                if err != nil { panic(err) }
            }
            if _, err := io.Copy(io.Discard, data); err != nil { panic(err) }
        }
        """;

    private readonly TemporaryFolder _temporary = new();
    private string _archive = null!;
    private IReadOnlyList<TreeEntry> _entries = null!;

    [OneTimeSetUp]
    public async Task Pack()
    {
        var source = _temporary.Folder("source");
        Directory.CreateDirectory(Path.Combine(source, "empty"));
        Directory.CreateDirectory(Path.Combine(source, "sub/folder"));
        File.WriteAllText(Path.Combine(source, "big.json"), string.Concat(Enumerable.Range(0, 600_000).Select(i => $"\"{i}\": {i},\n")));
        File.WriteAllBytes(Path.Combine(source, "sub/weights"), SampleTree.Content(5_000_001));
        File.WriteAllBytes(Path.Combine(source, "nothing"), []);
        File.CreateSymbolicLink(Path.Combine(source, "link"), "sub/weights");
        for (var i = 0; i < 1_500; i++)
        {
            File.WriteAllText(Path.Combine(source, $"sub/folder/{i * 7919:x8}"), new string('x', i));
        }

        _entries = await ModelTree.ScanAsync(source, null, CancellationToken.None);
        var (archive, packed) = await PackTests.PackAsync(source, _entries, ArchiveLayout.Dot);
        var random = new Random(edits);
        for (var edit = 0; edit < edits; edit++)
        {
            RandomEdit.Do(random, source);
            _entries = await ModelTree.ScanAsync(source, null, CancellationToken.None);
            (archive, packed) = await PackTests.PackUponAsync(source, _entries, archive);
        }

        Assert.That(packed.BytesFromBase > 0, Is.EqualTo(edits > 0));
        Assert.That(packed.Index!.Location.Length, Is.GreaterThan(40_000), "the index takes several members");
        _archive = Path.Combine(_temporary.Path, "bert.tar.gz");
        await File.WriteAllBytesAsync(_archive, archive);
    }

    public void Dispose() => _temporary.Dispose();

    [Test]
    public Task Gnu_tar_extracts_it() => ExtractsAsync("tar", target => ["-xzf", _archive, "-C", target]);

    [Test]
    public Task Bsdtar_extracts_it() => ExtractsAsync("bsdtar", target => ["-xf", _archive, "-C", target]);

    [Test]
    public Task Busybox_tar_extracts_it() => ExtractsAsync("busybox", target => ["tar", "-xzf", _archive, "-C", target]);

    [Test]
    public Task Zcat_and_tar_extract_it() => ExtractsAsync("bash", target => ["-o", "pipefail", "-c", "zcat \"$0\" | tar -x -C \"$1\"", _archive, target]);

    [Test]
    public Task Seven_zip_extracts_it() => ExtractsAsync(
        "7z", target => ["-c", "7z x -so \"$0\" | 7z x -si -ttar -snld -o\"$1\" >/dev/null", _archive, target], runIn: "bash");

    [Test]
    public async Task Gzip_finds_it_whole() => await RunAsync("gzip", "-t", _archive);

    [TestCaseSource(nameof(Pythons))]
    public Task Python_extracts_it(string version)
    {
        var program = Programs(version).FirstOrDefault(File.Exists);
        if (program is null)
        {
            Assert.Ignore($"Python {version} is not installed");
        }

        return ExtractsAsync(program!, target => ["-c", PythonExtract, _archive, target]);
    }

    [Test]
    public Task Java_extracts_it([Values("jdk", "commons-compress")] string gunzip)
    {
        const string library = "/usr/share/java/commons-compress.jar";
        var source = Path.Combine(_temporary.Path, "Extract.java");
        if (!File.Exists(library))
        {
            Assert.Ignore($"{library} (libcommons-compress-java) is not installed");
        }

        File.WriteAllText(source, JavaExtract);
        return ExtractsAsync("java", target => ["-cp", library, source, gunzip, _archive, target]);
    }

    [Test]
    public Task Go_extracts_it()
    {
        var source = Path.Combine(_temporary.Path, "extract.go");
        File.WriteAllText(source, GoExtract);
        return ExtractsAsync("go", target => ["run", source, _archive, target]);
    }

    [Test]
    public async Task System_Formats_Tar_extracts_it()
    {
        var target = _temporary.Folder("target-system");
        await using var file = File.OpenRead(_archive);
        await using var data = new GZipStream(file, CompressionMode.Decompress);
        await TarFile.ExtractToDirectoryAsync(data, target, overwriteFiles: false);
        await IsTheSameAsync(target);
    }

    [Test]
    public async Task SharpZipLib_extracts_it()
    {
        var target = _temporary.Folder("target-sharpziplib");
        await using var file = File.OpenRead(_archive);
        await using var data = new GZipInputStream(file);
        using var tar = new TarInputStream(data, Encoding.UTF8);
        while (tar.GetNextEntry() is { } entry)
        {
            var path = Path.GetFullPath(Path.Combine(target, entry.Name));
            if (entry.IsDirectory)
            {
                Directory.CreateDirectory(path);
            }
            else if (entry.TarHeader.TypeFlag == TarHeader.LF_SYMLINK)
            {
                File.CreateSymbolicLink(path, entry.TarHeader.LinkName);
            }
            else
            {
                using var output = File.Create(path);
                tar.CopyEntryContents(output);
            }
        }

        await IsTheSameAsync(target);
    }

    private static IEnumerable<string> Pythons() => ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"];

    private static IEnumerable<string> Programs(string version)
    {
        var versions = Path.Combine(Environment.GetEnvironmentVariable("PYENV_ROOT") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pyenv"), "versions");
        return Directory.Exists(versions)
            ? Directory.GetDirectories(versions, version + ".*").Select(folder => Path.Combine(folder, "bin/python")).Append("/usr/bin/python" + version)
            : ["/usr/bin/python" + version];
    }

    private static bool IsInstalled(string program) =>
        Path.IsPathRooted(program) || Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private async Task ExtractsAsync(string program, Func<string, string[]> arguments, string? runIn = null)
    {
        if (!IsInstalled(program))
        {
            Assert.Ignore($"{program} is not installed");
        }

        var target = _temporary.Folder("target-" + Guid.NewGuid().ToString("n"));
        await RunAsync(runIn ?? program, arguments(target));
        await IsTheSameAsync(target);
    }

    /// <summary>Names, types, content and targets: not every reader keeps modes and times.</summary>
    private async Task IsTheSameAsync(string target)
    {
        var found = await ModelTree.ScanAsync(target, null, CancellationToken.None);
        Assert.That(found.Select(Bare), Is.EqualTo(_entries.Select(Bare)));

        static TreeEntry Bare(TreeEntry entry) => entry with { Mode = 0, ModifiedTime = default };
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"{program}: {await errors} {output}");
    }
}
