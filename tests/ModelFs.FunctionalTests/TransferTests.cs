using System.Text.Json;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Models that move without a mount: pull, push, cp.</summary>
internal sealed class TransferTests : MountFixture
{
    private static readonly string[] s_layouts = ["A", "B", "C", "D"];

    [Test]
    [Promise("T1")]
    public void Pull_makes_the_folder_that_a_mount_shows([ValueSource(nameof(s_layouts))] string layout)
    {
        Pack($"bert:{layout}:odd=yes");
        Modelfs("pull", StoreFolder, "bert", Folder.At("got/bert"));
        TreeSnapshot.AssertEqual(Folder.At("got/bert"), Tree("bert:odd=yes"));
        Assert.That(Names(Folder.At("got")), Is.EqualTo(["bert"]), "nothing is left beside it");
    }

    [Test]
    [Promise("T3")]
    public void A_terminal_sees_progress_bars_and_a_program_sees_none()
    {
        Pack("bert:A:kib=4000");
        Directory.CreateDirectory(Folder.At("other"));
        string[][] commands =
        [
            ["pull", StoreFolder, "bert", Folder.At("got/bert")],
            ["push", Folder.At("got/bert"), Folder.At("other") + "/", "--name", "pushed"],
            ["cp", StoreFolder + "/bert", Folder.At("other") + "/copied"],
        ];
        foreach (var command in commands)
        {
            // script(1) runs it on a terminal of its own, and copies what that shows.
            var line = string.Join(' ', command.Prepend(RepositoryPaths.Program).Select(word => $"'{word}'"));
            using var running = Actor.Start("/usr/bin/script", ["-qec", line, "/dev/null"], environment: new Dictionary<string, string?> { ["TERM"] = "xterm", ["NO_COLOR"] = null });
            var seen = running.Wait(TimeSpan.FromSeconds(60)).Succeeded().Output;
            Assert.That(seen, Does.Contain("━").And.Contain("100%").And.Contain("bert").Or.Contain("pushed"), command[0]);

            var quiet = MountedStore.Modelfs([.. command, "--force"]).Succeeded();
            Assert.That(quiet.Output + quiet.Error, Does.Not.Contain("━").And.Not.Contain("%").And.Not.Contain("\e"), command[0]);
        }
    }

    [Test]
    [Promise("T1")]
    public void Pull_covers_nothing_unless_it_is_told_to()
    {
        Pack("bert:A:seed=1");
        var place = Folder.Create("got/bert");
        File.WriteAllText(Path.Combine(place, "mine.txt"), "mine");
        var refused = MountedStore.Modelfs(["pull", StoreFolder, "bert", place]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("--force").And.Contain(place + "/"));
        Assert.That(Names(place), Is.EqualTo(["mine.txt"]));
        Modelfs("pull", StoreFolder, "bert", place + "/");
        TreeSnapshot.AssertEqual(Path.Combine(place, "bert"), Tree("bert:seed=1"));
        Modelfs("pull", StoreFolder, "bert", place, "--force");
        TreeSnapshot.AssertEqual(place, Folder.At("local/bert"));
    }

    [Test]
    [Promise("T1")]
    public void A_damaged_archive_leaves_no_folder()
    {
        Pack("bert:A");
        var bytes = File.ReadAllBytes(ArchiveOf("bert"));
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(ArchiveOf("bert"), bytes);
        var pulled = MountedStore.Modelfs(["pull", StoreFolder, "bert", Folder.Create("got") + "/"]);
        Assert.That(pulled.ExitCode, Is.EqualTo(1));
        Assert.That(pulled.Error, Does.Contain("bert").And.Contain("damaged"));
        Assert.That(Names(Folder.At("got")), Is.Empty);
        var copied = MountedStore.Modelfs(["cp", StoreFolder + "/bert", Folder.Create("other")]);
        Assert.That(copied.ExitCode, Is.EqualTo(1));
        Assert.That(Names(Folder.At("other")), Is.Empty, "what is damaged does not spread");
    }

