using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.S3;

/// <summary>SIGKILL at random moments on a bucket.</summary>
[Explicit("takes minutes: scripts/crash-test --store s3")]
[Category("Long")]
internal sealed class RandomKillTests
{
    [Test]
    [Promise("K3")]
    public void Nothing_acknowledged_is_lost_when_the_daemon_is_killed_at_random_moments()
    {
        S3Server.RequireHere();
        Kills.RandomKillTests.Run(_ => new S3CrashStore(), "a bucket");
    }
}
