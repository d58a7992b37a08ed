using System.Globalization;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Kills;

/// <summary>SIGKILL at random moments of a workload: whatever was acknowledged is in the store in the end.</summary>
/// <remarks>
/// Parameters (<c>dotnet test -- TestRunParameters…</c>, given by <c>scripts/crash-test</c>): <c>rounds</c>, the number of kills; <c>seed</c>;
/// <c>lanes</c>, how many mounts at once; <c>report</c>, a file for the figures.
/// </remarks>
internal sealed class RandomKillTests
{
    private const int ShortRun = 12;
    private static readonly TimeSpan s_betweenReports = TimeSpan.FromSeconds(30);

    [Test]
    [Promise("K3")]
    public void Nothing_acknowledged_is_lost_when_the_daemon_is_killed_at_random_moments() => Run(home => new FolderCrashStore(home), "a folder");

    internal static void Run(Func<TestFolder, CrashStore> store, string storeName)
    {
        Requires.Fuse();
        var rounds = Parameter("rounds", ShortRun);
        var seed = Parameter("seed", Environment.TickCount & 0xFFFF);
        var lanes = Math.Min(rounds, Parameter("lanes", 2));
        var tally = new KillTally();
        Report($"crash test on {storeName}: seed {seed}, rounds {rounds}, lanes {lanes}");
        var isFailed = false;
        var running = Enumerable.Range(0, lanes).Select(lane => Task.Factory.StartNew(
            () =>
            {
                using var each = new CrashLane(seed + (lane * 1_000_003), tally, () => Volatile.Read(ref isFailed) ? 0 : rounds - tally.Kills, store);
                try
                {
                    each.Run();
                }
                catch (Exception failure)
                {
                    // Said at once: the other lanes still end their episodes.
                    Volatile.Write(ref isFailed, true);
                    Report($"FAILED with seed {seed}, lane {lane}, in {each.Home}: {tally}\n{failure.Message}");
                    throw;
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        while (!Task.WhenAll(running).Wait(s_betweenReports))
        {
            Report($"so far: {tally}");
        }

        Report($"seed {seed}, rounds {rounds}: {tally}; lost 0");
        Assert.That(tally.Kills, Is.GreaterThanOrEqualTo(rounds));
        Assert.That(tally.WhileDirty, Is.GreaterThanOrEqualTo(rounds / 4), "too few kills met anything that could have been lost: this run has shown nothing");
        Assert.That(tally.WhilePublishing, Is.Positive, "no kill met a publish: this run has shown nothing");
    }

    private static int Parameter(string name, int otherwise) =>
        int.Parse(TestContext.Parameters.Get(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

    private static void Report(string line)
    {
        TestContext.Out.WriteLine(line);
        if (TestContext.Parameters.Get("report") is { Length: > 0 } file)
        {
            File.AppendAllText(file, line + "\n");
        }
    }
}
