using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>Publishers that die between any two of their calls: a reader sees the old model or the new one, whole and once, and the next publish repairs the rest.</summary>
[TestFixture]
internal sealed class CrashTests
{
    private const string Key = "bert.tar.gz";
    private static readonly byte[] s_document = SampleModel.Pack();
    private static readonly byte[] s_otherDocument = SampleModel.Pack([new("metadata.json", "{\"a\" :1}"u8.ToArray()), new("other", [9])]);
    private static readonly byte[] s_archive = SampleModel.Pack([new("metadata.json", "{oops}"u8.ToArray())]);
    private static readonly byte[] s_otherArchive = SampleModel.Pack([new("metadata.json", "{oops again}"u8.ToArray())]);

    private static IEnumerable<TestCaseData> Changes()
    {
        yield return new TestCaseData(s_document, s_otherDocument).SetArgDisplayNames("document to document");
        yield return new TestCaseData(s_document, s_archive).SetArgDisplayNames("document to archive");
        yield return new TestCaseData(s_archive, s_document).SetArgDisplayNames("archive to document");
        yield return new TestCaseData(s_archive, s_otherArchive).SetArgDisplayNames("archive to archive");
        yield return new TestCaseData(s_document, null).SetArgDisplayNames("document to nothing");
        yield return new TestCaseData(s_archive, null).SetArgDisplayNames("archive to nothing");
        yield return new TestCaseData(null, s_document).SetArgDisplayNames("nothing to document");
        yield return new TestCaseData(null, s_archive).SetArgDisplayNames("nothing to archive");
    }

    [TestCaseSource(nameof(Changes))]
    public async Task A_publisher_that_dies_after_any_of_its_calls_leaves_the_old_model_or_the_new_one(byte[]? before, byte[]? after)
    {
        var sawOld = false;
        for (var callsMax = 0; ; callsMax++)
        {
            var database = MongoServer.NewDatabase();
            await using var store = MongoStores.At(database, Impatient);
            if (before is not null)
            {
                await store.PutAsync(Key, before);
            }

            var (isAcknowledged, hasDied) = await DieAfterAsync(database, callsMax, after);
            var shown = await ShownAsync(store);
            var isOld = Same(shown, before);
            Assert.That(isOld || Same(shown, after), Is.True, $"after {callsMax} calls");
            Assert.That(isAcknowledged && isOld, Is.False, $"what was acknowledged after {callsMax} calls must be there");
            sawOld |= isOld;
            await AssertPastHoldsAsync(store, isOld ? null : before);

            await store.PutAsync(Key, s_otherDocument);
            Assert.That(Same(await ShownAsync(store), s_otherDocument), Is.True, $"repaired after {callsMax} calls");
            Assert.That(await CountAsync(database, "models"), Is.EqualTo(1), $"repaired after {callsMax} calls");
            if (!hasDied)
            {
                Assert.That(sawOld, Is.True, "the first calls change nothing");
                Assert.That(callsMax, Is.GreaterThan(4), "the publisher was interrupted at several places");
                return;
            }
        }
    }

    /// <summary>What was replaced or deleted is kept, whole, from the moment on at which it is not current any more.</summary>
    private static async Task AssertPastHoldsAsync(IModelStore store, byte[]? replaced)
    {
        var past = (await store.History!.ListAsync(Key, CancellationToken.None)).Past;
        Assert.That(past, Has.Count.EqualTo(replaced is null ? 0 : 1));
        foreach (var each in past)
        {
            await using var stream = await store.History.ReadAsync(each, 0, each.Length, CancellationToken.None);
            Assert.That(Same(Describe(await StoreConversations.DrainAsync(stream)), replaced), Is.True, "the past holds what was replaced");
        }
    }

    /// <summary>Takes over from a writer that died without waiting for as long as it takes outside of tests.</summary>
    private static StoreOptions Impatient => new() { TimeProvider = new FastClock() };

    /// <summary>Publishes or deletes through a relay that breaks every connection behind that many writing calls.</summary>
    private static async Task<(bool IsAcknowledged, bool HasDied)> DieAfterAsync(string database, int callsMax, byte[]? after)
    {
        var url = new MongoUrl(database);
        if (url.UseTls || url.Username is not null)
        {
            Assert.Ignore("the relay can't tell the calls to a server with TLS or authentication");
        }

        using var relay = new BreakingRelay(url.Server.Host, url.Server.Port, callsMax);
        await using var store = MongoStores.At($"mongodb://127.0.0.1:{relay.Port}/{url.DatabaseName}?directConnection=true&retryWrites=false&retryReads=false", new StoreOptions());
        try
        {
            if (after is null)
            {
                await store.DeleteAsync(Key, null, CancellationToken.None);
            }
            else
            {
                await store.PutAsync(Key, after);
            }

            return (true, relay.HasBroken);
        }
        catch (StoreException)
        {
            Assert.That(relay.HasBroken, Is.True, "nothing but the relay fails");
            return (false, true);
        }
    }

    /// <summary>The files of the one model that is listed; null when none is.</summary>
    private static async Task<string?> ShownAsync(IModelStore store)
    {
        var all = await store.AllAsync();
        Assert.That(all, Has.Count.LessThanOrEqualTo(1));
        return all.Count == 0 ? null : Describe(await store.GetAsync(all[0]));
    }

    private static bool Same(string? shown, byte[]? archive) => shown == (archive is null ? null : Describe(archive));

    private static string Describe(byte[] archive) => string.Join('\n', SampleModel.Unpack(archive).OrderBy(file => file.Key, StringComparer.Ordinal)
        .Select(file => $"{file.Key} {Convert.ToHexString(file.Value.Bytes)} {file.Value.Mode} {file.Value.Modified:O}"));

    private static async Task<int> CountAsync(string database, string collection)
    {
        var url = new MongoUrl(database);
        return (await new MongoClient(url).GetDatabase(url.DatabaseName).GetCollection<BsonDocument>(collection).Find(new BsonDocument()).ToListAsync()).Count;
    }

    /// <summary>Measures a thousandth of a second as one, but lets timers run as they do.</summary>
    private sealed class FastClock : TimeProvider
    {
        public override long GetTimestamp() => base.GetTimestamp() * 1000;
    }
}