    [Test]
    [Promise("T1")]
    public void An_interrupted_pull_leaves_nothing_and_ends_with_130()
    {
        Assert.That(PullAndSignal(Signals.Interrupt), Is.EqualTo(130));
        Assert.That(Names(Folder.At("got")), Is.Empty);
    }

    [Test]
    [Promise("T1")]
    public void What_a_killed_pull_left_is_removed_by_the_next()
    {
        PullAndSignal(Signals.Kill);
        Assert.That(Directory.Exists(Folder.At("got/bert")), Is.False);
        Modelfs("pull", StoreFolder, "bert", Folder.At("got/bert"));
        Assert.That(Names(Folder.At("got")), Is.EqualTo(["bert"]));
    }

    [Test]
    [Promise("T2")]
    public void Push_publishes_what_a_mount_and_Python_read()
    {
        var local = Tree("bert:odd=yes");
        Modelfs("push", local, StoreFolder);
        AssertArchiveHolds("bert", local);
        Assert.That(LayoutOf("bert"), Is.EqualTo("A"));
        Modelfs("push", local, StoreFolder, "--name", "default/moodbot");
        Assert.That(LayoutOf("default___moodbot"), Is.EqualTo("B"));
        var mount = Mount();
        TreeSnapshot.AssertEqual(mount.At("bert"), local);
        TreeSnapshot.AssertEqual(mount.At("default", "moodbot"), local);
    }

    [Test]
    [Promise("T2")]
    public void The_place_of_a_push_is_found_as_cp_finds_it()
    {
        var local = Tree("bert");
        Modelfs("push", local, StoreFolder + "/other");
        Modelfs("push", local, StoreFolder + "/new/");
        Modelfs("push", local, StoreFolder, "--name", "team/third");
        Assert.That(StoreKeys(), Is.EqualTo(["new", "other.tar.gz", "team___third.tar.gz"]));
        Assert.That(Names(Path.Combine(StoreFolder, "new")), Is.EqualTo(["bert.tar.gz"]));
    }

    [Test]
    [Promise("T2")]
    public void Push_replaces_nothing_unless_it_is_told_to_and_keeps_layout_and_ending([ValueSource(nameof(s_layouts))] string layout)
    {
        Pack($"bert:{layout}:seed=1");
        var before = RevisionOf("bert");
        var changed = Tree("bert:seed=2");
        var refused = MountedStore.Modelfs(["push", changed, StoreFolder]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("bert.tar.gz").And.Contain("--force"));
        Assert.That(RevisionOf("bert"), Is.EqualTo(before));
        Modelfs("push", changed, StoreFolder, "--force");
        Assert.That(LayoutOf("bert"), Is.EqualTo(layout));
        AssertArchiveHolds("bert", changed);
        Assert.That(StoreKeys(), Is.EqualTo(["bert.tar.gz"]));
    }

    [Test]
    [Promise("T3")]
    public void Cp_keeps_an_archive_byte_for_byte_and_packs_anew_where_the_new_name_needs_it([ValueSource(nameof(s_layouts))] string layout)
    {
        Pack($"bert:{layout}:odd=yes");
        var bytes = File.ReadAllBytes(ArchiveOf("bert"));
        Modelfs("cp", StoreFolder + "/bert", Folder.At("other") + "/");
        Assert.That(File.ReadAllBytes(Folder.At("other/bert.tar.gz")), Is.EqualTo(bytes));
        Modelfs("cp", StoreFolder + "/bert", StoreFolder + "/bert-2");
        var mount = Mount();
        TreeSnapshot.AssertEqual(mount.At("bert-2"), Tree("bert:odd=yes"));
        if (layout == "A")
        {
            Assert.That(LayoutOf("bert-2"), Is.EqualTo("A"));
        }
        else
        {
            Assert.That(File.ReadAllBytes(ArchiveOf("bert-2")), Is.EqualTo(bytes), "only the members of layout A carry the model's name");
        }
    }

