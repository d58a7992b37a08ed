using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The first access to a model's inside.</summary>
internal sealed class FetchTests : MountFixture
{
    private const string SixtyFourReaders =
        """
        import hashlib, sys, threading
        start, found = threading.Barrier(64), []
        def read():
            start.wait()
            with open(sys.argv[1], "rb") as stream:
                found.append(hashlib.sha256(stream.read()).hexdigest())
        threads = [threading.Thread(target=read) for _ in range(64)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(found), *set(found))
        """;

    [Test]
    [Promise("F1")]
    public void Sixty_four_readers_cost_one_download()
    {
        Pack("one:A:kib=4096", "many:A:kib=4096");
        var mount = Mount();
        using var opensByOne = new OpenCounter(ArchiveOf("one"));
        using var opensByMany = new OpenCounter(ArchiveOf("many"));
        File.ReadAllBytes(mount.At("one", "intent_classifier.pkl"));
        var answer = Actor.Python(SixtyFourReaders, mount.At("many", "intent_classifier.pkl")).Output.Split();
        Assert.That(answer, Has.Length.EqualTo(3), "64 readers saw different bytes");
        Assert.That(answer[0], Is.EqualTo("64"));
        Assert.That(opensByOne.Count, Is.Positive);
        Assert.That(opensByMany.Count, Is.EqualTo(opensByOne.Count));
    }

    [Test]
    [Promise("F1")]
    public void Only_the_model_that_is_touched_is_fetched()
    {
        Pack("bert:A", "moodbot:B");
        var mount = Mount();
        Assert.That(Directory.GetFiles(mount.At("bert")), Is.Not.Empty);
        Assert.That(mount.StateOf("bert"), Is.EqualTo("ready"));
        Assert.That(mount.StateOf("moodbot"), Is.EqualTo("absent"));
    }

    [Test]
    [Promise("F1")]
    public void A_model_reads_as_it_was_packed([Values("A", "B", "C", "D")] string layout)
    {
        Pack($"bert:{layout}:odd=yes:files=40");
        var mount = Mount();
        // Python writes hard links of a model as link members; in the mount they are files of their own with the same content.
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert:odd=yes:files=40"));
        Assert.That(Actor.Bash($"find {mount.At("bert")} -type f -printf '%n\\n' | sort -u").Output.Trim(), Is.EqualTo("1"), "link counts");
        var inodes = Actor.Bash($"find {mount.At("bert")} -printf '%i\\n'").Lines;
        Assert.That(inodes, Is.Unique);
    }

    [Test]
    [Promise("F1")]
    public void Every_tar_format_is_read([Values("gnu", "pax", "ustar")] string format, [Values("C", "D")] string layout)
    {
        // USTAR can't hold names beyond 100 bytes in one part.
        var odd = format == "ustar" ? "" : ":odd=yes";
        Pack($"bert:{layout}:format={format}{odd}");
        var mount = Mount();
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree($"bert{odd}"), wholeSeconds: format != "pax");
    }

    [Test]
    [Promise("F1")]
    public void An_archive_of_gnu_tar_and_of_gzip_members_one_after_the_other_is_read()
    {
        var local = Tree("bert:odd=yes");
        Actor.Bash($"tar -C {Folder.At("local")} -czf {ArchiveOf("bert")} bert");
        Actor.Bash($"tar -C {local} -cf {Folder.At("plain.tar")} . && head -c 20000 {Folder.At("plain.tar")} | gzip > {ArchiveOf("parts")} && tail -c +20001 {Folder.At("plain.tar")} | gzip >> {ArchiveOf("parts")}");
        var mount = Mount();
        TreeSnapshot.AssertEqual(mount.At("bert"), local, wholeSeconds: true);
        TreeSnapshot.AssertEqual(mount.At("parts"), local, wholeSeconds: true);
    }

    [Test]
    [Promise("F1")]
    public void Other_containers_are_read_by_their_endings()
    {
        var local = Tree("bert");
        Actor.Bash($"tar -C {local} -czf {StoreFolder}/tgz.tgz . && tar -C {local} -cf {StoreFolder}/tar.tar .");
        Actor.Python("import shutil, sys; shutil.make_archive(sys.argv[1] + '/bz2', 'bztar', sys.argv[2]); shutil.make_archive(sys.argv[1] + '/zip', 'zip', sys.argv[2])", StoreFolder, local);
        var mount = Mount();
        foreach (var model in new[] { "tgz", "tar", "bz2", "zip" })
        {
            Assert.That(File.ReadAllBytes(mount.At(model, "intent_classifier.pkl")), Is.EqualTo(File.ReadAllBytes(Path.Combine(local, "intent_classifier.pkl"))), model);
        }
    }

    [Test]
    [Promise("F6")]
    public void A_second_mount_finds_the_model_in_the_cache()
    {
        Pack("bert:A");
        var first = Mount();
        var content = File.ReadAllBytes(first.At("bert", "intent_classifier.pkl"));
        first.Unmount();
        using var opens = new OpenCounter(ArchiveOf("bert"));
        var second = Mount();
        Assert.That(File.ReadAllBytes(second.At("bert", "intent_classifier.pkl")), Is.EqualTo(content));
        Assert.That(second.StateOf("bert"), Is.EqualTo("ready"));
        Assert.That(opens.Count, Is.Zero, "the archive was read again");
    }

    [Test]
    [Promise("F7")]
    public void A_newer_archive_is_a_new_folder_and_readers_of_the_old_one_keep_it()
    {
        Pack("bert:A:seed=1");
        var mount = Mount(new MountSettings { More = ["--switch-after", "0.5"] });
        var before = File.ReadAllBytes(mount.At("bert", "intent_classifier.pkl"));
        using var holder = File.OpenRead(mount.At("bert", "intent_classifier.pkl"));
        Pack("bert:A:seed=2");
        var changed = Folder.Create("second");
        Actor.Run(RepositoryPaths.Script("sample-models"), "--tree", changed, "bert:seed=2");
        var after = File.ReadAllBytes(Path.Combine(changed, "bert", "intent_classifier.pkl"));
        Assert.That(after, Is.Not.EqualTo(before));
        var held = new byte[before.Length];
        holder.ReadExactly(held);
        Assert.That(held, Is.EqualTo(before));
        holder.Dispose();
        Eventually.True(() => File.ReadAllBytes(mount.At("bert", "intent_classifier.pkl")).SequenceEqual(after), "the newer revision is taken", pause: TimeSpan.FromSeconds(2));
        TreeSnapshot.AssertEqual(mount.At("bert"), Path.Combine(changed, "bert"));
    }

    [Test]
    [Promise("F7")]
    public void A_model_deleted_in_the_store_leaves_the_listing()
    {
        Pack("bert:A", "moodbot:B");
        var mount = Mount(new MountSettings { More = ["--switch-after", "0.5"] });
        File.ReadAllBytes(mount.At("bert", "metadata.json"));
        File.Delete(ArchiveOf("bert"));
        Eventually.True(() => !Directory.Exists(mount.At("bert")) && !Directory.GetDirectories(mount.Root).Contains(mount.At("bert")), "the deleted model is gone");
        Assert.That(Directory.Exists(mount.At("moodbot")), Is.True);
    }
}
