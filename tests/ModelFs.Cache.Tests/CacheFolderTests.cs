using System.Globalization;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache.Tests;

internal sealed class CacheFolderTests
{
    private TemporaryFolder _home = null!;

    private string Root => Path.Combine(_home.Path, "cache");

    [SetUp]
    public void MakeHome() => _home = new TemporaryFolder();

    [TearDown]
    public void RemoveHome() => _home.Dispose();

    [Test]
    public void A_second_daemon_on_the_same_folder_is_refused_and_told_whose_it_is()
    {
        using (CacheFolder.Open(Root))
        {
            var refused = Assert.Throws<ModelException>(() => CacheFolder.Open(Root));
            Assert.That(refused!.Kind, Is.EqualTo(ModelErrorKind.Busy));
            Assert.That(refused!.Message, Does.Contain(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)).And.Contain("--cache-dir"));
        }

        using var free = CacheFolder.Open(Root);
        Assert.That(free.Root, Is.EqualTo(Root));
    }

    [Test]
    public void Only_the_owner_can_look_into_the_folder()
    {
        using var folder = CacheFolder.Open(Root);
        Assert.That(File.GetUnixFileMode(Root), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Test]
    public void Ext4_lays_each_copy_apart_from_where_files_were_just_removed()
    {
        using var folder = CacheFolder.Open(Root);
        if (PosixFile.GetFlags(Root, out _) != Errno.None || !new DriveInfo(Root).DriveFormat.StartsWith("ext", StringComparison.Ordinal))
        {
            Assert.Ignore("the temporary folder is not on ext4: only that knows this flag");
        }

        Assert.That(PosixFile.GetFlags(folder.Staging, out var flags), Is.EqualTo(Errno.None));
        Assert.That(flags & PosixFile.TopFolderFlag, Is.EqualTo(PosixFile.TopFolderFlag));
    }

    [TestCase("modelfs-cache 0\n")]
    [TestCase("modelfs-cache 2\n")]
    [TestCase("something else")]
    public void A_folder_of_another_version_is_refused_and_left_alone(string version)
    {
        CacheFolder.Open(Root).Dispose();
        File.WriteAllText(Path.Combine(Root, "version"), version);
        var kept = Path.Combine(Root, "staging", "kept");
        File.WriteAllText(kept, "x");
        var refused = Assert.Throws<ModelException>(() => CacheFolder.Open(Root));
        Assert.That(refused!.Kind, Is.EqualTo(ModelErrorKind.CacheFailed));
        Assert.That(refused!.Message, Does.Contain(Root).And.Contain(version.Trim()));
        Assert.That(File.Exists(kept), Is.True);
    }

    [Test]
    public void A_version_that_never_reached_the_disk_is_written_again()
    {
        CacheFolder.Open(Root).Dispose();
        File.WriteAllText(Path.Combine(Root, "version"), "");
        CacheFolder.Open(Root).Dispose();
        Assert.That(File.ReadAllText(Path.Combine(Root, "version")), Is.EqualTo("modelfs-cache 1\n"));
    }

    [Test]
    public void What_was_being_staged_is_dropped_whatever_its_modes()
    {
        CacheFolder.Open(Root).Dispose();
        var deep = Path.Combine(Root, "staging", "7", "content", "deep");
        Directory.CreateDirectory(deep);
        File.WriteAllText(Path.Combine(deep, "file"), "x");
        File.CreateSymbolicLink(Path.Combine(deep, "link"), Root);
        File.SetUnixFileMode(deep, UnixFileMode.None);
        File.WriteAllText(Path.Combine(Root, "staging", "pack-8"), "x");
        using var folder = CacheFolder.Open(Root);
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Staging), Is.Empty);
        Assert.That(Directory.Exists(folder.Trees), Is.True, "a link is removed, not followed");
    }

    [Test]
    public void A_mark_that_was_not_finished_leaves_nothing()
    {
        CacheFolder.Open(Root).Dispose();
        File.WriteAllText(Path.Combine(Root, "journal", "7.tmp"), "torn");
        File.WriteAllText(Path.Combine(Root, "journal", "intent-1.tmp"), "torn");
        File.WriteAllText(Path.Combine(Root, "journal", "6"), "kept");
        CacheFolder.Open(Root).Dispose();
        Assert.That(Directory.GetFiles(Path.Combine(Root, "journal")).Select(Path.GetFileName), Is.EqualTo(["6"]));
    }

    [Test]
    public void Damage_of_a_state_file_at_any_byte_is_noticed()
    {
        var path = Path.Combine(_home.Path, "mark");
        var mark = new JournalMark(1, 12, "bert.tar.gz", "dirty", DateTimeOffset.UnixEpoch, "boot");
        DurableFile.Write(path, mark, CacheJson.Default.JournalMark, durable: true);
        var whole = File.ReadAllBytes(path);
        Assert.That(DurableFile.Read(path, CacheJson.Default.JournalMark), Is.EqualTo(mark));
        for (var at = 0; at < whole.Length; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var damaged = whole.ToArray();
                damaged[at] ^= (byte)(1 << bit);
                File.WriteAllBytes(path, damaged);

                // A digit of the checksum in the other case is the same number.
                Assert.That(DurableFile.Read(path, CacheJson.Default.JournalMark), Is.Null.Or.EqualTo(mark), $"bit {bit} of byte {at}");
            }

            File.WriteAllBytes(path, whole[..at]);
            Assert.That(DurableFile.Read(path, CacheJson.Default.JournalMark), Is.Null, $"cut at {at}");
        }
    }

    [Test]
    public void A_state_file_that_can_t_be_replaced_keeps_its_content()
    {
        var path = Path.Combine(_home.Path, "mark");
        var mark = new JournalMark(1, 12, "bert.tar.gz", "dirty", DateTimeOffset.UnixEpoch, "boot");
        DurableFile.Write(path, mark, CacheJson.Default.JournalMark, durable: true);
        Directory.CreateDirectory(path + ".tmp");
        Assert.Throws<ModelException>(() => DurableFile.Write(path, mark with { State = "synced" }, CacheJson.Default.JournalMark, durable: true));
        Assert.That(DurableFile.Read(path, CacheJson.Default.JournalMark), Is.EqualTo(mark));
    }

    [Test]
    public void Every_kind_of_failure_has_its_place_in_the_maps()
    {
        foreach (var kind in Enum.GetValues<Stores.StoreErrorKind>())
        {
            var mapped = ModelErrors.From(new Stores.StoreException(kind, "cause"), "attempt");
            Assert.That(mapped.Message, Is.EqualTo("attempt: cause"), kind.ToString());
        }

        foreach (var kind in Enum.GetValues<ModelErrorKind>())
        {
            Assert.That(ModelErrors.IsTransient(kind), Is.EqualTo(kind is ModelErrorKind.Unavailable or ModelErrorKind.Busy), kind.ToString());
        }

        foreach (var kind in Enum.GetValues<Archives.ArchiveErrorKind>())
        {
            var mapped = ModelErrors.From(new Archives.ArchiveException(kind, "cause"), "attempt");
            Assert.That(mapped.Kind, Is.EqualTo(kind == Archives.ArchiveErrorKind.TooLarge ? ModelErrorKind.NoSpace : ModelErrorKind.BadArchive));
        }
    }

    [Test]
    public void An_id_is_not_given_again_when_its_copy_is_gone_and_another_daemon_runs()
    {
        long last;
        using (var first = CacheFolder.Open(Root))
        {
            last = first.NextId();
        }

        using var second = CacheFolder.Open(Root);
        Assert.That(second.NextId(), Is.GreaterThan(last));
    }
}
