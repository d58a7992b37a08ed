using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Two mounts on one store change one model.</summary>
internal sealed class ConflictTests : MountFixture
{
    private static readonly MountSettings s_patient = new() { Settle = "600", SettleNew = "600" };

    [Test]
    [Promise("O1")]
    public void Exactly_one_version_wins_and_the_other_is_kept_whole_over_restarts()
    {
        var (winner, loser, kept) = Conflict();
        Assert.That(MembersOf("bert"), Does.Contain("theirs.txt").And.Not.Contain("mine.txt"));
        AssertArchiveHolds("bert", winner.At("bert"));
        Assert.That(kept, Does.StartWith("bert@"));
        Assert.That(string.Join('\n', loser.Status().Warnings), Does.Contain(kept).And.Contain("modelfs resolve"));
        Assert.That(File.ReadAllText(loser.At(".modelfs", "conflicts", kept, "mine.txt")), Is.EqualTo("mine"));
        Assert.That(File.Exists(loser.At(".modelfs", "conflicts", kept, "metadata.json")), Is.True);
        Eventually.True(() => File.Exists(loser.At("bert", "theirs.txt")), "the winner's version shows once the kernel asks for the folder again");
        Assert.That(File.ReadAllText(loser.At("bert", "theirs.txt")), Is.EqualTo("theirs"));
        loser.Unmount();
        var again = Mount(s_patient, mountName: "second", cacheName: "second-cache");
        Assert.That(File.ReadAllText(again.At(".modelfs", "conflicts", kept, "mine.txt")), Is.EqualTo("mine"));
        Assert.That(string.Join('\n', again.Status().Warnings), Does.Contain(kept));
    }

    [Test]
    [Promise("O2")]
    public void Keeping_mine_publishes_it_in_place_of_theirs()
    {
        var (_, loser, _) = Conflict();
        MountedStore.Modelfs(["resolve", loser.Root, "bert", "--keep", "mine"]).Succeeded();
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
        Assert.That(MembersOf("bert"), Does.Contain("theirs.txt"));
        Assert.That(StoreKeys(), Is.EqualTo(["bert.tar.gz"]));
        AssertNoConflict(loser);
    }

    [Test]
    [Promise("O2")]
    public void Keeping_both_makes_a_second_model()
    {
        var (_, loser, kept) = Conflict();
        var name = kept.Replace('@', '-');
        Assert.That(MountedStore.Modelfs(["resolve", loser.Root, "bert", "--keep", "both"]).Succeeded().Output, Does.Contain(name));
        Assert.That(StoreKeys(), Is.EquivalentTo(["bert.tar.gz", name + ".tar.gz"]));
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
        Pack("bert:A");
        var winner = Mount(s_patient);
        var loser = Mount(s_patient, mountName: "second", cacheName: "second-cache");
        File.WriteAllText(winner.At("bert", "theirs.txt"), "theirs");
        File.WriteAllText(loser.At("bert", "mine.txt"), "mine");
        winner.Sync("bert");
        Assert.That(MountedStore.Modelfs(["sync", loser.Root, "bert"]).ExitCode, Is.Not.Zero);
        return (winner, loser, Actor.Run("/bin/ls", loser.At(".modelfs", "conflicts")).Output.Trim());
    }
}
