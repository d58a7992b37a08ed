using System.Security.Cryptography;
using System.Text.Json;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Archives that real writers made (Fixtures/make-fixtures.sh), compared with the folder that they were made from.</summary>
public sealed class FixtureTests
{
    public static IEnumerable<string> Archives() =>
        Directory.EnumerateFiles(Fixture.Folder).Select(Path.GetFileName).Where(name => ArchiveFormats.TrySplit(name!, out _, out _)).Order(StringComparer.Ordinal)!;

    [TestCaseSource(nameof(Archives))]
    public async Task Every_layout_and_flavour_unpacks_to_the_folder_that_it_was_made_from(string name)
    {
        var fixture = new Fixture(name);
        using var temporary = new TemporaryFolder();
        var model = await Unpacking.ToFolderAsync(fixture.Bytes(), temporary.Path, fixture.Format);

        Assert.That(model.Layout, Is.EqualTo(fixture.Layout));
        var expected = fixture.Entries();
        Assert.That(model.Entries.Select(entry => entry.Path), Is.EqualTo(expected.Select(entry => entry.Path)));
        foreach (var (entry, original) in model.Entries.Zip(expected))
        {
            fixture.AssertEqual(entry, original);
            Fixture.AssertOnDisk(Path.Combine(temporary.Path, entry.Path), entry, original);
        }

        Assert.That(await ModelTree.ScanAsync(temporary.Path, null, CancellationToken.None), Is.EqualTo(model.Entries));
        Assert.That(model.ContentBytes, Is.EqualTo(expected.Sum(entry => entry.Size)));
        Assert.That(model.Warnings, Is.Empty);
    }

    [Test]
    public void The_fixtures_cover_every_layout_and_format()
    {
        var fixtures = Archives().Select(name => new Fixture(name)).ToList();
        Assert.That(fixtures.Select(fixture => fixture.Layout).Distinct(), Is.EquivalentTo(Enum.GetValues<ArchiveLayout>()));
        Assert.That(fixtures.Select(fixture => fixture.Format).Distinct(), Is.EquivalentTo(Enum.GetValues<ArchiveFormat>().Except([ArchiveFormat.Tgz])));
        Assert.That(fixtures, Has.Count.GreaterThanOrEqualTo(20));
    }

    /// <summary>One archive; its name says <c>LAYOUT-WRITER.TREE</c>.</summary>
    private sealed class Fixture(string name)
    {
        public static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Fixtures");

        public ArchiveFormat Format => ArchiveFormats.TrySplit(name, out _, out var format) ? format : throw new ArgumentException(name);

        public ArchiveLayout Layout => name.Split('-')[0] switch
        {
            "named" => ArchiveLayout.Named,
            "dot" => ArchiveLayout.Dot,
            "bare" => ArchiveLayout.Bare,
            "emptyroot" => ArchiveLayout.EmptyRoot,
            var other => throw new ArgumentException(other),
        };

        private bool IsV7 => name.Contains("v7", StringComparison.Ordinal);

        private bool KeepsNanoseconds => name.Contains("posix", StringComparison.Ordinal);

        private bool KeepsFractions => KeepsNanoseconds || name.Contains("pax", StringComparison.Ordinal);

        /// <summary>zip knows no hard links and no root; in a bare tar there is no root either.</summary>
        private bool HasRoot => Layout != ArchiveLayout.Bare;

        public byte[] Bytes() => File.ReadAllBytes(Path.Combine(Folder, name));

        public List<Original> Entries()
        {
            var tree = name.Contains(".short.", StringComparison.Ordinal) ? "short.json" : "full.json";
            return JsonSerializer.Deserialize<List<Original>>(File.ReadAllBytes(Path.Combine(Folder, tree)), JsonSerializerOptions.Web)!
                .Where(entry => !IsV7 || !entry.Path.StartsWith('d'))
                .OrderBy(entry => entry.Path, StringComparer.Ordinal)
                .ToList();
        }

        public void AssertEqual(TreeEntry entry, Original original)
        {
            Assert.That(entry.Type, Is.EqualTo(original.Type), original.Path);
            Assert.That(entry.Size, Is.EqualTo(original.Size), original.Path);
            Assert.That(entry.LinkTarget, Is.EqualTo(original.Target), original.Path);
            Assert.That(entry.Digest.HasValue, Is.EqualTo(original.Type == TreeEntryType.File), original.Path);
            if (HasRoot || entry.Path.Length > 0)
            {
                Assert.That(entry.Mode, Is.EqualTo(original.Mode), original.Path);
                AssertTime(entry.ModifiedTime, original);
            }
        }

        public static void AssertOnDisk(string path, TreeEntry entry, Original original)
        {
            var status = InteropFiles.LinkStatus(path);
            Assert.That(status.Permissions, Is.EqualTo(entry.Mode), path);
            Assert.That(status.ModifiedTime, Is.EqualTo(entry.ModifiedTime), path);
            if (original.Type == TreeEntryType.File)
            {
                Assert.That(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), Is.EqualTo(original.Sha256), path);
            }
        }

        private void AssertTime(UnixTime time, Original original)
        {
            Assert.That(time.Seconds, Is.EqualTo(original.Seconds), original.Path);
            if (KeepsNanoseconds)
            {
                Assert.That(time.Nanoseconds, Is.EqualTo(original.Nanoseconds), original.Path);
            }
            else
            {
                // Python writes times as floating point numbers.
                Assert.That(time.Nanoseconds, KeepsFractions ? Is.EqualTo(original.Nanoseconds).Within(200u) : Is.Zero, original.Path);
            }
        }
    }

    /// <summary>One line of the manifest that make-tree.py writes.</summary>
    private sealed record Original(string Path, int Mode, long Seconds, uint Nanoseconds, long Size, string? Target, string? Sha256)
    {
        [System.Text.Json.Serialization.JsonPropertyName("type")]
        public string TypeName { get; init; } = "";

        [System.Text.Json.Serialization.JsonIgnore]
        public TreeEntryType Type => Enum.Parse<TreeEntryType>(TypeName);
    }
}
