using System.Text.Json;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.Undo;

/// <summary>One version of a model, as <c>modelfs history --json</c> tells it.</summary>
internal sealed record Version(string Revision, string State, long Bytes);

/// <summary>What history and restore promise, for every kind of store that keeps the past. Models are made, changed and deleted through the mount.</summary>
internal abstract class UndoContract : MountFixture
{
    /// <summary>The address of the test's own store, which is set up to keep the past.</summary>
    protected abstract string Address { get; }

    /// <summary>What the commands find the store's credentials in.</summary>
    protected virtual IReadOnlyDictionary<string, string?> Credentials { get; } = new Dictionary<string, string?>();

    [Test]
    [Promise("U1")]
    [Promise("U2")]
    public void A_version_that_was_replaced_is_listed_restored_and_shown_without_a_new_mount_and_so_is_the_one_it_replaces()
    {
        var mount = MountModel("bert");
        Publish(mount, "bert", "notes.txt", "second version");
        var versions = History(mount.Root, "bert");
        Assert.That(versions.Select(version => version.State), Is.EqualTo(["current", "replaced"]));
        Assert.That(History(Address, "bert"), Is.EqualTo(versions), "a mount and the store's address tell the same");
        Assert.That(Undo("history", mount.Root, "bert").Output, Does.Contain(versions[1].Revision).And.Contain("replaced"));

        Undo("restore", mount.Root, $"bert@{versions[1].Revision}");
        Eventually.True(() => !File.Exists(mount.At("bert", "notes.txt")), "the first version is shown", pause: TimeSpan.FromSeconds(1));
        var first = Tree("bert", "expected");
        TreeSnapshot.AssertEqual(mount.At("bert"), first);
        AssertStoreHas("bert", first);
        var after = History(mount.Root, "bert");
        Assert.That(after[0].State, Is.EqualTo("current"));
        Assert.That(after[1].Bytes, Is.EqualTo(versions[0].Bytes), "what was restored over is the newest past version");

        Undo("restore", Address, $"bert@{after[1].Revision}");
        Eventually.True(() => File.Exists(mount.At("bert", "notes.txt")), "the second version is shown", pause: TimeSpan.FromSeconds(1));
        Assert.That(File.ReadAllText(mount.At("bert", "notes.txt")), Is.EqualTo("second version"));
    }

    [Test]
    [Promise("U1")]
    [Promise("U2")]
    public void A_model_that_was_deleted_is_listed_and_comes_back_whole()
    {
        var mount = MountModel("bert", "--allow-delete");
        Actor.Run("/bin/rm", "-r", mount.At("bert"));
        Assert.That(Directory.GetDirectories(mount.Root), Is.Empty);
        var versions = History(mount.Root, "bert");
        Assert.That(versions.Select(version => version.State), Is.EqualTo(["deleted"]));
        Assert.That(History(Address, "bert"), Is.EqualTo(versions));
        Assert.That(ListedModels(), Is.Empty, "the past is no model");

        Undo("restore", mount.Root, $"bert@{versions[0].Revision}");
        Eventually.True(() => Directory.Exists(mount.At("bert")), "the model is there again");
        TreeSnapshot.AssertEqual(mount.At("bert"), Tree("bert", "expected"));
        Assert.That(ListedModels(), Is.EqualTo(["bert"]));
    }

    [Test]
    [Promise("U3")]
    public void Changes_that_the_store_does_not_have_yet_are_not_restored_over()
    {
        var mount = MountModel("bert", new MountSettings { Settle = "600" });
        Publish(mount, "bert", "notes.txt", "second version");
        var versions = History(mount.Root, "bert");
        File.WriteAllText(mount.At("bert", "notes.txt"), "not published yet");
        var refused = TryUndo("restore", mount.Root, $"bert@{versions[1].Revision}");
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("modelfs sync bert"));
        Assert.That(Undo("history", mount.Root, "bert").Output, Does.Contain("changes in this mount"));
        Assert.That(History(Address, "bert"), Is.EqualTo(versions), "the store was not touched");

