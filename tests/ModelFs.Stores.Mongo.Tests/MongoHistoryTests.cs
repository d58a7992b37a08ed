using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>The contract with models that no document can hold, and what is particular to documents.</summary>
[TestFixture]
internal sealed class MongoHistoryTests : ObjectHistoryContract
{
    private const string Key = "bert.tar.gz";
    private static readonly byte[] s_other = SampleModel.Pack([new("metadata.json", "{\"a\" :1}"u8.ToArray()), new("other", [9])]);
    private static readonly byte[] s_unfit = SampleModel.Pack([new("metadata.json", "{oops}"u8.ToArray())]);

    private string _database = "";

    protected override Task<IModelStore> CreateEmptyStoreAsync()
    {
        _database = MongoServer.NewDatabase();
        return Task.FromResult(StoreThatKeeps(3));
    }

    [Test]
    public async Task Documents_and_archives_have_one_past_and_come_back_as_they_were()
    {
        await Store.PutAsync(Key, SampleModel.Pack());
        await Store.PutAsync(Key, s_unfit);
        await Store.PutAsync(Key, s_other);
        var past = await PastOfAsync(Key);
        Assert.That(await GetAsync(past.Past[0]), Is.EqualTo(s_unfit));
        AssertIsSample(await GetAsync(past.Past[1]));

        AssertIsSample(await Store.GetAsync(await RestoreAsync(past, past.Past[1])));
        Assert.That(await DocumentsAsync(), Is.EqualTo(1), "it is a document again");
        past = await PastOfAsync(Key);
        Assert.That(past.Past, Has.Count.EqualTo(2), "what is current again is no past");
        Assert.That(await Store.GetAsync(await RestoreAsync(past, past.Past[1])), Is.EqualTo(s_unfit));
        Assert.That(await DocumentsAsync(), Is.Zero);
    }

    [Test]
    public async Task What_another_program_stored_is_kept_too()
    {
        var url = new MongoUrl(_database);
        var models = new MongoClient(url).GetDatabase(url.DatabaseName).GetCollection<BsonDocument>("models");
        await models.InsertOneAsync(new BsonDocument { { "model_name", "bert" }, { "metadata.json", new BsonDocument("language", "en") } });
        await Store.PutAsync(Key, s_other);
        var past = await PastOfAsync(Key);
        Assert.That(SampleModel.Unpack(await GetAsync(past.Past.Single())).Keys, Is.EqualTo(new[] { "metadata.json" }));
        await RestoreAsync(past, past.Past[0]);
        var document = await models.Find(new BsonDocument()).SingleAsync();
        Assert.That(document["metadata.json"], Is.EqualTo(new BsonDocument("language", "en")));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task Only_the_newest_so_many_are_kept_and_the_rest_is_removed(int count)
    {
        await using var store = StoreThatKeeps(count);
        for (byte i = 1; i <= 5; i++)
        {
            await store.PutAsync(Key, i % 2 == 0 ? SampleModel.Pack([new("a", new byte[i])]) : new byte[i]);
        }

        var past = await store.History!.ListAsync(Key, CancellationToken.None);
        Assert.That(past.Past, Has.Count.EqualTo(count));
        Assert.That(past.WhyNotKept is null, Is.EqualTo(count > 0));
        Assert.That(await FilesAsync(), Is.EqualTo(count + 1), "the current archive and those that are kept");
    }

    [Test]
    public async Task A_restore_by_a_program_that_keeps_fewer_takes_nothing_else_away()
    {
        for (byte i = 1; i <= 4; i++)
        {
            await Store.PutAsync(Key, new byte[i]);
        }

        await using var store = StoreThatKeeps(1);
        var past = await store.History!.ListAsync(Key, CancellationToken.None);
        await store.History.RestoreAsync(past.Past[1], PublishCondition.Matches(past.Current!.Revision), CancellationToken.None);
        Assert.That((await PastOfAsync(Key)).Past.Select(each => each.Length), Is.EqualTo(new long[] { 4, 3, 1 }));
    }

    [Test]
    public async Task The_sweep_leaves_the_past_and_forgets_what_stayed_deleted_for_a_week()
    {
        await Store.PutAsync(Key, SampleModel.Pack());
        await Store.PutAsync(Key, s_other);
        await Store.PutAsync("gone.tar.gz", s_unfit);
        await Store.DeleteAsync("gone.tar.gz", null, CancellationToken.None);
        await SweepAsync(TimeSpan.FromDays(2));
        Assert.That(await GetAsync((await PastOfAsync("gone.tar.gz")).Past.Single()), Is.EqualTo(s_unfit));
        AssertIsSample(await GetAsync((await PastOfAsync(Key)).Past.Single()));

        await SweepAsync(TimeSpan.FromDays(8));
        Assert.That((await PastOfAsync("gone.tar.gz")).Past, Is.Empty);
        AssertIsSample(await GetAsync((await PastOfAsync(Key)).Past.Single()));
        Assert.That(await FilesAsync(), Is.EqualTo(1));
    }

    private static void AssertIsSample(byte[] archive)
    {
        var files = SampleModel.Unpack(archive);
        Assert.That(files.ToDictionary(file => file.Key, file => file.Value.Bytes), Is.EquivalentTo(SampleModel.Files));
        Assert.That(files.Values.Select(file => file.Modified), Is.All.EqualTo(SampleModel.Time));
    }

    private async Task SweepAsync(TimeSpan later)
    {
        await using var store = MongoStores.At(_database, new StoreOptions { TimeProvider = new FakeTimeProvider(DateTimeOffset.UtcNow + later) });
        await store.OpenAsync(CancellationToken.None);
    }

    private Task<long> DocumentsAsync() => CountAsync("models");

    private Task<long> FilesAsync() => CountAsync("models.modelfs.files");

    private async Task<long> CountAsync(string collection)
    {
        var url = new MongoUrl(_database);
        return (await new MongoClient(url).GetDatabase(url.DatabaseName).GetCollection<BsonDocument>(collection).Find(new BsonDocument()).ToListAsync()).Count;
    }

    private IModelStore StoreThatKeeps(int count) => MongoStores.At(_database, new StoreOptions { KeepRevisions = count });
}
