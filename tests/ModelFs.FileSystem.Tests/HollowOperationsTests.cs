using ModelFs.Cache.Hydration;
using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>A model of which only parts are here does what a dictionary of files does, whatever is dropped, fetched again, changed and published meanwhile.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class HollowOperationsTests
{
    private const int Steps = 120;

    private static int s_dropped;

    private static IEnumerable<int> Seeds => [1, 2, 3, 4, 5, 6, 7, 8, 9, Environment.TickCount & 0xFFFF];

    [OneTimeTearDown]
    public void Content_was_dropped() => Assert.That(s_dropped, Is.Positive, "nothing was ever dropped: these tests have shown nothing");

    [TestCaseSource(nameof(Seeds))]
    public async Task Random_operations_on_a_partly_present_model_agree_with_the_reference(int seed)
    {
        // Two models that stream as a whole at the same time want room for both: there content is dropped with its model, otherwise file by file.
        var policy = (HydratePolicy)(seed % 3);
        var room = policy == HydratePolicy.Model ? 60 << 20 : 14 << 20;
        var files = HollowOperations.Files(seed);
        (string Path, byte[] Content)[] others = [("one", IndexedArchive.Noise(3 << 20, 77)), ("two", IndexedArchive.Noise(3 << 20, 78))];
        await using var rig = await FileSystemRig.StartAsync(
            options => options with { Hydrate = policy, BytesMax = room },
            objects: [("m.tar.gz", IndexedArchive.Of("m", files)), ("other.tar.gz", IndexedArchive.Of("other", others))]);
        var operations = new HollowOperations(rig, seed, files, others);
        try
        {
            for (var step = 0; step < Steps; step++)
            {
                await operations.StepAsync(mayDie: step >= Steps / 2);
            }

            await operations.EndAsync();
            Interlocked.Add(ref s_dropped, operations.Dropped);
        }
        catch (Exception)
        {
            await TestContext.Out.WriteLineAsync($"seed {seed}, {policy}:\n  {string.Join("\n  ", operations.Trace.TakeLast(40))}");
            throw;
        }
    }
}
