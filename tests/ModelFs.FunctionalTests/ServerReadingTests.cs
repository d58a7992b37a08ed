using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Reading as an unmodified NLU server reads.</summary>
internal sealed class ServerReadingTests : MountFixture
{
    [Test]
    [Promise("R1")]
    public void A_server_loads_every_file_of_a_model_in_every_way_that_servers_do([Values("A", "B", "C", "D")] string layout)
    {
        Pack($"bert:{layout}:files=100:kib=3000");
        var mount = Mount();
        var served = Actor.Run("/usr/bin/python3", RepositoryPaths.Actor("nlu_server.py"), mount.At("bert"), "once").Output;
        var local = Actor.Run("/usr/bin/python3", RepositoryPaths.Actor("nlu_server.py"), Tree("bert:files=100:kib=3000"), "once").Output;
        Assert.That(served, Is.EqualTo(local).And.Not.Empty);
    }

    [Test]
    [Promise("R1")]
    public void The_models_of_a_folder_are_found_by_glob_and_by_listing()
    {
        Pack("model_20170501-101010:A", "model_20170502-101010:A", "default___model_20170503-101010:B");
        var mount = Mount();
        var found = Actor.Python(
            """
            import glob, os, sys
            print(*sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(sys.argv[1] + "/model_*/metadata.json")))
            print(*sorted(os.listdir(sys.argv[1] + "/default")))
            """, mount.Root).Lines;
        Assert.That(found, Is.EqualTo(["model_20170501-101010 model_20170502-101010", "model_20170503-101010"]));
    }

    [Test]
    [Promise("R1")]
    public void A_file_is_mapped_executed_copied_and_read_at_random_offsets()
    {
        Pack("bert:A:odd=yes:kib=2048");
        var mount = Mount();
        var local = Tree("bert:odd=yes:kib=2048");
        Actor.Run(mount.At("bert", "bin", "run.sh"));
        Actor.Python(
            """
            import mmap, os, random, shutil, sys
            served, local, scratch = sys.argv[1:4]
            expected = open(local, "rb").read()
            with open(served, "rb") as stream:
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
                    assert view[:] == expected
                seed = random.randrange(1 << 30)
                print("seed", seed)
                rng = random.Random(seed)
                for _ in range(500):
                    at, length = rng.randrange(len(expected) + 10), rng.randrange(1, 70000)
                    assert os.pread(stream.fileno(), length, at) == expected[at:at + length], (at, length)
                target = os.open(scratch, os.O_RDWR | os.O_CREAT)
                assert os.sendfile(target, stream.fileno(), 0, len(expected)) > 0
            shutil.copyfile(served, scratch)
            assert open(scratch, "rb").read() == expected
            """, mount.At("bert", "intent_classifier.pkl"), Path.Combine(local, "intent_classifier.pkl"), Folder.At("scratch"));
    }

    [Test]
    [Promise("R2")]
    public void With_passthrough_the_daemon_is_not_needed_to_read_an_open_file()
    {
        Requires.Root();
        Pack("bert:A:kib=4096");
        var mount = Mount();
        Requires.Passthrough(mount);
        using var stream = File.OpenRead(mount.At("bert", "intent_classifier.pkl"));
        var daemon = mount.ProcessIds().Daemon;
        Signals.Send(daemon, Signals.Stop);
        try
        {
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            Assert.That(content, Is.EqualTo(File.ReadAllBytes(Path.Combine(Tree("bert:kib=4096"), "intent_classifier.pkl"))));
        }
        finally
        {
            Signals.Send(daemon, Signals.Continue);
        }
    }
}
