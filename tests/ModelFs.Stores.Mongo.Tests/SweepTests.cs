using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>What publishers left behind that died before anything referred to it.</summary>
[TestFixture]
internal sealed class SweepTests
{
    [Test]
    public async Task Leftovers_are_removed_after_a_day_and_nothing_that_is_in_use()
    {
        var database = MongoServer.NewDatabase();
        var url = new MongoUrl(database);
        var bookkeeping = new MongoClient(url).GetDatabase(url.DatabaseName);
        await using (var store = MongoStores.At(database))
        {
            await store.PutAsync("document.tar.gz", SampleModel.Pack());
            await store.PutAsync("archive.tar.gz", [1, 2, 3]);
        }

        var lost = ObjectId.GenerateNewId();
        await bookkeeping.GetCollection<BsonDocument>("models.modelfs.files").InsertOneAsync(new BsonDocument("_id", lost));
        await bookkeeping.GetCollection<BsonDocument>("models.modelfs.chunks").InsertOneAsync(new BsonDocument { { "files_id", lost }, { "n", 0 } });
        await bookkeeping.GetCollection<BsonDocument>("models.modelfs.kept").InsertOneAsync(new BsonDocument("_id", $"{lost}.0"));

        Assert.That(await SweepAsync(TimeSpan.Zero), Is.EqualTo(new[] { 2, 2, 2 }));
        Assert.That(await SweepAsync(TimeSpan.FromHours(25)), Is.EqualTo(new[] { 1, 1, 1 }));
        await using var reader = MongoStores.At(database);
        foreach (var found in await reader.AllAsync())
        {
            Assert.That(await reader.GetAsync(found), Has.Length.EqualTo(found.Length));
        }

        async Task<int[]> SweepAsync(TimeSpan later)
        {
            await using var store = MongoStores.At(database, new StoreOptions { TimeProvider = new FakeTimeProvider(DateTimeOffset.UtcNow + later) });
            await store.OpenAsync(CancellationToken.None);
            var counts = new List<int>();
            foreach (var name in new[] { "files", "chunks", "kept" })
            {
                counts.Add((await bookkeeping.GetCollection<BsonDocument>("models.modelfs." + name).Find(new BsonDocument()).ToListAsync()).Count);
            }

            return [.. counts];
        }
    }
}
