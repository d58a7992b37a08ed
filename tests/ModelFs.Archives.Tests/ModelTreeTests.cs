using System.Diagnostics;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Listing a model folder, and the identity of a tree.</summary>
public sealed class ModelTreeTests
{
    private static readonly TreeEntry s_root = new("", TreeEntryType.Directory, 0x1ed, new UnixTime(1, 2));
    private static readonly TreeEntry s_file = new("f", TreeEntryType.File, 0x1a4, new UnixTime(3, 4), 5, null, new ContentDigest(6, 7));
    private static readonly TreeEntry s_link = new("l", TreeEntryType.SymbolicLink, 0x1ff, new UnixTime(8, 9), 0, "f");

    [Test]
    public void Everything_that_a_publish_must_carry_changes_the_identity()
    {
        var identity = ModelTree.Digest([s_root, s_file, s_link]);
        TreeEntry[][] changed =
        [
            [s_root, s_file],
            [s_root, s_file with { Path = "g" }, s_link],
            [s_root, s_file with { Mode = 0x1ed }, s_link],
            [s_root, s_file with { Size = 6 }, s_link],
            [s_root, s_file with { ModifiedTime = new UnixTime(3, 5) }, s_link],
            [s_root, s_file with { Digest = new ContentDigest(6, 8) }, s_link],
            [s_root, s_file, s_link with { LinkTarget = "g" }],
            [s_root, s_file, s_link with { ModifiedTime = new UnixTime(9, 9) }],
            [s_root with { Mode = 0x1c0 }, s_file, s_link],
        ];
        Assert.That(changed.Select(ModelTree.Digest).Append(identity), Is.Unique);
    }

    [Test]
    public void Order_and_times_of_folders_do_not_change_the_identity() =>
        Assert.That(
            ModelTree.Digest([s_link, s_file, s_root with { ModifiedTime = new UnixTime(99, 0) }]), Is.EqualTo(ModelTree.Digest([s_root, s_file, s_link])));

    [Test]
    public void The_identity_is_frozen_because_caches_keep_it() =>
        Assert.That(ModelTree.Digest([s_root, s_file, s_link]).ToString(), Is.EqualTo("3f5fa44f6ff24fdf3c80bc02e7f0724f"));

    [Test]
    public void A_file_without_digest_has_no_identity() =>
        Assert.That(() => ModelTree.Digest([s_file with { Digest = null }]), Throws.ArgumentException);

    [Test]
    public async Task Files_whose_digest_is_known_are_not_read()
    {
        using var temporary = new TemporaryFolder();
        var entries = await SampleTree.WriteTypicalAsync(temporary.Path);
        var known = new ContentDigest(1, 2);
        var asked = new List<string>();
        var again = await ModelTree.ScanAsync(temporary.Path, Known, CancellationToken.None);
        Assert.That(asked, Is.EquivalentTo(entries.Where(entry => entry.Type == TreeEntryType.File).Select(entry => entry.Path)));
        Assert.That(again.Single(entry => entry.Path == "a/weights").Digest, Is.EqualTo(known));
        Assert.That(again.Where(entry => entry.Path != "a/weights"), Is.EqualTo(entries.Where(entry => entry.Path != "a/weights")));

        ContentDigest? Known(string path, in FileStamp stamp)
        {
            asked.Add(path);
            Assert.That(stamp.Inode, Is.Not.Zero);
            Assert.That(stamp.ChangedTime.Seconds, Is.GreaterThan(SampleTree.Time.Seconds));
            return path == "a/weights" && stamp.Size == 3_000_000 && stamp.ModifiedTime == SampleTree.Time ? known : null;
        }
    }

    [Test]
    public async Task What_an_archive_cannot_hold_is_named()
    {
        using var temporary = new TemporaryFolder();
        using (var mkfifo = Process.Start("mkfifo", [Path.Combine(temporary.Path, "pipe")]))
        {
            await mkfifo.WaitForExitAsync();
        }

        Assert.That(
            async () => await ModelTree.ScanAsync(temporary.Path, null, CancellationToken.None),
            Throws.TypeOf<PackException>().With.Property(nameof(PackException.Path)).EqualTo("pipe"));
    }
}
