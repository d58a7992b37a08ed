using System.Globalization;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>A local folder as oracle: thousands of random operations answer the same on the mount, and the published archive is the result.</summary>
internal sealed class RandomOperationTests : MountFixture
{
    [Test]
    [Promise("W1")]
    [Promise("W9")]
    public void Random_operations_answer_as_on_a_local_disk_while_archives_are_published([Values(1, 2)] int round)
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"round {round}, seed {seed}");
        Pack("bert:A");
        var oracle = Tree("bert");
        // Settling at once makes publishes fall between the operations.
        var mount = Mount(new MountSettings { Settle = "0.05" });
        var done = Actor.Run("/usr/bin/python3", RepositoryPaths.Actor("random_operations.py"), seed.ToString(CultureInfo.InvariantCulture), "3000", mount.At("bert"), oracle);
        TestContext.Out.WriteLine(done.Output);
        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        Actor.Run("/usr/bin/diff", "-r", "--no-dereference", copy, oracle);
        // What only removed waits, and a model without files is never published: one file more makes the end comparable.
        File.WriteAllText(mount.At("bert", "last"), "last");
        File.SetLastWriteTimeUtc(mount.At("bert", "last"), DateTime.UnixEpoch.AddDays(1));
        Actor.Run("/bin/cp", "-a", mount.At("bert", "last"), copy);
        mount.Unmount();
        AssertArchiveHolds("bert", copy);
    }
}
