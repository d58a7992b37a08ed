using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>What a document can't hold is kept in GridFS under the same key, and a model is never shown twice.</summary>
[TestFixture]
internal sealed class ShapeTests
{
    private const string Key = "bert.tar.gz";

    private string _database = "";
    private IModelStore _store = null!;

    private static IEnumerable<TestCaseData> Unfit()
    {
        yield return Case("an integer beyond int64", Pack("metadata.json", "{\"n\": 9223372036854775808}"));
        yield return Case("JSON that is none", Pack("metadata.json", "{oops}"));
        yield return Case("a key twice", Pack("metadata.json", "{\"a\": 1, \"a\": 2}"));
        yield return Case("a name that starts with a dollar", Pack("$where", "x"));
        yield return Case("a name that the document has already", Pack("model_name", "x"));
        yield return Case("a document's id", Pack("_id", "x"));
        yield return Case("an empty folder", SampleModel.Pack(SampleModel.Files, "./", new PaxTarEntry(TarEntryType.Directory, "./empty/")));
        yield return Case("a symbolic link", SampleModel.Pack(SampleModel.Files, "./", new PaxTarEntry(TarEntryType.SymbolicLink, "./latest") { LinkName = "metadata.json" }));
        yield return Case("a file that is too big for one", SampleModel.Pack([new("weights", BytesContent.Random(16 << 20, seed: 12))]));
        yield return Case("files that are too big together", SampleModel.Pack([new("a", BytesContent.Random(9 << 20, seed: 13)), new("b", BytesContent.Random(9 << 20, seed: 14))]));
        yield return Case("a cut archive", SampleModel.Pack()[..^100]);
        foreach (var missing in (int[])[1, 4, 7, 8, 9])
        {
            yield return Case($"an archive that misses its last {missing} bytes", SampleModel.Pack()[..^missing]);
        }

        yield return Case("an archive with something behind it", [.. SampleModel.Pack(), 0, 0, 0, 0]);
        yield return Case("a flipped bit in the checksum", Flip(SampleModel.Pack(), 6));
        yield return Case("a path out of the model", Pack("../evil", "x"));
        yield return Case("no file", SampleModel.Pack([]));

        static TestCaseData Case(string what, byte[] archive) => new TestCaseData(archive).SetArgDisplayNames(what);
    }

    [SetUp]
    public async Task OpenAsync()
    {
        _database = MongoServer.NewDatabase();
        _store = MongoStores.At(_database);
        await _store.OpenAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task CloseAsync() => await _store.DisposeAsync();

    [TestCaseSource(nameof(Unfit))]
    public async Task What_no_document_can_hold_is_kept_in_GridFS_as_it_is(byte[] archive)
    {
        var published = await _store.PutAsync(Key, archive);
        Assert.That(published.Length, Is.EqualTo(archive.Length));
        Assert.That((await _store.GetAsync(published)).AsSpan().SequenceEqual(archive), Is.True);
        Assert.That(await Count("models"), Is.Zero);
        Assert.That(Python.RunForBytes([], "gridfs", _database, "models.modelfs", Key).AsSpan().SequenceEqual(archive), Is.True, "pymongo reads it as a GridFS file");
    }

    [Test]
    public async Task An_archive_of_several_gzip_members_is_read_to_its_end()
    {
        // What ModelFs packs: members cut at any place, and empty ones at the end that carry an index.
        var tar = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(SampleModel.Pack()), CompressionMode.Decompress))
        {
            gzip.CopyTo(tar);
        }

