using ModelFs.Cli.Mounting;

namespace ModelFs.Cli.Tests;

/// <summary>Keeps what it was asked to launch and answers as a test says.</summary>
internal sealed class FakeKeeper : IKeeperLauncher
{
    public KeeperLaunch? Launched { get; private set; }

    public KeeperAnswer Answer { get; set; } = new(7, null);

    public Task<KeeperAnswer> LaunchAsync(KeeperLaunch launch, CancellationToken cancellationToken)
    {
        Launched = launch;
        return Task.FromResult(Answer);
    }

    public string Become(KeeperLaunch launch)
    {
        Launched = launch;
        return "there is no keeper in this test";
    }
}
