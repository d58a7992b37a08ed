using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>What may be packed, and when: an archive never holds a model that is half-way between two states.</summary>
internal sealed class PackingTests : MountFixture
{
    [Test]
    [Promise("W8")]
    public void A_mapping_that_is_written_after_close_is_in_the_published_archive()
    {
        Pack("bert:A");
        var before = RevisionOf("bert");
        var mount = Mount();
        using var writer = Actor.StartPython(
            """
            import mmap, os, signal, sys, time
            stream = open(sys.argv[1], "r+b")
            view = mmap.mmap(stream.fileno(), 0)
            view[0:5] = b"first"
            stream.close()
            print("closed")
            while not os.path.exists(sys.argv[2]):
                time.sleep(0.02)
            view[5:10] = b"later"
            view.close()
            print("unmapped")
            """, mount.At("bert", "intent_classifier.pkl"), Folder.At("go-on"));
        writer.WaitForOutput("closed");
        Eventually.StaysTrue(() => RevisionOf("bert") == before, "nothing is published while a writable mapping lives", TimeSpan.FromSeconds(2));
        File.WriteAllText(Folder.At("go-on"), "");
        writer.Wait(TimeSpan.FromSeconds(30)).Succeeded();
        Eventually.True(() => RevisionOf("bert") != before, "published after the mapping has ended");
        Assert.That(Actor.Bash($"tar xzOf {ArchiveOf("bert")} bert/intent_classifier.pkl > {Folder.At("published")} && head -c 10 {Folder.At("published")}").Output.Trim(), Is.EqualTo("firstlater"));
    }

    [Test]
    [Promise("W9")]
    public void Every_published_archive_is_one_moment_of_a_model_that_is_written_all_the_time()
    {
        // Two files always get the same number, first `left`, then `right`, both open meanwhile; 4 MiB each, so that packing takes its time.
        Pack("bert:A");
        var mount = Mount(new MountSettings { Settle = "0.05" });
        var before = RevisionOf("bert");
        using var writer = Actor.StartPython(
            """
            import os, sys, time
            os.chdir(sys.argv[1])
            block = os.urandom(1 << 22)
            for number in range(1, 60):
                with open("left", "wb") as left, open("right", "wb") as right:
                    head = number.to_bytes(4, "big")
                    left.write(head + block + head)
                    right.write(head + block + head)
                time.sleep((number % 6) * 0.06)
            """, mount.At("bert"));
        var seen = new HashSet<string>();
        while (!writer.HasExited)
        {
            if (RevisionOf("bert") != before && seen.Add(RevisionOf("bert")))
            {
                AssertLeftEqualsRight();
            }

            Thread.Sleep(20);
        }

        writer.Wait(TimeSpan.FromSeconds(60)).Succeeded();
        mount.Unmount();
        AssertLeftEqualsRight();
        TestContext.Out.WriteLine($"{seen.Count} revisions were read");
    }

    [Test]
    [Promise("W9")]
    public void A_write_during_a_pack_is_published_after_it()
    {
        Pack("bert:A:kib=65536");
        var mount = Mount(new MountSettings { Settle = "0.05" });
        var met = Actor.Python(
            """
            import os, sys, time
            met = 0
            for round in range(5):
                with open(sys.argv[1] + "/round", "w") as stream:
                    stream.write(f"{round}a")
                until = time.monotonic() + 30
                while (state := os.getxattr(sys.argv[1], "user.modelfs.state")) != b"publishing" and time.monotonic() < until:
                    pass
                met += state == b"publishing"
                with open(sys.argv[1] + "/round", "w") as stream:
                    stream.write(f"{round}b")
            print(met)
            """, mount.At("bert")).Output;
        Assert.That(int.Parse(met), Is.Positive, "no write met a pack: this test has shown nothing");
        mount.Unmount();
        Assert.That(Actor.Bash($"tar xzOf {ArchiveOf("bert")} bert/round").Output.Trim(), Is.EqualTo("4b"));
    }

    private void AssertLeftEqualsRight() => Actor.Python(
        """
        import sys, tarfile
        with tarfile.open(sys.argv[1], "r:gz") as tar:
            found = {member.name: tar.extractfile(member).read() for member in tar if member.name in ("bert/left", "bert/right")}
        if found:
            assert found["bert/left"] == found["bert/right"], "two moments in one archive"
            assert found["bert/left"][:4] == found["bert/left"][-4:]
        """, ArchiveOf("bert"));
}
