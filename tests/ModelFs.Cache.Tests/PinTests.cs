namespace ModelFs.Cache.Tests;

/// <summary>What stays here, and what goes when it is told to.</summary>
internal sealed class PinTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public async Task A_pinned_model_is_never_evicted_also_by_the_next_daemon()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { BytesMax = 700 }, ("a.tar.gz", Text(new string('a', 400))), ("b.tar.gz", Text(new string('b', 400))), ("c.tar.gz", Text(new string('c', 400))));
        var pinned = await rig.AcquireAsync("a");
        rig.Cache.Pin(rig.Model("a"), true);
        await rig.AcquireAsync("b");
        Assert.That(pinned.IsRetired, Is.False);
        await rig.RestartAsync();
        await rig.AcquireAsync("c");
        Assert.That(rig.Model("a").Copy, Is.Not.Null);
        Assert.That(rig.Model("b").Copy, Is.Null);
        Assert.That((await CacheRig.FailsAsync(() => Task.Run(() => rig.Cache.Evict(rig.Model("a"))))).Kind, Is.EqualTo(ModelErrorKind.NotPermitted));
        rig.Cache.Pin(rig.Model("a"), false);
        rig.Cache.Evict(rig.Model("a"));
        Assert.That(rig.Model("a").Copy, Is.Null);
    }

    [Test]
    public async Task A_pinned_model_is_fetched_again_when_the_store_has_another_version()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("a.tar.gz", Text("one")));
        rig.Cache.Pin(rig.Model("a"), true);
        await CacheRig.UntilAsync(() => rig.Model("a").Copy is not null, "the fetch");
        rig.Store.Put("a.tar.gz", Text("two"));
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await CacheRig.UntilAsync(() => rig.Model("a").Copy is { } copy && CacheRig.Read(copy, "text") == "two", "the other version");
    }

    [Test]
    public async Task Evicting_drops_a_clean_copy_and_refuses_a_dirty_or_open_one()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("a.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("a");
        ModelCache.FileOpened(copy);
        Assert.That((await CacheRig.FailsAsync(() => Task.Run(() => rig.Cache.Evict(copy.Model)))).Message, Does.Contain("open files"));
        rig.Cache.FileClosed(copy);
        await rig.WriteAsync(copy, "text", "two");
        Assert.That((await CacheRig.FailsAsync(() => Task.Run(() => rig.Cache.Evict(copy.Model)))).Message, Does.Contain("changes that the store does not have"));
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        rig.Cache.Evict(copy.Model);
        await CacheRig.UntilAsync(() => !Directory.Exists(copy.Folder), "the disk space");
    }

    [Test]
    public async Task A_mark_in_the_journal_alone_protects_a_copy()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("a.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("a");
        new CacheJournal(rig.Folder, rig.Time).Mark(copy.Id, "a.tar.gz", CacheJournal.StateDirty);
        await CacheRig.FailsAsync(() => Task.Run(() => rig.Cache.Evict(copy.Model)));
        Assert.That(Directory.Exists(copy.Folder), Is.True);
    }
}
