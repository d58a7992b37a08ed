using ModelFs.Cache.Tests;

namespace ModelFs.FileSystem.Tests;

/// <summary>The file system does what a dictionary of files does, whatever happens to the store and to the daemon meanwhile.</summary>
internal sealed class ReferenceModelTests
{
    private const int Steps = 250;

    private static IEnumerable<int> Seeds => [1, 2, 3, 4, 5, 6, Environment.TickCount & 0xFFFF];

    [TestCaseSource(nameof(Seeds))]
    public async Task Random_operations_agree_with_the_reference_after_every_step(int seed)
    {
        (string, string)[] files = [("metadata.json", "{}"), ("a/text", "one"), ("a/b/deep", "two")];
        await using var rig = await FileSystemRig.StartAsync(objects: ("m.tar.gz", SampleArchive.Of(files)));
        var operations = new RandomOperations(rig, seed);
        try
        {
            await operations.BeginAsync(files);
            for (var step = 0; step < Steps; step++)
            {
                await operations.StepAsync();
                await operations.CompareAsync();
            }

            await operations.EndAsync();
        }
        catch (Exception)
        {
            await TestContext.Out.WriteLineAsync($"seed {seed}, after {operations.Trace.Count} steps, the last of them:\n  {string.Join("\n  ", operations.Trace.TakeLast(40))}");
            throw;
        }
    }
}