        mount.Sync();
        Undo("restore", mount.Root, $"bert@{History(mount.Root, "bert")[1].Revision}");
        Eventually.True(() => File.ReadAllText(mount.At("bert", "notes.txt")) == "second version", "the version before the change is shown", pause: TimeSpan.FromSeconds(1));
    }

    [Test]
    [Promise("U3")]
    public void What_is_no_revision_restores_nothing_and_says_so()
    {
        var mount = MountModel("bert");
        Publish(mount, "bert", "notes.txt", "second version");
        var versions = History(mount.Root, "bert");
        foreach (var place in new[] { mount.Root, Address })
        {
            var refused = TryUndo("restore", place, "bert@nothing-begins-so");
            Assert.That(refused.ExitCode, Is.EqualTo(1));
            Assert.That(refused.Error, Does.Contain("nothing-begins-so").And.Contain("history"));
        }

        Assert.That(History(mount.Root, "bert"), Is.EqualTo(versions));
    }

    /// <summary>Mounts the store with one published model.</summary>
    protected MountedStore MountModel(string description, params IReadOnlyList<string> options) => MountModel(description, new MountSettings { More = options });

    private MountedStore MountModel(string description, MountSettings settings)
    {
        var mount = Mount(settings with { Environment = Credentials, More = ["--switch-after", "0.2", .. settings.More] }, Address);
        Actor.Run("/bin/cp", "-a", Tree(description), mount.Root);
        mount.Sync();
        return mount;
    }

    /// <summary>Publishes so many versions of a model, with <c>--keep-revisions</c> as given, and sees how many are kept beside the current one.</summary>
    protected void AssertKept(string? option, int count, int versions)
    {
        var mount = MountModel("bert", option is null ? [] : ["--keep-revisions", option]);
        for (var version = 2; version <= versions; version++)
        {
            Publish(mount, "bert", "notes.txt", new string('x', version));
        }

        Assert.That(History(mount.Root, "bert"), Has.Count.EqualTo(1 + count));
        Assert.That(Undo("history", mount.Root, "bert").Output.Contains("--keep-revisions", StringComparison.Ordinal), Is.EqualTo(count == 0));
    }

    /// <summary>Writes a file and waits for the store.</summary>
    protected static void Publish(MountedStore mount, string model, string file, string content)
    {
        File.WriteAllText(mount.At(model, file), content);
        mount.Sync();
    }

    protected ActorResult Undo(params IReadOnlyList<string> arguments) => TryUndo(arguments).Succeeded();

    protected ActorResult TryUndo(params IReadOnlyList<string> arguments) => MountedStore.Modelfs(arguments, Credentials);

    /// <summary>The versions of a model, the current one first.</summary>
    protected List<Version> History(string place, string model)
    {
        using var document = JsonDocument.Parse(Undo("history", place, model, "--json").Output);
        return [.. document.RootElement.GetProperty("revisions").EnumerateArray()
            .Select(each => new Version(each.GetProperty("revision").GetString()!, each.GetProperty("state").GetString()!, each.GetProperty("bytes").GetInt64()))];
    }

    private List<string> ListedModels()
    {
        using var document = JsonDocument.Parse(Undo("ls", Address, "--json").Output);
        Assert.That(document.RootElement.GetProperty("otherObjects").GetInt32(), Is.Zero, "the past is no object");
        return [.. document.RootElement.GetProperty("models").EnumerateArray().Select(each => each.GetProperty("name").GetString()!)];
    }

    /// <summary>A mount that has nothing of it yet shows a model as it is in the store.</summary>
    private void AssertStoreHas(string model, string tree)
    {
        var fresh = Mount(new MountSettings { Environment = Credentials }, Address, mountName: "fresh", cacheName: "fresh-cache");
        TreeSnapshot.AssertEqual(fresh.At(model), tree);
        fresh.Unmount();
    }
}
