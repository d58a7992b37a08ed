using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>The contract against a second implementation of S3, OpenStack Swift, which takes no conditions and speaks to every key by its own rules.</summary>
[TestFixture]
internal sealed class SwiftStoreTests : ModelStoreContract
{
    private static int s_buckets;
    private TemporaryFolder? _folder;
    private string _endpoint = "";
    private string _key = "";
    private string _secret = "";

    [OneTimeSetUp]
    public void StartServer()
    {
        _folder = new TemporaryFolder();
        var (exitCode, problem) = Run("start", _folder.Path);
        if (exitCode != 0)
        {
            Assert.Ignore($"no Swift server: {problem}");
        }

        var variables = File.ReadLines(Path.Combine(_folder.Path, "env")).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        (_endpoint, _key, _secret) = (variables["S3_ENDPOINT"], variables["S3_ACCESS_KEY"], variables["S3_SECRET_KEY"]);
    }

    [OneTimeTearDown]
    public void StopServer()
    {
        if (_folder is { } folder)
        {
            Run("stop", folder.Path);
            folder.Dispose();
        }
    }

    [Test]
    public async Task It_refuses_every_condition_and_the_traits_say_so()
    {
        await Store.ProveConditionsAsync(CancellationToken.None);
        var traits = Store.Traits;
        Assert.That(
            new[] { traits.CreateCondition, traits.ReplaceCondition, traits.DeleteCondition, traits.InPartsCondition!.Value },
            Is.All.EqualTo(ConditionSupport.CheckedBefore));
        Assert.That(await Store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_large_archive_goes_up_in_parts_and_a_change_of_it_is_composed()
    {
        const int MiB = 1 << 20;
        var bytes = BytesContent.Random(80 * MiB, seed: 71);
        var first = await Store.PutAsync("m.tar.gz", bytes, PublishCondition.Absent);
        var content = new SegmentedContent(
            Store, first, [new(0, 40 * MiB, 0), new(40 * MiB, 1000, null), new((40 * MiB) + 1000, (40 * MiB) - 1000, (40 * MiB) + 1000)], (_, length) => new MemoryStream(new byte[length]));
        var second = await Store.PublishAsync("m.tar.gz", content, PublishCondition.Matches(first.Revision), CancellationToken.None);
        bytes.AsSpan(40 * MiB, 1000).Clear();
        Assert.That((await Store.GetAsync(second)).AsSpan().SequenceEqual(bytes), Is.True);
    }

    /// <summary>With retries, as the program has them: Swift takes a body that arrives with a pause for a damaged one.</summary>
    protected override Task<IModelStore> CreateEmptyStoreAsync()
    {
        var url = StoreUrl.Parse($"s3://swift-{Interlocked.Increment(ref s_buckets)}?endpoint={_endpoint}&region=us-east-1");
        var store = new S3StoreFactory().Create(url, new StoreOptions { Environment = CephServer.Credentials(_key, _secret) });
        return Task.FromResult<IModelStore>(new RetryingStore(store, new RetryOptions(), NullLogger<RetryingStore>.Instance));
    }

    private static (int ExitCode, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(CephServer.RepositoryRoot(), "scripts", "servers", "swift"), arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
