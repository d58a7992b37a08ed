using Amazon.S3;
using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>What is gone through before the first read goes through all of it.</summary>
internal sealed class ReadRehearsalTests
{
    [Test]
    public async Task A_rehearsed_read_comes_to_its_end_without_a_server() =>
        await ReadRehearsal.RunAsync(new AmazonS3Config { ServiceURL = "http://no.such.host.invalid", ForcePathStyle = true, MaxErrorRetry = 0 });
}
