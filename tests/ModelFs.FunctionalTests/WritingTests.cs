using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Changing a model: the mount does what a local folder does, and the archive holds the result.</summary>
internal sealed class WritingTests : MountFixture
{
    /// <summary>Each is run in the model in the mount and in a local copy of it; both must end equal, and so must the published archive.</summary>
    private static readonly (string Name, string Script)[] s_edits =
    [
        ("create", "open('new.bin', 'wb').write(b'x' * 100000); os.makedirs('a/b/c'); open('a/b/c/deep', 'w').write('deep')"),
        ("overwrite", "open('metadata.json', 'w').write('{}')"),
        ("overwrite in the middle", "f = open('intent_classifier.pkl', 'r+b'); f.seek(5000); f.write(b'patched'); f.close()"),
        ("append", "f = open('training_data.json', 'ab'); f.write(b'tail' * 1000); f.close()"),
        ("shorten", "os.truncate('intent_classifier.pkl', 777); f = open('ner/model', 'r+b'); f.truncate(10); f.write(b'ab'); f.close()"),
        ("lengthen", "os.truncate('ner/model', 1 << 20)"),
        ("write through a mapping", "f = open('intent_classifier.pkl', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[100:107] = b'patched'; m.flush(); m.close(); f.close()"),
        ("rename a file", "os.rename('metadata.json', 'ner/moved.json')"),
        ("rename over a file", "open('tmp', 'w').write('new'); os.rename('tmp', 'metadata.json')"),
        ("rename a folder", "os.rename('ner', 'entities'); open('entities/more', 'w').close()"),
        ("unlink", "os.unlink('regex_featurizer.json'); open('keep', 'w').write('something that is not a removal')"),
        ("remove a folder", "shutil.rmtree('ner'); open('keep', 'w').write('something that is not a removal')"),
        ("chmod", "os.chmod('metadata.json', 0o600); os.chmod('ner', 0o700); os.chmod('training_data.json', 0o755)"),
        ("utime", "os.utime('metadata.json', (1500000000, 1500000001.5)); os.utime('ner', (1, 2))"),
        ("symbolic links", "os.symlink('metadata.json', 'link'); os.symlink('../metadata.json', 'ner/up'); assert open('ner/up').read()"),
        ("sparse", "f = open('sparse', 'wb'); f.seek(3000000); f.write(b'end'); f.close()"),
        ("many", "[open(f'part_{n}', 'w').write(str(n)) for n in range(300)]"),
        ("many in one folder, used while they are made, and a large one after them", """
            for n in range(40):
                with open(f'part_{n}', 'x+b') as maker:
                    maker.write(b'1' * 5000); maker.flush()
                    assert open(f'part_{n}', 'rb').read() == b'1' * 5000
                    with open(f'part_{n}', 'r+b') as other:
                        other.seek(10); other.write(b'other'); other.flush()
                        maker.seek(10); assert maker.read(5) == b'other'
                        mapped = mmap.mmap(other.fileno(), 0)
                    mapped[20:26] = b'mapped'
                    assert os.pread(maker.fileno(), 6, 20) == b'mapped'
                    maker.seek(0, 2); maker.write(b'end')
                with open(f'part_{n}', 'r+b') as late:
                    late.write(b'late')
                mapped[30:35] = b'later'
                mapped.close()
                with open(f'part_{n}', 'ab') as late:
                    late.write(b'tail')
                content = open(f'part_{n}', 'rb').read()
                assert content[:4] == b'late' and content[20:26] == b'mapped' and content[30:35] == b'later' and content[-7:] == b'endtail', content
            with open('large', 'wb') as large:
                [large.write(bytes([n]) * 100000) for n in range(50)]
            """),
        ("names", "open('größe', 'w').write('ü'); open('n' * 255, 'w').write('long'); open(' space \\n newline', 'w').write('odd')"),
    ];

    private static IEnumerable<TestCaseData> Edits() => s_edits.Select(edit => new TestCaseData(edit.Script).SetArgDisplayNames(edit.Name));

    [TestCaseSource(nameof(Edits))]
    [Promise("W1")]
    [Promise("W7")]
    public void An_edit_gives_what_it_gives_on_a_local_disk_and_is_published(string script)
    {
        Pack("bert:B");
        var local = Tree("bert");
        var mount = Mount();
        foreach (var folder in new[] { mount.At("bert"), local })
        {
            Actor.Python($"import mmap, os, shutil, sys\nos.umask(0o022)\nos.chdir(sys.argv[1])\n{script}", folder);
        }

        Assert.That(WithoutTimesOfToday(mount.At("bert")), Is.EqualTo(WithoutTimesOfToday(local)));
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        TreeSnapshot.AssertEqual(copy, mount.At("bert"));
        mount.Unmount();
        AssertArchiveHolds("bert", copy);
        Assert.That(LayoutOf("bert"), Is.EqualTo("B"));
    }

    [Test]
    [Promise("W7")]
    public void An_edited_model_keeps_the_layout_that_it_had([Values("A", "B", "C", "D")] string layout)
    {
        Pack($"bert:{layout}:odd=yes");
        var mount = Mount();
        File.AppendAllText(mount.At("bert", "metadata.json"), "\n");
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        Assert.That(LayoutOf("bert"), Is.EqualTo(layout));
        AssertArchiveHolds("bert", copy);
    }

