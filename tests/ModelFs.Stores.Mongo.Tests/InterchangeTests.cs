using System.Text;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>What the original class saves is read here, and what is published here the original class fetches.</summary>
[TestFixture]
internal sealed class InterchangeTests
{
    private const string Key = "model_20161111-180000.tar.gz";
    private const string Name = "model_20161111-180000";

    private string _database = "";
    private IModelStore _store = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _database = MongoServer.NewDatabase();
        _store = MongoStores.At(_database);
        _folder = new TemporaryFolder();
        await _store.OpenAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task CloseAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task What_the_original_class_saved_reads_as_the_original_class_fetches_it()
    {
        SampleModel.WriteTo(_folder.Path + "/in", SampleModel.Files);
        Python.Run([], "save", _database, "models", Name, _folder.Path + "/in");
        Directory.CreateDirectory(_folder.Path + "/out");
        Python.Run([], "fetch", _database, "models", Name, _folder.Path + "/out");

        var listed = (await _store.AllAsync()).Single();
        var read = SampleModel.Unpack(await _store.GetAsync(listed));

        Assert.That(listed.Key, Is.EqualTo(Key));
        Assert.That(await _store.StatAsync(Key, CancellationToken.None), Is.EqualTo(listed));
        Assert.That(read.Keys, Is.EquivalentTo(SampleModel.Files.Keys));
        foreach (var (path, file) in read)
        {
            Assert.That(file.Bytes, Is.EqualTo(File.ReadAllBytes(_folder.Path + "/out/" + path)), path);
        }

        Assert.That(Encoding.ASCII.GetString(read["metadata.json"].Bytes), Is.EqualTo("""{"language": "de", "gr\u00f6\u00dfe": 1.5, "pipeline": ["a", "b"]}"""));
    }

    [Test]
    public async Task What_is_published_the_original_class_fetches()
    {
        await _store.PutAsync(Key, SampleModel.Pack());
        Directory.CreateDirectory(_folder.Path + "/out");
        Python.Run([], "fetch", _database, "models", Name, _folder.Path + "/out");

        var fetched = Directory.EnumerateFiles(_folder.Path + "/out", "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_folder.Path + "/out", path));
        Assert.That(fetched, Is.EquivalentTo(SampleModel.Files.Keys));
        foreach (var (path, bytes) in SampleModel.Files)
        {
            var wanted = path.EndsWith(".json", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(Dumped(bytes)) : bytes;
            Assert.That(File.ReadAllBytes(_folder.Path + "/out/" + path), Is.EqualTo(wanted), path);
        }
    }

    [Test]
    public async Task A_published_document_holds_its_files_and_no_other_field()
    {
        await _store.PutAsync(Key, SampleModel.Pack());
        await _store.PutAsync(Key, SampleModel.Pack());
        var fields = Python.Run([], "fields", _database, "models", Name).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(fields, Is.EqualTo(new[] { "_id ObjectId -", "model_name str -", "intent_classifier.pkl bytes 0", "metadata.json dict -", "ner/config.json list -", "ner/model bytes 0" }));
    }

    [Test]
    public async Task A_published_model_reads_back_byte_for_byte_with_modes_and_times()
    {
        var published = await _store.PutAsync(Key, SampleModel.Pack());
        var read = SampleModel.Unpack(await _store.GetAsync(published));

        Assert.That(await _store.StatAsync(Key, CancellationToken.None), Is.EqualTo(published));
        Assert.That((await _store.AllAsync()).Single(), Is.EqualTo(published));
        Assert.That((await _store.AllAsync()).Single(), Is.EqualTo(published), "from the note of the first listing");
        Assert.That(read.Keys, Is.EquivalentTo(SampleModel.Files.Keys));
        foreach (var (path, bytes) in SampleModel.Files)
        {
            Assert.That(read[path].Bytes, Is.EqualTo(bytes), path);
            Assert.That(read[path].Modified, Is.EqualTo(SampleModel.Time), path);
        }

        Assert.That(read["intent_classifier.pkl"].Mode, Is.EqualTo(0x180));
        Assert.That(read["metadata.json"].Mode, Is.EqualTo(0x1a4));
    }

    [TestCase("./")]
    [TestCase("")]
    [TestCase(Name + "/")]
    public async Task Every_layout_of_an_archive_becomes_the_same_document(string prefix)
    {
        var published = await _store.PutAsync(Key, SampleModel.Pack(SampleModel.Files, prefix));
        Assert.That(SampleModel.Unpack(await _store.GetAsync(published)).Keys, Is.EquivalentTo(SampleModel.Files.Keys));
    }

    [Test]
    public async Task Another_process_renders_the_same_archive()
    {
        var published = await _store.PutAsync(Key, SampleModel.Pack());
        await using var other = MongoStores.At(_database);
        Assert.That(await other.StatAsync(Key, CancellationToken.None), Is.EqualTo(published));
        Assert.That(await other.GetAsync(published), Is.EqualTo(await _store.GetAsync(published)));
    }

    [Test]
    public async Task A_change_of_nothing_but_the_spelling_of_JSON_is_a_change()
    {
        var files = SampleModel.Files;
        var first = await _store.PutAsync(Key, SampleModel.Pack(files));
        files["metadata.json"] = "{\"language\":\"de\",\"größe\":1.5,\"pipeline\":[\"a\",\"b\"]}"u8.ToArray();
        var second = await _store.PutAsync(Key, SampleModel.Pack(files), PublishCondition.Matches(first.Revision));

        Assert.That(second.Revision, Is.Not.EqualTo(first.Revision));
        Assert.That(SampleModel.Unpack(await _store.GetAsync(second))["metadata.json"].Bytes, Is.EqualTo(files["metadata.json"]));
    }

    [Test]
    public async Task A_foreign_change_of_the_document_is_a_new_revision_and_keeps_what_it_left_alone()
    {
        var first = await _store.PutAsync(Key, SampleModel.Pack());
        await _store.AllAsync();
        var models = Collection();
        var document = await models.Find(new BsonDocument("model_name", Name)).SingleAsync();
        document["ner/config.json"] = new BsonArray { 1, 3.0, BsonNull.Value };
        await models.ReplaceOneAsync(new BsonDocument("_id", document["_id"]), document);

        var listed = (await _store.AllAsync()).Single();
        var read = SampleModel.Unpack(await _store.GetAsync(listed));
        Assert.That(listed.Revision, Is.Not.EqualTo(first.Revision));
        Assert.That(await StoreConversations.FailureKindOf(() => _store.GetAsync(first)), Is.EqualTo(StoreErrorKind.RevisionChanged));
        Assert.That(Encoding.ASCII.GetString(read["ner/config.json"].Bytes), Is.EqualTo("[1, 3.0, null]"));
        Assert.That(read["metadata.json"].Bytes, Is.EqualTo(SampleModel.Files["metadata.json"]));
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync(Key, SampleModel.Pack([new("x", [1])]), PublishCondition.Matches(first.Revision))), Is.EqualTo(StoreErrorKind.PreconditionFailed));
    }

