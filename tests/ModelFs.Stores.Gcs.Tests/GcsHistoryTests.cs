using System.Text;

namespace ModelFs.Stores.Gcs.Tests;

/// <summary>The contract in a bucket with versioning, below a prefix.</summary>
[TestFixture]
internal sealed class GcsVersionsTests : ObjectHistoryContract
{
    protected override async Task<IModelStore> CreateEmptyStoreAsync() =>
        await GcsServers.OnEmulatorAsync(await GcsBuckets.NewAsync("""{"versioning":{"enabled":true},"softDeletePolicy":{"retentionDurationSeconds":"0"}}""") + "/team");
}

/// <summary>The contract in a bucket as Google makes it by default: without versioning, and what is replaced or deleted can be restored for a week.</summary>
[TestFixture]
internal sealed class GcsSoftDeleteTests : ObjectHistoryContract
{
    protected override bool PastIsReadable => false;

    protected override async Task<IModelStore> CreateEmptyStoreAsync()
    {
        await GcsBuckets.RequireSoftDeleteAsync();
        return await GcsServers.OnEmulatorAsync(await GcsBuckets.NewAsync("{}"));
    }
}

/// <summary>What is said about buckets that keep nothing, or do not tell.</summary>
[TestFixture]
internal sealed class GcsKeepingTests
{
    [Test]
    public async Task A_bucket_that_keeps_nothing_says_how_to_switch_it_on()
    {
        await GcsBuckets.RequireSoftDeleteAsync();
        await using var store = await GcsServers.OnEmulatorAsync(await GcsBuckets.NewAsync("""{"softDeletePolicy":{"retentionDurationSeconds":"0"}}"""));
        await store.PutAsync("m.tar.gz", [1]);
        await store.PutAsync("m.tar.gz", [2]);
        var past = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        Assert.That(past.Past, Is.Empty);
        Assert.That(past.WhyNotKept, Does.Contain("--versioning").And.Contain("--soft-delete-duration"));
    }

    [Test]
    public async Task Generations_and_soft_deleted_objects_are_one_past_in_the_order_of_their_making()
    {
        await GcsBuckets.RequireSoftDeleteAsync();
        var bucket = await GcsBuckets.NewAsync("{}");
        await using var store = await GcsServers.OnEmulatorAsync(bucket);
        await store.PutAsync("m.tar.gz", new byte[1]);
        await store.PutAsync("m.tar.gz", new byte[2]);
        await GcsBuckets.ChangeAsync(bucket, """{"versioning":{"enabled":true}}""");
        await store.PutAsync("m.tar.gz", new byte[3]);
        await store.PutAsync("m.tar.gz", new byte[4]);
        var past = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        Assert.That(past.Past.Select(each => (each.Length, each.IsReadable)), Is.EqualTo(new[] { (3L, true), (2L, true), (1L, false) }));
        Assert.That(past.WhyNotKept, Is.Null);
    }
}

/// <summary>Sets buckets of the emulator up as their owner does.</summary>
internal static class GcsBuckets
{
    public static async Task<string> NewAsync(string settings)
    {
        var bucket = GcsServers.NewBucket();
        await SendAsync(HttpMethod.Post, "/storage/v1/b?project=fake-project", $"{{\"name\":\"{bucket}\"{(settings == "{}" ? "" : ",")}{settings[1..]}");
        return bucket;
    }

    public static Task ChangeAsync(string bucket, string settings) => SendAsync(HttpMethod.Patch, $"/storage/v1/b/{bucket}", settings);

    /// <summary>Other emulators may know versions only.</summary>
    public static async Task RequireSoftDeleteAsync()
    {
        var answer = await SendAsync(HttpMethod.Get, $"/storage/v1/b/{await NewAsync("{}")}", null);
        if (!answer.Contains("softDeletePolicy", StringComparison.Ordinal))
        {
            Assert.Ignore("this emulator knows no soft delete");
        }
    }

    private static async Task<string> SendAsync(HttpMethod method, string target, string? json)
    {
        var emulator = await GcsServers.EmulatorAsync();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(method, (emulator.Contains("://", StringComparison.Ordinal) ? emulator : "http://" + emulator) + target);
        if (json is not null)
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }

        using var response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }
}
