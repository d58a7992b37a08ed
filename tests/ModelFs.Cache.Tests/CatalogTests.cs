using ModelFs.Models;

namespace ModelFs.Cache.Tests;

internal sealed class CatalogTests
{
    private static byte[] Any => SampleArchive.Of(("text", "x"));

    [Test]
    public async Task Keys_become_models_and_other_objects_are_not_shown()
    {
        await using var rig = await CacheRig.StartedAsync(
            null, ("bert.tar.gz", Any), ("team___gpt.tgz", Any), ("old.zip", Any), ("readme.txt", Any), (".hidden.tar.gz", Any), ("a___b___c.tar.gz", Any));
        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "bert", "old", "team/gpt" }));
        Assert.That(rig.Store.Downloads, Is.Zero, "a listing fetches nothing");
    }

    [Test]
    public async Task A_name_that_is_both_is_a_model_and_the_clash_is_told()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("team.tar.gz", Any), ("team___gpt.tar.gz", Any));
        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "team" }));
        Assert.That(rig.Cache.Catalog.Clashes, Has.One.Contains("team").And.One.Contains("team___gpt.tar.gz"));
    }

    [Test]
    public async Task Of_two_archives_of_one_model_the_tar_gz_is_shown()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.zip", Any), ("bert.tar.gz", SampleArchive.Of(("text", "this one"))), ("bert.tar", Any));
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("this one"));
        Assert.That(rig.Cache.Catalog.Clashes, Has.Count.EqualTo(2));
    }

    [TestCase(NameLayout.Auto, false, "bert.tar.gz", "team___gpt.tar.gz")]
    [TestCase(NameLayout.Auto, true, "team___gpt.tar.gz", "team___bert.tar.gz")]
    [TestCase(NameLayout.Auto, false)]
    [TestCase(NameLayout.Flat, false, "team___gpt.tar.gz")]
    [TestCase(NameLayout.Project, true, "bert.tar.gz")]
    public async Task What_a_new_folder_is_follows_from_the_layout(NameLayout layout, bool isProject, params string[] keys)
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { Layout = layout }, [.. keys.Select(key => (key, Any))]);
        Assert.That(rig.Cache.Catalog.NewFoldersAreProjects, Is.EqualTo(isProject));

        rig.Store.Put("late.tar.gz", Any);
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Cache.Catalog.NewFoldersAreProjects, Is.EqualTo(isProject), "it is fixed by the first listing");
    }

    [Test]
    public async Task A_model_that_is_being_made_survives_every_listing()
    {
        await using var rig = await CacheRig.StartedAsync();
        using var stop = new CancellationTokenSource();
        var pruning = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                rig.Cache.Catalog.Prune();
            }
        });
        for (var number = 0; number < 50; number++)
        {
            await rig.CreateAsync($"model{number}");
        }

        await stop.CancelAsync();
        await pruning;
        Assert.That(rig.Cache.Catalog.Snapshot(), Has.Count.EqualTo(50));
    }

    [Test]
    public async Task A_failed_listing_keeps_the_last_one()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Any));
        rig.Store.BeforeList = () => Task.FromException(TestStore.Down());
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Cache.Catalog.LastError!.Message, Is.EqualTo("the store is down"));
        Assert.That(rig.Shown("bert"), Is.Not.Null);
        rig.Store.BeforeList = () => Task.CompletedTask;
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Cache.Catalog.LastError, Is.Null);
    }

    [Test]
    public async Task A_listing_that_began_before_a_publish_does_not_take_it_back()
    {
        await using var rig = await CacheRig.StartedAsync();
        var reached = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        rig.Store.BeforeList = async () =>
        {
            reached.TrySetResult();
            await go.Task;
            throw TestStore.Down();
        };
        var copy = await rig.CreateAsync("gpt");
        var refresh = rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await reached.Task;
        await rig.WriteAsync(copy, "metadata.json", "{}");
        rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);

        // What the listing saw when it began: nothing.
        Assert.That(copy.Model.TakeListed(null, rig.Time.GetTimestamp() - 1), Is.False);
        go.SetResult();
        await refresh;
        Assert.That(copy.Model.StoredRevision, Is.EqualTo("r1"));
        Assert.That(rig.Shown("gpt")!.State, Is.EqualTo(ModelState.Ready));
    }
}
