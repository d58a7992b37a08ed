using System.Text;
using ModelFs.Cache.Hydration;

namespace ModelFs.Cache.Tests;

/// <summary>A change of an indexed archive is packed upon it: what did not change is taken from the store's own revision.</summary>
internal sealed class PackBaseTests
{
    private const string Key = "bert.tar.gz";

    /// <summary>Larger than what small files are packed together with.</summary>
    private static readonly string s_weights = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i * 7919:x8} "));

    [Test]
    public async Task The_second_publish_takes_over_what_the_first_one_sent()
    {
        await using var rig = await LocalStoreAsync();
        var copy = await NewModelAsync(rig);
        Assert.That(rig.Store.LastSegments, Is.Empty);

        await rig.WriteAsync(copy, "metadata.json", "{\"second\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        AssertHolds(rig, "{\"second\": true}");
        Assert.That(FromBase(rig), Is.GreaterThan(rig.Store.Bytes(Key).Length / 2));

        await rig.WriteAsync(copy, "metadata.json", "{\"third\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        AssertHolds(rig, "{\"third\": true}");
        Assert.That(FromBase(rig), Is.GreaterThan(rig.Store.Bytes(Key).Length / 2));
    }

    [Test]
    public async Task An_indexed_archive_that_was_fetched_is_built_upon_even_if_its_index_is_not_here()
    {
        await using var rig = await LocalStoreAsync();
        var copy = await NewModelAsync(rig);
        File.Delete(Path.Combine(copy.Folder, "index"));
        await rig.WriteAsync(copy, "metadata.json", "{}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(FromBase(rig), Is.Positive);
    }

    [Test]
    public async Task A_foreign_archive_becomes_an_indexed_one()
    {
        await using var rig = await LocalStoreAsync((Key, SampleArchive.Of(("metadata.json", "{}"), ("weights", s_weights))));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "metadata.json", "{\"first\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Store.LastSegments, Is.Empty);
        await rig.WriteAsync(copy, "metadata.json", "{\"second\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(FromBase(rig), Is.Positive);
        AssertHolds(rig, "{\"second\": true}");
    }

    [Test]
    public async Task An_index_of_another_revision_is_not_used()
    {
        await using var rig = await LocalStoreAsync();
        var copy = await NewModelAsync(rig);
        var index = IndexFile.ReadBytes(copy.Folder, copy.Manifest)!;
        IndexFile.Write(copy.Folder, "r999", copy.Manifest.BaseLength, index, durable: true);
        Assert.That(IndexFile.Read(copy.Folder, copy.Manifest, copy.Model.Name), Is.Null);
        await rig.WriteAsync(copy, "metadata.json", "{\"second\": true}");
        await rig.RestartAsync();
        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        AssertHolds(rig, "{\"second\": true}");
    }

    [Test]
    public async Task Across_a_network_only_what_was_compressed_is_read_of_the_base_and_nothing_of_it_compressed_again()
    {
        await using var rig = await LocalStoreAsync();
        rig.Store.Traits = rig.Store.Traits with { ReadStreamsMax = 4, IsLocal = false };
        var copy = await rig.CreateAsync("bert");
        await rig.WriteAsync(copy, "random", Incompressible(20 << 20));
        await rig.WriteAsync(copy, "text", Compressible());
        await rig.WriteAsync(copy, "metadata.json", "{\"first\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        var before = Files(rig);

        rig.Store.Reads.Clear();
        await rig.WriteAsync(copy, "metadata.json", "{\"second\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Store.LastSegments, Is.Empty, "it is sent whole");
        var read = rig.Store.Reads.Sum(range => range.Length);
        Assert.That(read, Is.Positive.And.LessThan(rig.Store.Bytes(Key).Length / 2));
        var after = Files(rig);
        Assert.That(after["metadata.json"], Is.EqualTo("{\"second\": true}"));
        Assert.That(after["random"], Is.EqualTo(before["random"]));
        Assert.That(after["text"], Is.EqualTo(before["text"]));
    }

    [Test]
    public async Task Across_a_network_a_base_that_can_t_be_read_is_packed_anew([Values("gone", "damaged")] string how)
    {
        await using var rig = await LocalStoreAsync();
        rig.Store.Traits = rig.Store.Traits with { ReadStreamsMax = 4, IsLocal = false };
        var copy = await rig.CreateAsync("bert");
        await rig.WriteAsync(copy, "text", Compressible());
        await rig.WriteAsync(copy, "metadata.json", "{\"first\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        await rig.WriteAsync(copy, "metadata.json", "{\"second\": true}");
        var reads = 0;
        rig.Store.BeforeRead = _ =>
        {
            reads++;
            rig.Store.Bytes(Key).AsSpan(100, rig.Store.Bytes(Key).Length / 2).Clear();
            return how == "gone" ? throw TestStore.Down() : Task.CompletedTask;
        };
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(reads, Is.Positive);
        Assert.That(Files(rig)["metadata.json"], Is.EqualTo("{\"second\": true}"));
    }

    [Test]
    public async Task A_base_that_somebody_replaced_is_a_conflict([Values] bool deleted)
    {
        await using var rig = await LocalStoreAsync();
        var copy = await NewModelAsync(rig);
        await rig.WriteAsync(copy, "metadata.json", "{\"mine\": true}");
        if (deleted)
        {
            rig.Store.Remove(Key);
        }
        else
        {
            rig.Store.Put(Key, SampleArchive.Of(("metadata.json", "theirs")));
        }

        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.Conflict));
        Assert.That(rig.Cache.Conflicts.Select(each => CacheRig.Read(each, "metadata.json")), Is.EqualTo(new[] { "{\"mine\": true}" }));
    }

    [Test]
    public async Task A_change_upon_a_base_whose_publish_got_no_answer_is_known_again_and_so_is_the_next_change([Values] bool changed, [Values] bool restart)
    {
        await using var rig = await LocalStoreAsync();
        var copy = await NewModelAsync(rig);
        await rig.WriteAsync(copy, "metadata.json", "{\"lost\": true}");
        rig.Store.AfterPublish = _ => throw TestStore.Down();
        await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        rig.Store.AfterPublish = _ => { };
        Assert.That(FromBase(rig), Is.Positive);
        if (changed)
        {
            await rig.WriteAsync(copy, "metadata.json", "{\"next\": true}");
        }

        if (restart)
        {
            await rig.RestartAsync();
        }

        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        AssertHolds(rig, changed ? "{\"next\": true}" : "{\"lost\": true}");
        Assert.That(rig.Keys, Has.Count.EqualTo(changed ? 3 : 2), "nothing is sent twice");
        Assert.That(rig.Model("bert").Copy!.Manifest.BaseRevision, Is.EqualTo(rig.Store.Revision(Key)));
    }

    /// <summary>Text of the length that deflate hardly shrinks.</summary>
    internal static string Incompressible(int length)
    {
        var random = new Random(1);
        return string.Create(length, random, (text, from) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = (char)from.Next(1, 128);
            }
        });
    }

    private static string Compressible() => string.Concat(Enumerable.Range(0, 800_000).Select(i => $"\"{i}\": {i},\n"));

    private static Dictionary<string, string> Files(CacheRig rig) => SampleArchive.Files(rig.Store.Bytes(Key)).ToDictionary(pair => Path.GetFileName(pair.Key), pair => pair.Value);

    private static async Task<CacheRig> LocalStoreAsync(params (string Key, byte[] Bytes)[] objects)
    {
        var rig = CacheRig.Stopped();
        rig.Store.Traits = rig.Store.Traits with { ReadStreamsMax = 1, IsLocal = true };
        foreach (var (key, bytes) in objects)
        {
            rig.Store.Put(key, bytes);
        }

        await rig.StartAsync();
        return rig;
    }

    private static async Task<ModelCopy> NewModelAsync(CacheRig rig)
    {
        var copy = await rig.CreateAsync("bert");
        await rig.WriteAsync(copy, "weights", s_weights);
        await rig.WriteAsync(copy, "metadata.json", "{\"first\": true}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        return copy;
    }

    private static long FromBase(CacheRig rig) => rig.Store.LastSegments.Where(segment => segment.SourceOffset is not null).Sum(segment => segment.Length);

    private static void AssertHolds(CacheRig rig, string metadata)
    {
        var files = SampleArchive.Files(rig.Store.Bytes(Key)).ToDictionary(pair => Path.GetFileName(pair.Key), pair => pair.Value);
        Assert.That(files["metadata.json"], Is.EqualTo(metadata));
        Assert.That(Encoding.UTF8.GetBytes(files["weights"]).AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(s_weights)), Is.True);
    }
}
