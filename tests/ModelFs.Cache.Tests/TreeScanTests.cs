namespace ModelFs.Cache.Tests;

internal sealed class TreeScanTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void A_file_that_has_not_changed_for_a_while_is_not_read_again()
    {
        var scan = Scan([]);
        Assert.That(scan.Changed, Is.Empty);
        File.WriteAllText(Path.Combine(_folder.Path, "text"), "one");
        var entry = Scan([]).Files.Single();
        ModelFs.Cache.Posix.PosixFile.Stat(Path.Combine(_folder.Path, "text"), out var status);
        var later = status.ChangeTime with { Seconds = status.ChangeTime.Seconds + 1 };
        Assert.That(ModelFs.Models.ContentDigest.TryParse(entry.Digest, out var digest), Is.True);
        var known = TreeScan.Describe("text", digest, status, later);
        Assert.That(Scan([known]).Changed, Is.Empty);
        File.WriteAllText(Path.Combine(_folder.Path, "text"), "two");
        Assert.That(Scan([known]).Changed, Is.EqualTo(new[] { "text" }));
    }

    [Test]
    public void A_file_that_changed_just_before_it_was_looked_at_is_read_again()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "text"), "one");
        ModelFs.Cache.Posix.PosixFile.Stat(Path.Combine(_folder.Path, "text"), out var status);
        var known = TreeScan.Describe("text", default, status, status.ChangeTime);
        var scan = Scan([known]);
        Assert.That(scan.Changed, Is.EqualTo(new[] { "text" }));
        Assert.That(scan.Files.Single().Digest, Is.Not.EqualTo(known.Digest));
    }

    private TreeScan Scan(IEnumerable<BaseFile> known) =>
        TreeScan.Run(_folder.Path, known.ToDictionary(file => file.Path, StringComparer.Ordinal), null, CancellationToken.None);
}
