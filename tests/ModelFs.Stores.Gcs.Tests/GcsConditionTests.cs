using ModelFs.GcsFake;

namespace ModelFs.Stores.Gcs.Tests;

/// <summary>Which conditions a server keeps is found out by requests that it must refuse, unless it is Google's own.</summary>
internal sealed class GcsConditionTests
{
    private const int ChunkBytes = 256 * 1024;

    [Test]
    public async Task A_server_that_refuses_what_it_must_is_trusted_and_the_probe_leaves_nothing()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        await using var store = GcsServers.On(server.Endpoint);
        await store.OpenAsync(CancellationToken.None);
        Assert.That(store.Traits.CreateCondition, Is.EqualTo(ConditionSupport.Unproven), "a missing error proves nothing");
        await store.ProveConditionsAsync(CancellationToken.None);
        Assert.That(All(store.Traits), Is.All.EqualTo(ConditionSupport.Atomic));
        Assert.That(await store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task At_a_server_that_ignores_conditions_they_are_checked_before()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions { IgnoresConditions = true });
        await using var store = GcsServers.On(server.Endpoint, with: options => options with { SingleUploadBytesMax = ChunkBytes, UploadPartBytes = ChunkBytes });
        await store.OpenAsync(CancellationToken.None);
        var first = await store.PutAsync("m.tar.gz", [1], PublishCondition.Absent);
        Assert.That(All(store.Traits), Is.All.EqualTo(ConditionSupport.CheckedBefore));
        var second = await store.PutAsync("m.tar.gz", [2], PublishCondition.Matches(first.Revision));

        foreach (var size in new[] { 1, (3 * ChunkBytes) + 1 })
        {
            Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m.tar.gz", new byte[size], PublishCondition.Absent)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
            Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m.tar.gz", new byte[size], PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        }

        Assert.That(await StoreConversations.FailureKindOf(() => store.DeleteAsync("m.tar.gz", first.Revision, CancellationToken.None)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await store.GetAsync(second), Is.EqualTo(new byte[] { 2 }));
        await store.DeleteAsync("m.tar.gz", second.Revision, CancellationToken.None);
        Assert.That(await store.AllAsync(), Is.Empty);
    }

    [Test]
    public void Of_Google_s_own_service_its_documentation_is_taken_at_its_word()
    {
        var store = new GcsStoreFactory().Create(StoreUrl.Parse("gs://bucket?anonymous=true"), new StoreOptions { Environment = _ => null });
        Assert.That(All(store.Traits), Is.All.EqualTo(ConditionSupport.Atomic));
    }

    [Test]
    public async Task Who_may_read_but_not_list_finds_objects_by_their_keys()
    {
        await using var server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        await using var store = GcsServers.On(server.Endpoint);
        await store.OpenAsync(CancellationToken.None);
        var stored = await store.PutAsync("m.tar.gz", [1, 2, 3]);
        server.Faults.Add(_ => true, GcsFault.Answer(403, "forbidden"));
        Assert.That(await StoreConversations.FailureKindOf(() => store.AllAsync()), Is.EqualTo(StoreErrorKind.ListingDenied));
        Assert.That(await store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(stored));

        // So the service answers for what is not there.
        server.Faults.Add(_ => true, GcsFault.Answer(403, "forbidden"));
        Assert.That(await store.StatAsync("nobody.tar.gz", CancellationToken.None), Is.Null);
        server.Faults.Add(_ => true, GcsFault.Answer(401, "authError"), times: 2);
        Assert.That(await StoreConversations.FailureKindOf(() => store.StatAsync("m.tar.gz", CancellationToken.None)), Is.EqualTo(StoreErrorKind.AccessDenied));
    }

    private static ConditionSupport?[] All(StoreTraits traits) => [traits.CreateCondition, traits.ReplaceCondition, traits.DeleteCondition, traits.InPartsCondition];
}