    [Test]
    [Promise("T3")]
    public void Cp_replaces_the_archive_that_is_shown_whatever_its_ending()
    {
        var old = Tree("bert:seed=1", "old");
        Actor.Python("import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2])", Folder.Create("zips") + "/bert", old);
        Pack("bert:B:seed=2");
        var refused = MountedStore.Modelfs(["cp", Folder.At("zips") + "/bert", StoreFolder]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("--force"));
        Modelfs("cp", Folder.At("zips") + "/bert", StoreFolder, "--force");
        Assert.That(StoreKeys(), Is.EqualTo(["bert.tar.gz"]));
        Assert.That(Content(Mount().At("bert", "intent_classifier.pkl")), Is.EqualTo(Content(Path.Combine(old, "intent_classifier.pkl"))));
    }

    [Test]
    [Promise("T3")]
    public void Programs_get_json_and_exit_codes()
    {
        var local = Tree("bert");
        using var pushed = JsonDocument.Parse(Modelfs("push", local, StoreFolder, "--json").Output);
        Assert.That(pushed.RootElement.GetProperty("key").GetString(), Is.EqualTo("bert.tar.gz"));
        Assert.That(pushed.RootElement.GetProperty("archiveBytes").GetInt64(), Is.EqualTo(new FileInfo(ArchiveOf("bert")).Length));
        using var pulled = JsonDocument.Parse(Modelfs("pull", StoreFolder, "bert", Folder.At("got"), "--json").Output);
        Assert.That(pulled.RootElement.GetProperty("folder").GetString(), Is.EqualTo(Folder.At("got")));
        Assert.That(pulled.RootElement.GetProperty("files").GetInt32(), Is.EqualTo(Directory.GetFiles(local, "*", SearchOption.AllDirectories).Length));
        Assert.That(MountedStore.Modelfs(["pull", StoreFolder, "nobody"]).ExitCode, Is.EqualTo(1));
        Assert.That(MountedStore.Modelfs(["pull"]).ExitCode, Is.EqualTo(2));
        Assert.That(MountedStore.Modelfs(["push", Folder.At("nowhere"), StoreFolder]).ExitCode, Is.EqualTo(1));
        Assert.That(MountedStore.Modelfs(["cp", StoreFolder + "/bert", StoreFolder]).ExitCode, Is.EqualTo(2), "onto itself");
        Assert.That(MountedStore.Modelfs(["push", local, StoreFolder, "--archive-layout", "round"]).ExitCode, Is.EqualTo(2));
    }

    private static ActorResult Modelfs(params IEnumerable<string> arguments) => MountedStore.Modelfs(arguments).Succeeded();

    private static byte[] Content(string path) => File.ReadAllBytes(path);

    /// <summary>Sends a signal to a pull that has begun. One that was through before the signal reached it shows nothing, and another is begun.</summary>
    private int PullAndSignal(int signal)
    {
        Pack("bert:A:kib=200000");
        for (var tries = 0; tries < 10; tries++)
        {
            Directory.CreateDirectory(Folder.At("got"));
            using var pulling = MountedStore.StartModelfs(["pull", StoreFolder, "bert", Folder.At("got/bert")]);
            Eventually.True(() => Names(Folder.At("got")).Length > 0 || pulling.HasExited, "the pull has begun", pause: TimeSpan.FromMilliseconds(1));
            pulling.Signal(signal);
            if (pulling.Wait(TimeSpan.FromSeconds(60)).ExitCode is not 0 and var code)
            {
                return code;
            }

            Directory.Delete(Folder.At("got"), recursive: true);
        }

        throw new AssertionException("each of 10 pulls was through before the signal reached it");
    }

    private static string[] Names(string folder) =>
        [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }).Select(entry => entry.Name).Order(StringComparer.Ordinal)];
}
