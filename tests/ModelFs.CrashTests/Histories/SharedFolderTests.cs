using System.Globalization;
using ModelFs.CrashTests.Kills;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Histories;

/// <summary>Two and three mounts edit one model of a folder: of two edits of one version one wins, and the other is kept.</summary>
internal sealed class SharedFolderTests
{
    [TestCase(2)]
    [LongCase("shared", 3)]
    [Promise("O1")]
    public void No_edit_is_lost_among_mounts_of_one_folder(int mounts) =>
        Run(mounts, (home, random) => new SharedStoreRun(home, new FolderCrashStore(home), random));

    /// <summary>Runs with the parameters <c>seed</c> and <c>seconds</c>.</summary>
    internal static void Run(int mounts, Func<TestFolder, Random, SharedStoreRun> make)
    {
        Requires.Fuse();
        var seed = int.Parse(TestContext.Parameters.Get("seed", (Environment.TickCount & 0xFFFF).ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        var seconds = int.Parse(TestContext.Parameters.Get("seconds", "6"), CultureInfo.InvariantCulture);
        TestContext.Out.WriteLine($"seed {seed}, {seconds} s");
        using var home = new TestFolder();
        using var run = make(home, new Random(seed));
        run.Run(mounts, TimeSpan.FromSeconds(seconds));
    }
}