    [Test]
    public async Task Of_several_documents_of_one_name_the_first_is_read_and_replaced_and_the_others_stay()
    {
        foreach (var text in new[] { "first", "second" })
        {
            SampleModel.WriteTo(_folder.Path + "/" + text, new() { ["which"] = Encoding.UTF8.GetBytes(text) });
            Python.Run([], "save", _database, "models", Name, _folder.Path + "/" + text);
        }

        var logger = new CollectingLogger();
        await using var store = MongoStores.At(_database, new StoreOptions { LoggerFactory = logger });
        var listed = (await store.AllAsync()).Single();
        await store.AllAsync();
        Assert.That(SampleModel.Unpack(await store.GetAsync(listed))["which"].Bytes, Is.EqualTo("first"u8.ToArray()));
        Assert.That(logger.Messages.Count(message => message.Contains("2 documents", StringComparison.Ordinal)), Is.EqualTo(1));

        await store.PutAsync(Key, SampleModel.Pack([new("which", "third"u8.ToArray())]), PublishCondition.Matches(listed.Revision));
        var documents = await Collection().Find(new BsonDocument("model_name", Name)).ToListAsync();
        Assert.That(documents.Select(document => Encoding.UTF8.GetString(document["which"].AsByteArray)), Is.EqualTo(new[] { "third", "second" }));

        await store.DeleteAsync(Key, null, CancellationToken.None);
        Assert.That(await store.StatAsync(Key, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_project_model_is_found_by_its_model_name()
    {
        SampleModel.WriteTo(_folder.Path + "/in", SampleModel.Files);
        Python.Run([], "save", _database, "models", "default___" + Name, _folder.Path + "/in");
        Assert.That((await _store.AllAsync()).Single().Key, Is.EqualTo("default___" + Key));
    }

    private IMongoCollection<BsonDocument> Collection()
    {
        var url = new MongoUrl(_database);
        return new MongoClient(url).GetDatabase(url.DatabaseName).GetCollection<BsonDocument>("models");
    }

    private static string Dumped(byte[] json)
    {
        var line = Encoding.UTF8.GetString(json).Replace("\n", " ", StringComparison.Ordinal);
        return Python.Run(Encoding.UTF8.GetBytes(line + "\n"), "dumps").TrimEnd('\n');
    }
}