        using var packed = new MemoryStream();
        foreach (var part in tar.ToArray().Chunk(1000))
        {
            using var member = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true);
            member.Write(part);
        }

        packed.Write([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, (byte)'M', (byte)'F', 2, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        var published = await _store.PutAsync(Key, packed.ToArray());
        Assert.That(await Count("models"), Is.EqualTo(1));
        Assert.That(SampleModel.Unpack(await _store.GetAsync(published)).Keys, Is.EquivalentTo(SampleModel.Files.Keys));
    }

    [Test]
    public async Task A_model_that_just_fits_is_a_document()
    {
        var files = new Dictionary<string, byte[]> { ["weights"] = BytesContent.Random((15 << 20) - 1000, seed: 15), ["rest"] = BytesContent.Random(1 << 19, seed: 16) };
        var published = await _store.PutAsync(Key, SampleModel.Pack(files));
        Assert.That(await Count("models"), Is.EqualTo(1));
        var read = SampleModel.Unpack(await _store.GetAsync(published));
        Assert.That(read["weights"].Bytes.AsSpan().SequenceEqual(files["weights"]), Is.True);
        Assert.That(read["rest"].Bytes.AsSpan().SequenceEqual(files["rest"]), Is.True);
    }

    [Test]
    public async Task A_model_changes_its_shape_both_ways_and_leaves_nothing_behind()
    {
        await using var store = MongoStores.At(_database, new StoreOptions { KeepRevisions = 0 });
        var archive = Pack("metadata.json", "{oops}");
        var current = await store.PutAsync(Key, SampleModel.Pack());
        for (var i = 0; i < 2; i++)
        {
            current = await store.PutAsync(Key, archive, PublishCondition.Matches(current.Revision));
            Assert.That((await store.AllAsync()).Single(), Is.EqualTo(current));
            Assert.That(await store.GetAsync(current), Is.EqualTo(archive));
            Assert.That(await Counts(), Is.EqualTo(new[] { 0, 1, 0, 1, 1 }), "no document, a record, nothing kept, a GridFS file of one chunk");

            current = await store.PutAsync(Key, SampleModel.Pack(), PublishCondition.Matches(current.Revision));
            Assert.That((await store.AllAsync()).Single(), Is.EqualTo(current));
            Assert.That(SampleModel.Unpack(await store.GetAsync(current)).Keys, Is.EquivalentTo(SampleModel.Files.Keys));
            Assert.That(await Counts(), Is.EqualTo(new[] { 1, 1, 1, 0, 0 }), "a document, a record, a part of kept files, no GridFS file");
        }

        await store.DeleteAsync(Key, current.Revision, CancellationToken.None);
        Assert.That(await Counts(), Is.EqualTo(new[] { 0, 0, 0, 0, 0 }));
    }

    [Test]
    public async Task A_document_that_another_program_saves_beside_an_archive_is_the_model()
    {
        await _store.PutAsync(Key, Pack("metadata.json", "{oops}"));
        Python.Insert(_database, new BsonDocument { { "model_name", "bert" }, { "a", new BsonBinaryData([1]) } }.ToBson());
        var listed = (await _store.AllAsync()).Single();
        Assert.That(SampleModel.Unpack(await _store.GetAsync(listed)).Keys, Is.EqualTo(new[] { "a" }));
    }

    [TestCase("../../evil")]
    [TestCase("/etc/passwd")]
    [TestCase("a/../b")]
    [TestCase("a//b")]
    [TestCase("./a")]
    [TestCase("a/")]
    [TestCase("")]
    [TestCase("..")]
    public async Task A_field_that_is_no_path_inside_of_the_model_is_never_one(string field)
    {
        Python.Insert(_database, new BsonDocument { { "model_name", "bert" }, { "good", new BsonBinaryData([1]) }, { field, new BsonBinaryData([2]) } }.ToBson());
        await AssertUnreadable("can't be the path of a file");
    }

    [TestCase("note")]
    [TestCase("created")]
    [TestCase("metadata.json")]
    public async Task A_field_that_Rasa_could_not_write_as_a_file_is_named_in_the_error(string field)
    {
        BsonValue value = field switch { "note" => "text", "created" => new BsonDateTime(DateTime.UnixEpoch), _ => new BsonDocument("when", new BsonDateTime(DateTime.UnixEpoch)) };
        Python.Insert(_database, new BsonDocument { { "model_name", "bert" }, { field, value } }.ToBson());
        await AssertUnreadable($"the field '{field}'");
    }

    [Test]
    public async Task A_field_that_is_a_file_and_a_folder_is_refused()
    {
        Python.Insert(_database, new BsonDocument { { "model_name", "bert" }, { "a", new BsonBinaryData([1]) }, { "a/b", new BsonBinaryData([2]) } }.ToBson());
        await AssertUnreadable("'a'");
    }

    [Test]
    public async Task Documents_without_a_usable_model_name_are_no_models()
    {
        Python.Insert(_database, new BsonDocument("model_name", 7).ToBson());
        Python.Insert(_database, new BsonDocument("other", "x").ToBson());
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    private static byte[] Pack(string path, string text) => SampleModel.Pack([new(path, Encoding.UTF8.GetBytes(text))]);

    private static byte[] Flip(byte[] bytes, int fromEnd)
    {
        bytes[^fromEnd] ^= 1;
        return bytes;
    }

    private async Task AssertUnreadable(string reason)
    {
        var listed = (await _store.AllAsync()).Single();
        Assert.That(listed.Key, Is.EqualTo(Key));
        var failure = await StoreConversations.FailureOf(() => _store.GetAsync(listed));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Rejected));
        Assert.That(failure.Message, Does.Contain(reason));
    }

    private async Task<int[]> Counts() =>
        [await Count("models"), await Count("models.modelfs"), await Count("models.modelfs.kept"), await Count("models.modelfs.files"), await Count("models.modelfs.chunks")];

    private async Task<int> Count(string collection)
    {
        var url = new MongoUrl(_database);
        return (await new MongoClient(url).GetDatabase(url.DatabaseName).GetCollection<BsonDocument>(collection).Find(new BsonDocument()).Project(new BsonDocument("_id", 1)).ToListAsync()).Count;
    }
}
