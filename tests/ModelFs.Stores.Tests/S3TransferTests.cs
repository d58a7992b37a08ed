namespace ModelFs.Stores.Tests;

/// <summary>Big and many objects on the real server.</summary>
[TestFixture]
internal sealed class S3TransferTests
{
    private const int MiB = 1 << 20;

    [Test]
    public async Task An_archive_of_200_MiB_goes_up_in_parts_and_comes_back_in_ranges()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        var bytes = BytesContent.Random(200 * MiB, seed: 31);
        var published = await store.PutAsync("big.tar.gz", bytes);

        Assert.That(published.Length, Is.EqualTo(bytes.Length));
        Assert.That(published.Revision.Value, Does.EndWith("-13"), "an ETag of 13 parts");
        Assert.That(await store.StatAsync("big.tar.gz", CancellationToken.None), Is.EqualTo(published));
        await using var reader = new ParallelRangeReader(store, published, new ParallelReadOptions(), null, CancellationToken.None);
        Assert.That((await StoreConversations.DrainAsync(reader)).AsSpan().SequenceEqual(bytes), Is.True);
    }

    [Test]
    public async Task Large_uploads_keep_conditions()
    {
        await using var store = S3Stores.New(new StoreOptions { Environment = CephServer.Owner, SingleUploadBytesMax = MiB, UploadPartBytes = 5 * MiB });
        await store.OpenAsync(CancellationToken.None);
        var first = await store.PutAsync("m.tar.gz", BytesContent.Random(11 * MiB, seed: 32), PublishCondition.Absent);
        Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m.tar.gz", new byte[11 * MiB], PublishCondition.Absent)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        var second = await store.PutAsync("m.tar.gz", BytesContent.Random(12 * MiB, seed: 33), PublishCondition.Matches(first.Revision));
        Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m.tar.gz", new byte[11 * MiB], PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(second));
    }

    [Test]
    public async Task A_parallel_download_whose_object_is_replaced_meanwhile_is_refused()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        var first = await store.PutAsync("m.tar.gz", BytesContent.Random(32 * MiB, seed: 34));
        await using var reader = new ParallelRangeReader(store, first, new ParallelReadOptions { PartBytes = MiB, InFlightBytesMax = 2 * MiB }, null, CancellationToken.None);
        await reader.ReadExactlyAsync(new byte[1000]);
        await store.PutAsync("m.tar.gz", BytesContent.Random(32 * MiB, seed: 35));
        Assert.That(await StoreConversations.FailureKindOf(() => StoreConversations.DrainAsync(reader)), Is.EqualTo(StoreErrorKind.RevisionChanged));
    }

    [Test]
    public async Task A_listing_of_2500_models_over_several_pages_has_each_once()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        var keys = Enumerable.Range(0, 2500).Select(i => $"model-{i:D4}.tar.gz").ToArray();
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (key, _) => await store.PutAsync(key, [1]));
        Assert.That((await store.AllAsync()).Select(o => o.Key), Is.EquivalentTo(keys));
    }
}
