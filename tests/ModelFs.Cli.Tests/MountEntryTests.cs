using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Tests;

public sealed class MountEntryTests
{
    private const string Sample =
        """
        22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
        97 28 0:52 / /mnt/my\040models rw,nosuid,nodev,relatime shared:51 master:2 - fuse.modelfs s3://bucket/a\040b rw,user_id=0,group_id=0
        98 28 0:53 / /mnt/t\303\244st\134x rw - fuse.modelfs file:///srv/h\303\244 rw
        99 28 0:54 / /mnt/sshfs rw - fuse.sshfs me@host: rw
        nonsense

        """;

    [Test]
    public void Fields_are_found_with_any_number_of_optional_fields_and_lines_that_lack_one_are_skipped() =>
        Assert.That(MountEntry.ParseAll(Sample).Select(entry => entry.Type), Is.EqualTo(new[] { "proc", "fuse.modelfs", "fuse.modelfs", "fuse.sshfs" }));

    [Test]
    public void Octal_escapes_are_undone()
    {
        var entries = MountEntry.ParseAll(Sample);
        Assert.That(entries[1], Is.EqualTo(new MountEntry("/mnt/my models", "fuse.modelfs", "s3://bucket/a b")));
        Assert.That(entries[2], Is.EqualTo(new MountEntry("/mnt/täst\\x", "fuse.modelfs", "file:///srv/hä")));
    }

    [TestCase("a\\011b\\012c\\134d\\043", "a\tb\nc\\d#")]
    [TestCase("plain-ä", "plain-ä")]
    [TestCase("end\\04", "end\\04")]
    [TestCase("\\089", "\\089")]
    public void Only_three_octal_digits_are_an_escape(string escaped, string text) => Assert.That(MountEntry.Unescape(escaped), Is.EqualTo(text));

    [Test]
    public void Of_stacked_mounts_the_one_on_top_counts()
    {
        var mounts = new FakeMounts();
        mounts.Entries.Add(new MountEntry("/a", MountEntry.ModelFsType, "below"));
        mounts.Entries.Add(new MountEntry("/b", MountEntry.ModelFsType, "hidden"));
        mounts.Entries.Add(new MountEntry("/a", MountEntry.ModelFsType, "above"));
        mounts.Entries.Add(new MountEntry("/b", "tmpfs", "above"));
        Assert.That(MountSearch.ModelFsMounts(mounts).Select(mount => mount.Source), Is.EqualTo(new[] { "above" }));
    }

    [TestCase("/mnt/a", "/mnt/a", true)]
    [TestCase("/mnt/a/b", "/mnt/a", true)]
    [TestCase("/mnt/ab", "/mnt/a", false)]
    [TestCase("/mnt", "/mnt/a", false)]
    [TestCase("/anything", "/", true)]
    public void A_path_is_within_a_folder_by_whole_names(string path, string folder, bool isWithin) =>
        Assert.That(MountSearch.IsWithin(path, folder), Is.EqualTo(isWithin));

    [Test]
    public void This_machine_s_own_mounts_can_be_read() =>
        Assert.That(new LinuxMountHost("/none").List().Select(entry => entry.MountPoint), Does.Contain("/proc"));
}