    [Test]
    [Promise("W3")]
    public void A_change_is_published_by_itself_when_the_model_has_settled()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        File.WriteAllText(mount.At("bert", "notes.txt"), "changed");
        Eventually.True(() => RevisionOf("bert") != before, "the change is published");
        mount.WaitForState("bert", "ready");
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("W3")]
    public void Nothing_is_published_while_a_writer_is_open()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        using (var writer = File.Create(mount.At("bert", "open.bin")))
        {
            writer.Write(new byte[1000]);
            writer.Flush();
            File.WriteAllText(mount.At("bert", "closed.txt"), "closed");
            Eventually.StaysTrue(() => RevisionOf("bert") == before, "the archive is as it was", TimeSpan.FromSeconds(2));
        }

        Eventually.True(() => RevisionOf("bert") != before, "published after the last close");
        Assert.That(MembersOf("bert"), Does.Contain("open.bin").And.Contain("closed.txt"));
    }

    [Test]
    [Promise("W6")]
    public void Nothing_is_published_when_nothing_changed()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        // Opened for writing and closed; rewritten with the same bytes and times; created and removed again.
        Actor.Python(
            """
            import os, sys
            os.chdir(sys.argv[1])
            open('metadata.json', 'r+b').close()
            info, content = os.stat('training_data.json'), open('training_data.json', 'rb').read()
            with open('training_data.json', 'r+b') as stream:
                stream.write(content)
            os.utime('training_data.json', ns=(info.st_atime_ns, info.st_mtime_ns))
            """, mount.At("bert"));
        mount.Unmount();
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
    }

    [Test]
    [Promise("W10")]
    public void What_an_archive_can_not_hold_is_refused()
    {
        Pack("bert:A", "moodbot:B");
        var mount = Mount();
        var file = mount.At("bert", "metadata.json");
        Assert.That(Actor.Errno($"os.link('{file}', '{mount.At("bert", "hard")}')"), Is.EqualTo("EPERM"));
        Assert.That(Actor.Errno($"os.setxattr('{file}', 'user.colour', b'red')"), Is.EqualTo("ENOTSUP"));
        Assert.That(Actor.Errno($"os.rename('{file}', '{mount.At("moodbot", "stolen.json")}')"), Is.EqualTo("EXDEV"));
        Assert.That(Actor.Errno($"os.mkfifo('{mount.At("bert", "pipe")}')"), Is.AnyOf("EPERM", "EOPNOTSUPP", "ENOSYS"));
        Actor.Run("/bin/mv", file, mount.At("moodbot", "moved.json"));
        mount.Unmount();
        Assert.That(MembersOf("moodbot"), Does.Contain("moved.json"));
        Assert.That(MembersOf("bert"), Does.Not.Contain("metadata.json"));
    }

    [Test]
    [Promise("W12")]
    public void An_open_file_that_is_removed_or_replaced_goes_on()
    {
        Pack("bert:A");
        var mount = Mount();
        Actor.Python(
            """
            import os, sys
            os.chdir(sys.argv[1])
            first = open('metadata.json', 'rb').read()
            with open('metadata.json', 'rb') as reader, open('scratch', 'w+b') as scratch:
                os.unlink('metadata.json')
                assert not os.path.exists('metadata.json')
                assert reader.read() == first
                scratch.write(b'before')
                scratch.flush()
                os.unlink('scratch')
                scratch.write(b' and after')
                scratch.seek(0)
                assert scratch.read() == b'before and after'
                assert os.fstat(scratch.fileno()).st_size == 16
            with open('ner/config.json', 'rb') as reader:
                first = reader.read()
                open('new', 'w').write('new')
                os.replace('new', 'ner/config.json')
                reader.seek(0)
                assert reader.read() == first
            assert open('ner/config.json').read() == 'new'
            open('metadata.json', 'w').write('again')
            """, mount.At("bert"));
        mount.Unmount();
        Assert.That(MembersOf("bert"), Does.Contain("metadata.json").And.Not.Contain("scratch"));
    }

    [Test]
    [Promise("W11")]
    public void Fsync_of_files_and_folders_succeeds_and_does_not_wait_for_the_store()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount(new MountSettings { Settle = "600" });
        Actor.Python(
            """
            import os, sys
            os.chdir(sys.argv[1])
            with open('synced', 'wb') as stream:
                stream.write(b'x' * 100000)
                stream.flush()
                os.fsync(stream.fileno())
                os.fdatasync(stream.fileno())
            folder = os.open('.', os.O_RDONLY)
            os.fsync(folder)
            """, mount.At("bert"));
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
        mount.Unmount();
        Assert.That(MembersOf("bert"), Does.Contain("synced"));
    }

    [Test]
    [Promise("W1")]
    public void A_full_statfs_is_answered()
    {
        Pack("bert:A");
        var mount = Mount();
        Assert.That(new DriveInfo(mount.Root).AvailableFreeSpace, Is.Positive);
        Actor.Run("/bin/df", "-h", mount.Root);
    }

    /// <summary>Entries that the script wrote carry today's time, which differs between the two runs.</summary>
    private static string[] WithoutTimesOfToday(string folder)
    {
        var today = DateTimeOffset.UtcNow.AddDays(-1).ToUnixTimeMilliseconds();
        return [.. TreeSnapshot.Of(folder).Select(line => string.Join(' ', line.Split(' ').Select(part => long.TryParse(part, out var number) && number > today ? "now" : part)))];
    }
}
