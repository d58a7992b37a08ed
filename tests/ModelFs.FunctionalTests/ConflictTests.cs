using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The same with a folder for a store.</summary>
internal sealed class FolderConflictTests : ConflictContract
{
    protected override string Address => StoreFolder;

    protected override void Put(string model) => Pack(model);

    protected override IReadOnlyList<string> StoredKeys() => StoreKeys();
}

/// <summary>Two mounts on one store change one model.</summary>
internal abstract class ConflictContract : MountFixture
{
    /// <summary>The test's own store.</summary>
    protected abstract string Address { get; }

    protected virtual IReadOnlyDictionary<string, string?> Credentials { get; } = new Dictionary<string, string?>();

    private MountSettings Patient => new() { Settle = "600", SettleNew = "600", Environment = Credentials };

    /// <summary>Puts a sample model into the store.</summary>
    protected abstract void Put(string model);

    /// <summary>Brings a model's archive to where the checks look for it.</summary>
    protected virtual void Fetch(string model)
    {
    }

    protected abstract IReadOnlyList<string> StoredKeys();

    [Test]
    [Promise("O1")]
    public void Exactly_one_version_wins_and_the_other_is_kept_whole_over_restarts()
    {
        var (winner, loser, kept) = Conflict();
        Fetch("bert");
        Assert.That(MembersOf("bert"), Does.Contain("theirs.txt").And.Not.Contain("mine.txt"));
        AssertArchiveHolds("bert", winner.At("bert"));
        Assert.That(kept, Does.StartWith("bert@"));
        Assert.That(string.Join('\n', loser.Status().Warnings), Does.Contain(kept).And.Contain("modelfs resolve"));
        Assert.That(File.ReadAllText(loser.At(".modelfs", "conflicts", kept, "mine.txt")), Is.EqualTo("mine"));
        Assert.That(File.Exists(loser.At(".modelfs", "conflicts", kept, "metadata.json")), Is.True);
        Eventually.True(() => File.Exists(loser.At("bert", "theirs.txt")), "the winner's version shows once the kernel asks for the folder again");
        Assert.That(File.ReadAllText(loser.At("bert", "theirs.txt")), Is.EqualTo("theirs"));
        loser.Unmount();
        var again = Mount(Patient, Address, mountName: "second", cacheName: "second-cache");
        Assert.That(File.ReadAllText(again.At(".modelfs", "conflicts", kept, "mine.txt")), Is.EqualTo("mine"));
        Assert.That(string.Join('\n', again.Status().Warnings), Does.Contain(kept));
    }

    [Test]
    [Promise("O1")]
    public void A_sync_after_a_conflict_that_nobody_waited_for_says_so_once()
    {
        Put("bert:A");
        var winner = Mount(Patient, Address);
        var loser = Mount(Patient with { Settle = "0.05" }, Address, mountName: "second", cacheName: "second-cache");
        using (var mine = File.CreateText(loser.At("bert", "mine.txt")))
        {
            mine.Write("mine");
            File.WriteAllText(winner.At("bert", "theirs.txt"), "theirs");
            winner.Sync("bert");
        }

        Eventually.True(() => Directory.EnumerateDirectories(loser.At(".modelfs", "conflicts")).Any(), "the conflict");
        var told = MountedStore.Modelfs(["sync", loser.Root]);
        Assert.That(told.ExitCode, Is.Not.Zero);
        Assert.That(told.Error, Does.Contain("bert.tar.gz").And.Contain("was changed by somebody else"));
        MountedStore.Modelfs(["sync", loser.Root]).Succeeded();
    }

    [Test]
    [Promise("O2")]
    public void Keeping_mine_publishes_it_in_place_of_theirs()
    {
        var (_, loser, _) = Conflict();
        MountedStore.Modelfs(["resolve", loser.Root, "bert", "--keep", "mine"]).Succeeded();
        Fetch("bert");
        Assert.That(MembersOf("bert"), Does.Contain("mine.txt").And.Not.Contain("theirs.txt"));
        AssertNoConflict(loser);
        Assert.That(File.ReadAllText(loser.At("bert", "mine.txt")), Is.EqualTo("mine"));
        loser.Unmount();
    }

    [Test]
    [Promise("O2")]
    public void Keeping_theirs_gives_mine_up()
    {
        var (_, loser, kept) = Conflict();
        MountedStore.Modelfs(["resolve", loser.At(".modelfs", "conflicts", kept), "--keep", "theirs"]).Succeeded();
        Fetch("bert");
        Assert.That(MembersOf("bert"), Does.Contain("theirs.txt"));
        Assert.That(StoredKeys(), Is.EqualTo(["bert.tar.gz"]));
        AssertNoConflict(loser);
    }

    [Test]
    [Promise("O2")]
    public void Keeping_both_makes_a_second_model()
    {
        var (_, loser, kept) = Conflict();
        var name = kept.Replace('@', '-');
        Assert.That(MountedStore.Modelfs(["resolve", loser.Root, "bert", "--keep", "both"]).Succeeded().Output, Does.Contain(name));
        Assert.That(StoredKeys(), Is.EquivalentTo(["bert.tar.gz", name + ".tar.gz"]));
        Fetch(name);
        Assert.That(MembersOf(name), Does.Contain("mine.txt"));
        Assert.That(File.ReadAllText(loser.At(name, "mine.txt")), Is.EqualTo("mine"));
        Eventually.True(() => File.Exists(loser.At("bert", "theirs.txt")), "the winner's version shows once the kernel asks for the folder again");
        Assert.That(File.ReadAllText(loser.At("bert", "theirs.txt")), Is.EqualTo("theirs"));
        AssertNoConflict(loser);
    }

    private static void AssertNoConflict(MountedStore mount)
    {
        Assert.That(Actor.Run("/bin/ls", mount.At(".modelfs", "conflicts")).Output, Is.Empty);
        Assert.That(mount.Status().Warnings, Is.Empty);
    }

    private (MountedStore Winner, MountedStore Loser, string Kept) Conflict()
    {
        Put("bert:A");
        var winner = Mount(Patient, Address);
        var loser = Mount(Patient, Address, mountName: "second", cacheName: "second-cache");
        File.WriteAllText(winner.At("bert", "theirs.txt"), "theirs");
        File.WriteAllText(loser.At("bert", "mine.txt"), "mine");
        winner.Sync("bert");
        var lost = MountedStore.Modelfs(["sync", loser.Root, "bert"]);
        Assert.That(lost.ExitCode, Is.Not.Zero);
        Assert.That(lost.Output, Does.Contain("bert was changed in the store meanwhile; both versions are kept"));
        return (winner, loser, Actor.Run("/bin/ls", loser.At(".modelfs", "conflicts")).Output.Trim());
    }
}
