using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Programs that people use on folders work on a mount.</summary>
internal sealed class ToolTests : MountFixture
{
    [Test]
    [Promise("W2")]
    public void Cp_copies_a_model_in_and_out()
    {
        var local = Tree("bert:odd=yes:files=200");
        Actor.Run("/bin/rm", Path.Combine(local, "ner/model.hard"));
        var mount = Mount();
        Actor.Bash($"cp -a {local} {mount.Root}/ && diff -r --no-dereference {local} {mount.Root}/bert && cp -a {mount.Root}/bert {Folder.At("out")}");
        TreeSnapshot.AssertEqual(mount.At("bert"), local);
        TreeSnapshot.AssertEqual(Folder.At("out"), local);
        mount.Unmount();
        AssertArchiveHolds("bert", local);
    }

    [Test]
    [Promise("W2")]
    public void Rsync_copies_in_and_then_finds_nothing_to_do()
    {
        Requires.Tool("/usr/bin/rsync");
        var local = Tree("bert:files=50");
        var mount = Mount();
        Actor.Bash($"rsync -a {local} {mount.Root}/");
        Assert.That(Actor.Bash($"rsync -ai {local} {mount.Root}/").Output, Is.Empty);
        File.AppendAllText(Path.Combine(local, "metadata.json"), "\n");
        Actor.Bash($"rsync -a --delete {local} {mount.Root}/");
        mount.Unmount();
        AssertArchiveHolds("bert", local);
    }

    [Test]
    [Promise("W2")]
    public void Tar_unpacks_into_the_mount_and_packs_from_it()
    {
        var local = Tree("bert:files=50:odd=yes");
        Actor.Run("/bin/rm", Path.Combine(local, "ner/model.hard"));
        var mount = Mount();
        Actor.Bash($"tar -C {Folder.At("local")} --format=pax -cf - bert | tar -C {mount.Root} -xpf - && tar -C {mount.Root} -cf - bert | tar -C {Folder.Create("out")} -xpf -");
        Actor.Bash($"diff -r --no-dereference {local} {Folder.At("out")}/bert");
        mount.Unmount();
        AssertArchiveHolds("bert", local);
    }

    [Test]
    [Promise("W2")]
    public void Python_makes_an_archive_on_the_mount_as_the_persistor_does()
    {
        Pack("bert:A:files=20");
        var mount = Mount();
        Actor.Python("import shutil, sys; shutil.make_archive(sys.argv[1], 'gztar', root_dir=sys.argv[2], base_dir='bert')", Folder.At("made"), mount.Root);
        Actor.Bash($"tar -C {Folder.Create("out")} -xzf {Folder.At("made")}.tar.gz");
        TreeSnapshot.AssertEqual(Path.Combine(Folder.At("out"), "bert"), Tree("bert:files=20"), wholeSeconds: true);
    }

    [Test]
    [Promise("W2")]
    public void Git_inits_commits_and_checks_out()
    {
        Requires.Tool("/usr/bin/git");
        Pack("bert:A:files=30");
        var mount = Mount();
        Actor.Bash(
            """
            export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=/nonexistent
            git init -q -b main . && git config user.name t && git config user.email t@example.org && git config gc.auto 0
            git add -A && git commit -qm first
            echo changed >> metadata.json && git commit -qam second && git checkout -q HEAD~1 && git checkout -q main
            git fsck --strict && git gc -q && test -z "$(git status --porcelain)"
            """, mount.At("bert"));
        mount.Unmount();
        Actor.Bash($"mkdir {Folder.At("out")} && tar -C {Folder.At("out")} -xzf {ArchiveOf("bert")} && cd {Folder.At("out")}/bert && git -c safe.directory='*' log --oneline | wc -l | grep -qx 2 && git -c safe.directory='*' fsck --strict");
    }

    [Test]
    [Promise("W2")]
    public void Sqlite_keeps_a_database()
    {
        Requires.Tool("/usr/bin/sqlite3");
        Pack("bert:A");
        var mount = Mount();
        var database = mount.At("bert", "tracker.db");
        Actor.Run("/usr/bin/sqlite3", database, "CREATE TABLE t(x); WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x<20000) INSERT INTO t SELECT x FROM n;");
        Actor.Run("/usr/bin/sqlite3", database, "DELETE FROM t WHERE x % 2; VACUUM;");
        Assert.That(Actor.Run("/usr/bin/sqlite3", database, "PRAGMA journal_mode=WAL; INSERT INTO t VALUES (1); SELECT count(*) FROM t; PRAGMA integrity_check;").Lines, Is.EqualTo(["wal", "10001", "ok"]));
        mount.Unmount();
        Actor.Bash($"tar -C {Folder.Path} -xzf {ArchiveOf("bert")} bert/tracker.db");
        Assert.That(Actor.Run("/usr/bin/sqlite3", Folder.At("bert/tracker.db"), "SELECT count(*) FROM t; PRAGMA integrity_check;").Lines, Is.EqualTo(["10001", "ok"]));
    }

    [Test]
    [Promise("W2")]
    public void An_editor_saves_by_writing_a_new_file_and_renaming_it()
    {
        Pack("bert:A");
        var mount = Mount();
        for (var save = 0; save < 20; save++)
        {
            Actor.Python(
                """
                import os, sys
                os.chdir(sys.argv[1])
                descriptor = os.open('.metadata.json.swp', os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                os.write(descriptor, sys.argv[2].encode())
                os.fsync(descriptor)
                os.fchmod(descriptor, 0o644)
                os.close(descriptor)
                os.rename('metadata.json', 'metadata.json~')
                os.rename('.metadata.json.swp', 'metadata.json')
                os.unlink('metadata.json~')
                """, mount.At("bert"), $"save {save}");
            Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Is.EqualTo($"save {save}"));
        }

        Actor.Bash($"sed -i s/save/saved/ {mount.At("bert", "metadata.json")}");
        mount.Unmount();
        Assert.That(MembersOf("bert"), Does.Contain("metadata.json").And.Not.Contain("metadata.json~").And.Not.Contain(".metadata.json.swp"));
        Assert.That(Actor.Bash($"tar xzOf {ArchiveOf("bert")} bert/metadata.json").Output, Is.EqualTo("saved 19\n"));
    }

    [Test]
    [Promise("W2")]
    public void Several_programs_write_into_one_model_at_once()
    {
        Pack("bert:A");
        var mount = Mount();
        Actor.Bash("for n in 1 2 3 4 5 6 7 8; do (for i in $(seq 40); do echo $n-$i > file-$n-$i; done) & done; wait; test $(ls | grep -c file-) = 320", mount.At("bert"));
        mount.Unmount();
        Assert.That(MembersOf("bert").Count(member => member.StartsWith("file-", StringComparison.Ordinal)), Is.EqualTo(320));
    }
}
