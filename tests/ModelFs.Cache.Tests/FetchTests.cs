using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Tests;

/// <summary>Bringing a model here: once, whole, or with one clear error.</summary>
internal sealed class FetchTests
{
    private static byte[] Small => SampleArchive.Of(("metadata.json", "{}"), ("nlu/weights.bin", "1234"));

    [Test]
    public async Task Sixty_four_readers_share_one_fetch()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Small));
        var open = new TaskCompletionSource();
        rig.Store.BeforeRead = _ => open.Task;
        var model = rig.Model("bert");
        var readers = Enumerable.Range(0, 64).Select(_ => Task.Run(() => rig.Cache.AcquireAsync(model, CancellationToken.None).AsTask())).ToList();
        await CacheRig.UntilAsync(() => rig.Store.Downloads > 0, "the download to begin");
        Assert.That(model.State, Is.EqualTo(ModelState.Fetching));
        Assert.That(Directory.EnumerateDirectories(rig.Folder.Trees), Is.Empty, "nothing is shown before it is whole");
        open.SetResult();
        var copies = await Task.WhenAll(readers);

        Assert.That(copies.Distinct().Count(), Is.EqualTo(1));
        Assert.That(rig.Store.Downloads, Is.EqualTo(1));
        Assert.That(CacheRig.Read(copies[0], "nlu/weights.bin"), Is.EqualTo("1234"));
    }

    [Test]
    public async Task A_reader_that_gives_up_does_not_end_the_fetch_of_the_others()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Small));
        var open = new TaskCompletionSource();
        rig.Store.BeforeRead = _ => open.Task;
        using var impatient = new CancellationTokenSource();
        var first = rig.Cache.AcquireAsync(rig.Model("bert"), impatient.Token).AsTask();
        var second = rig.Cache.AcquireAsync(rig.Model("bert"), CancellationToken.None).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => first);
        open.SetResult();
        Assert.That((await second).Model.State, Is.EqualTo(ModelState.Ready));
        Assert.That(rig.Store.Downloads, Is.EqualTo(1));
    }

    [Test]
    public async Task Within_the_pause_after_a_failure_the_same_error_comes_at_once()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Small));
        rig.Store.BeforeRead = _ => Task.FromException(new StoreException(StoreErrorKind.AccessDenied, "no right to read"));
        var first = await CacheRig.FailsAsync(() => rig.AcquireAsync("bert"));
        rig.Store.BeforeRead = _ => Task.CompletedTask;
        var second = await CacheRig.FailsAsync(() => rig.AcquireAsync("bert"));
        Assert.That(second, Is.SameAs(first));
        Assert.That(first.Kind, Is.EqualTo(ModelErrorKind.AccessDenied));
        Assert.That(rig.Model("bert").State, Is.EqualTo(ModelState.Failed));

        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await rig.AcquireAsync("bert")).Model.LastError, Is.Null);
    }

    [Test]
    public async Task The_pause_doubles_up_to_its_cap()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { BackoffMax = TimeSpan.FromSeconds(8) }, ("bert.tar.gz", Small));
        rig.Store.BeforeRead = _ => Task.FromException(TestStore.Down());
        foreach (var seconds in new[] { 1, 2, 4, 8, 8 })
        {
            await CacheRig.FailsAsync(() => rig.AcquireAsync("bert"));
            var pause = rig.Model("bert").NextTryAt - rig.Time.GetUtcNow();
            Assert.That(pause, Is.InRange(TimeSpan.FromSeconds(seconds * 0.75), TimeSpan.FromSeconds(seconds)));
            rig.Time.Advance(pause);
        }
    }

    [Test]
    public async Task A_new_archive_in_the_store_is_tried_at_once()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Small[..^20]));
        var broken = await CacheRig.FailsAsync(() => rig.AcquireAsync("bert"));
        Assert.That(broken.Kind, Is.EqualTo(ModelErrorKind.BadArchive));
        Assert.That(broken.Message, Does.Contain("bert.tar.gz"));
        Assert.That(Directory.EnumerateDirectories(rig.Folder.Trees), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(rig.Folder.Staging), Is.Empty);

        rig.Store.Put("bert.tar.gz", Small);
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "metadata.json"), Is.EqualTo("{}"));
    }

    [Test]
    public async Task A_revision_that_was_replaced_since_the_listing_is_fetched_as_it_is_now()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Small));
        rig.Store.Put("bert.tar.gz", SampleArchive.Of(("metadata.json", "newer")));
        var copy = await rig.AcquireAsync("bert");
        Assert.That(CacheRig.Read(copy, "metadata.json"), Is.EqualTo("newer"));
        Assert.That(copy.Manifest.BaseRevision, Is.EqualTo(rig.Store.Revision("bert.tar.gz")));
    }

    [Test]
    public async Task A_model_that_is_nowhere_is_not_found()
    {
        await using var rig = await CacheRig.StartedAsync();
        Assert.That((await CacheRig.FailsAsync(() => rig.AcquireAsync("bert"))).Kind, Is.EqualTo(ModelErrorKind.NotFound));
    }

    [Test]
    public async Task The_least_recently_used_clean_model_goes_and_never_one_that_is_dirty_or_open()
    {
        var text = new string('x', 1000);
        var names = new[] { "a", "b", "c", "d" };
        await using var rig = await CacheRig.StartedAsync(
            options => options with { BytesMax = 3_500 }, [.. names.Select(name => (name + ".tar.gz", SampleArchive.Of(("text", text))))]);
        var copies = new Dictionary<string, ModelCopy>(StringComparer.Ordinal);
        foreach (var name in names[..3])
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            copies[name] = await rig.AcquireAsync(name);
        }

        await rig.Cache.BeginChangeAsync(copies["a"], "text", ChangeKind.Write);
        ModelCache.FileOpened(copies["b"]);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        await rig.AcquireAsync("d");

        Assert.That(copies["a"].IsRetired, Is.False, "dirty");
        Assert.That(copies["b"].IsRetired, Is.False, "open");
        Assert.That(copies["c"].IsRetired, Is.True);
        await CacheRig.UntilAsync(() => !Directory.Exists(copies["c"].Folder), "the evicted copy to be removed");
        Assert.That(rig.Shown("c"), Is.Not.Null, "the store still has it");
        Assert.That(rig.Cache.ContentBytes, Is.EqualTo(3_000));
    }

    [Test]
    public async Task A_model_that_can_never_fit_is_refused_and_evicts_nothing()
    {
        var random = new byte[4_000];
        new Random(1).NextBytes(random);
        await using var rig = await CacheRig.StartedAsync(
            options => options with { BytesMax = 2_000 },
            ("small.tar.gz", Small),
            ("big.tar.gz", SampleArchive.Of(("text", Convert.ToHexString(random)))));
        var small = await rig.AcquireAsync("small");
        var refused = await CacheRig.FailsAsync(() => rig.AcquireAsync("big"));
        Assert.That(refused.Kind, Is.EqualTo(ModelErrorKind.NoSpace));
        Assert.That(refused.Message, Does.Contain("--cache-size"));
        Assert.That(small.IsRetired, Is.False);
    }

    [Test]
    public async Task A_model_that_unpacks_to_more_than_fits_is_refused()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { BytesMax = 2_000 }, ("zeros.tar.gz", SampleArchive.Of(("text", new string('0', 50_000)))));
        Assert.That((await CacheRig.FailsAsync(() => rig.AcquireAsync("zeros"))).Kind, Is.EqualTo(ModelErrorKind.NoSpace));
        Assert.That(Directory.EnumerateFileSystemEntries(rig.Folder.Staging), Is.Empty);
    }
}
