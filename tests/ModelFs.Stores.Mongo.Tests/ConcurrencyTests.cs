namespace ModelFs.Stores.Mongo.Tests;

/// <summary>Several ModelFs programs on one database.</summary>
[TestFixture]
internal sealed class ConcurrencyTests
{
    private const string Key = "race.tar.gz";

    private static byte[] Version(int number, bool isArchive) =>
        SampleModel.Pack([new("number", [(byte)number]), new("metadata.json", isArchive ? "{oops}"u8.ToArray() : "{\"a\":  1}"u8.ToArray())]);

    [TestCase(false)]
    [TestCase(true)]
    public async Task Of_many_programs_that_create_one_model_one_wins(bool isArchive)
    {
        var database = MongoServer.NewDatabase();
        var won = await RaceAsync(database, 8, i => Version(i, isArchive), PublishCondition.Absent);
        await using var store = MongoStores.At(database);
        Assert.That(won, Has.Count.EqualTo(1));
        Assert.That(SampleModel.Unpack(await store.GetAsync((await store.AllAsync()).Single()))["number"].Bytes, Is.EqualTo(new[] { (byte)won[0] }));
    }

    [Test]
    public async Task Of_many_programs_that_replace_one_revision_one_wins_whatever_the_shapes()
    {
        var database = MongoServer.NewDatabase();
        await using var store = MongoStores.At(database);
        for (var round = 0; round < 4; round++)
        {
            var current = await store.PutAsync(Key, Version(100 + round, round % 2 == 0));
            var won = await RaceAsync(database, 6, i => Version(i, i % 2 == 0), PublishCondition.Matches(current.Revision));
            Assert.That(won, Has.Count.EqualTo(1));
            Assert.That(SampleModel.Unpack(await store.GetAsync((await store.AllAsync()).Single()))["number"].Bytes, Is.EqualTo(new[] { (byte)won[0] }));
        }
    }

    [Test]
    public async Task Readers_beside_a_publisher_of_changing_shapes_see_whole_models_and_never_none()
    {
        var database = MongoServer.NewDatabase();
        await using var store = MongoStores.At(database);
        await using var other = MongoStores.At(database);
        var versions = Enumerable.Range(0, 4).Select(i => Version(i, i >= 2)).ToArray();
        await store.PutAsync(Key, versions[0]);
        var publisher = Task.Run(async () =>
        {
            foreach (var i in (int[])[1, 2, 3, 0, 2, 1, 3, 2, 0])
            {
                await other.PutAsync(Key, versions[i]);
            }
        });
        var whole = 0;
        do
        {
            var listed = await store.AllAsync();
            Assert.That(listed, Has.Count.EqualTo(1));
            try
            {
                var files = SampleModel.Unpack(await store.GetAsync(listed[0]));
                var wanted = SampleModel.Unpack(versions[files["number"].Bytes[0]]);
                Assert.That(files["metadata.json"].Bytes, Is.EqualTo(wanted["metadata.json"].Bytes));
                Assert.That(files["metadata.json"].Modified, Is.EqualTo(SampleModel.Time));
                whole++;
            }
            catch (StoreException exception) when (exception.Kind == StoreErrorKind.RevisionChanged)
            {
                continue;
            }
        }
        while (!publisher.IsCompleted || whole == 0);
        await publisher;
    }

    [Test]
    public async Task A_publish_whose_answer_was_lost_succeeds_when_it_is_repeated()
    {
        await using var store = MongoStores.New();
        var first = await store.PutAsync(Key, Version(1, isArchive: false));
        var second = await store.PutAsync(Key, Version(2, isArchive: false), PublishCondition.Matches(first.Revision));
        Assert.That(await store.PutAsync(Key, Version(2, isArchive: false), PublishCondition.Matches(first.Revision)), Is.EqualTo(second));
    }

    private static async Task<List<int>> RaceAsync(string database, int count, Func<int, byte[]> archive, PublishCondition condition)
    {
        var racers = Enumerable.Range(0, count).Select(i => Task.Run(async () =>
        {
            await using var store = MongoStores.At(database);
            try
            {
                await store.PutAsync(Key, archive(i), condition);
                return i;
            }
            catch (StoreException exception) when (exception.Kind == StoreErrorKind.PreconditionFailed)
            {
                return -1;
            }
        }));
        return [.. (await Task.WhenAll(racers)).Where(i => i >= 0)];
    }
}
