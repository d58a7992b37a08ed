namespace ModelFs.Stores.Gcs.Tests;

/// <summary>Big and many objects, and races, on the emulator.</summary>
[TestFixture]
internal sealed class GcsTransferTests
{
    private const int MiB = 1 << 20;

    [Test]
    public async Task An_archive_goes_up_in_chunks_and_comes_back_in_ranges()
    {
        await using var store = await OpenedAsync(options => options with { SingleUploadBytesMax = MiB, UploadPartBytes = 8 * MiB });
        var bytes = BytesContent.Random((40 * MiB) + 12_345, seed: 31);
        var published = await store.PutAsync("big.tar.gz", bytes, PublishCondition.Absent);

        Assert.That(published.Length, Is.EqualTo(bytes.Length));
        Assert.That(await store.StatAsync("big.tar.gz", CancellationToken.None), Is.EqualTo(published));
        await using var reader = new ParallelRangeReader(store, published, new ParallelReadOptions(), null, CancellationToken.None);
        Assert.That((await StoreConversations.DrainAsync(reader)).AsSpan().SequenceEqual(bytes), Is.True);
        Assert.That((await store.GetAsync(published)).AsSpan().SequenceEqual(bytes), Is.True, "the whole, with its checksum");
    }

    [Test]
    public async Task Uploads_in_chunks_keep_conditions()
    {
        await using var store = await OpenedAsync(options => options with { SingleUploadBytesMax = MiB, UploadPartBytes = MiB });
        var first = await store.PutAsync("m.tar.gz", BytesContent.Random(3 * MiB, seed: 32), PublishCondition.Absent);
        Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m.tar.gz", new byte[3 * MiB], PublishCondition.Absent)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        var second = await store.PutAsync("m.tar.gz", BytesContent.Random(4 * MiB, seed: 33), PublishCondition.Matches(first.Revision));
        Assert.That(await StoreConversations.FailureKindOf(() => store.PutAsync("m.tar.gz", new byte[3 * MiB], PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(second));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Of_8_who_replace_one_generation_exactly_one_wins(bool inChunks)
    {
        await using var store = await OpenedAsync(options => options with { SingleUploadBytesMax = inChunks ? 0 : MiB });
        var first = await store.PutAsync("race.tar.gz", [0]);
        var racers = Enumerable.Range(1, 8).Select(i => Task.Run(async () =>
        {
            try
            {
                return await store.PutAsync("race.tar.gz", [(byte)i], PublishCondition.Matches(first.Revision));
            }
            catch (StoreException refused) when (refused.Kind == StoreErrorKind.PreconditionFailed)
            {
                return null;
            }
        }));
        var winner = (await Task.WhenAll(racers)).Single(published => published is not null);
        Assert.That(await store.StatAsync("race.tar.gz", CancellationToken.None), Is.EqualTo(winner));
    }

    [Test]
    public async Task Of_a_delete_and_a_replacement_of_one_generation_one_is_refused()
    {
        await using var store = await OpenedAsync();
        var first = await store.PutAsync("m.tar.gz", [1]);
        var second = await store.PutAsync("m.tar.gz", [2], PublishCondition.Matches(first.Revision));
        Assert.That(await StoreConversations.FailureKindOf(() => store.DeleteAsync("m.tar.gz", first.Revision, CancellationToken.None)), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        await store.DeleteAsync("m.tar.gz", second.Revision, CancellationToken.None);
        await store.DeleteAsync("m.tar.gz", second.Revision, CancellationToken.None);
        Assert.That(await store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_parallel_download_whose_object_is_replaced_meanwhile_is_refused()
    {
        await using var store = await OpenedAsync();
        var first = await store.PutAsync("m.tar.gz", BytesContent.Random(16 * MiB, seed: 34));
        await using var reader = new ParallelRangeReader(store, first, new ParallelReadOptions { PartBytes = MiB, InFlightBytesMax = 2 * MiB }, null, CancellationToken.None);
        await reader.ReadExactlyAsync(new byte[1000]);
        await store.PutAsync("m.tar.gz", BytesContent.Random(16 * MiB, seed: 35));
        Assert.That(await StoreConversations.FailureKindOf(() => StoreConversations.DrainAsync(reader)), Is.EqualTo(StoreErrorKind.RevisionChanged));
    }

    [Test]
    public async Task A_listing_of_2500_models_over_several_pages_has_each_once()
    {
        await using var store = await OpenedAsync();
        var keys = Enumerable.Range(0, 2500).Select(i => $"model-{i:D4}.tar.gz").ToArray();
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (key, _) => await store.PutAsync(key, [1]));
        Assert.That((await store.AllAsync()).Select(o => o.Key), Is.EquivalentTo(keys));
    }

    [Test]
    public async Task A_bucket_that_is_gone_is_not_taken_for_deleted_models()
    {
        if (Environment.GetEnvironmentVariable("STORAGE_EMULATOR_HOST") is { Length: > 0 })
        {
            Assert.Ignore("emulators other than the fake do not all tell a missing bucket from a missing object");
        }

        await using var store = await GcsServers.OnEmulatorAsync();
        foreach (var call in new Func<Task>[] { () => store.StatAsync("m", CancellationToken.None), () => store.DeleteAsync("m", null, CancellationToken.None), () => store.PutAsync("m", [1]) })
        {
            var failure = await StoreConversations.FailureOf(call);
            Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.NotFound));
            Assert.That(failure.Message, Does.Contain("there is no bucket"));
        }
    }

    [Test]
    public void The_checksum_is_that_of_the_standard()
    {
        Assert.That(ChecksumOf("123456789"u8), Is.EqualTo(0xE3069283));
        Assert.That(ChecksumOf(new byte[32]), Is.EqualTo(0x8A9136AA));
        Assert.That(ChecksumOf([]), Is.Zero);
        var crc = default(Crc32C);
        crc.Append("12345"u8);
        crc.Append("6789"u8);
        Assert.That(crc.Base64, Is.EqualTo("4waSgw=="));
    }

    [Test]
    public void Checksums_of_parts_are_put_together([Values(0, 1, 4, 5, 1000, 300_001)] int first, [Values(1, 3, 8, 65536, 100_003)] int second)
    {
        var bytes = BytesContent.Random(first + second, seed: 36);
        Crc32C before = default, after = default, whole = default;
        before.Append(bytes.AsSpan(0, first));
        after.Append(bytes.AsSpan(first));
        whole.Append(bytes);
        Assert.That(before.FollowedBy(after, second).Value, Is.EqualTo(whole.Value));
    }

    [Test]
    public async Task Damage_in_one_of_many_ranges_is_found_by_the_checksum_of_the_object()
    {
        await using var server = await GcsFake.GcsFakeServer.StartAsync(new GcsFake.GcsFakeOptions());
        await using var store = GcsServers.On(server.Endpoint);
        await store.OpenAsync(CancellationToken.None);
        var bytes = BytesContent.Random(16 * MiB, seed: 37);
        var stored = await store.PutAsync("m.tar.gz", bytes);
        Assert.That(await DownloadAsync(store, stored), Is.EqualTo(bytes));

        server.Faults.Add(request => request.Headers.Range.ToString().Contains("=5242880-", StringComparison.Ordinal), GcsFake.GcsFault.Corrupt);
        var failure = await StoreConversations.FailureOf(() => DownloadAsync(store, stored));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Rejected));
        Assert.That(failure.Message, Does.Contain("checksum"));
        Assert.That(await DownloadAsync(store, stored), Is.EqualTo(bytes), "the next attempt is judged by itself");
    }

    [Test]
    public async Task Ranges_that_broke_off_or_overlap_disturb_no_later_check()
    {
        await using var store = await OpenedAsync();
        var bytes = BytesContent.Random(MiB, seed: 38);
        var stored = await store.PutAsync("m.tar.gz", bytes);
        await using (var broken = await store.ReadAsync(stored, 0, MiB, CancellationToken.None))
        {
            await broken.ReadExactlyAsync(new byte[1000]);
        }

        Assert.That(await store.GetAsync(stored, 900, 200), Is.EqualTo(bytes[900..1100]));
        Assert.That(await store.GetAsync(stored, MiB - 5, 5), Is.EqualTo(bytes[(MiB - 5)..]));
        Assert.That(await store.GetAsync(stored), Is.EqualTo(bytes));
    }

    private static async Task<byte[]> DownloadAsync(IModelStore store, StoredObject stored)
    {
        await using var reader = new ParallelRangeReader(store, stored, new ParallelReadOptions { PartBytes = MiB, InFlightBytesMax = 4 * MiB }, null, CancellationToken.None);
        return await StoreConversations.DrainAsync(reader);
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        var crc = default(Crc32C);
        crc.Append(bytes);
        return crc.Value;
    }

    private static async Task<IModelStore> OpenedAsync(Func<StoreOptions, StoreOptions>? with = null)
    {
        var store = await GcsServers.OnEmulatorAsync(with: with);
        await store.OpenAsync(CancellationToken.None);
        return store;
    }
}
