using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Tests;

/// <summary>A store that may be read but not listed: models are looked up by their names.</summary>
internal sealed class ByNameTests
{
    private static byte[] Any => SampleArchive.Of(("text", "x"));

    private static StoreException Denied => new(StoreErrorKind.ListingDenied, "listing is denied");

    [Test]
    public async Task Only_what_was_asked_for_is_shown()
    {
        await using var rig = await DeniedAsync(("bert.tar.gz", Any), ("gpt.tgz", Any), ("team___one.zip", Any));
        Assert.That(rig.Cache.Catalog.ListingDenied, Is.Not.Null);
        Assert.That(rig.Cache.Catalog.Snapshot(), Is.Empty);
        foreach (var name in new[] { "bert", "gpt", "team/one", "nobody" })
        {
            await LookUpAsync(rig, name);
        }

        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "bert", "gpt", "team/one" }));
        Assert.That(CacheRig.Read(await rig.AcquireAsync("gpt"), "text"), Is.EqualTo("x"));
    }

    [Test]
    public async Task A_name_that_was_not_there_is_asked_for_again_after_a_second()
    {
        await using var rig = await DeniedAsync();
        await LookUpAsync(rig, "late");
        rig.Store.Put("late.tar.gz", Any);
        await LookUpAsync(rig, "late");
        Assert.That(rig.Shown("late"), Is.Null, "a negative look-up is remembered, for a second");
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        await LookUpAsync(rig, "late");
        Assert.That(rig.Shown("late"), Is.Not.Null);
    }

    [Test]
    public async Task A_newer_revision_and_a_deletion_are_seen_without_a_listing()
    {
        await using var rig = await DeniedAsync(("bert.tar.gz", Any), ("gpt.tar.gz", Any));
        await LookUpAsync(rig, "bert");
        await LookUpAsync(rig, "gpt");
        await rig.AcquireAsync("bert");
        rig.Store.Put("bert.tar.gz", SampleArchive.Of(("text", "newer")));
        rig.Store.Remove("gpt.tar.gz");
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Shown("gpt"), Is.Null);
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("newer"));
    }

    [Test]
    public async Task Copies_of_an_earlier_mount_are_shown_and_looked_up()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Any), ("gpt.tar.gz", Any));
        await rig.AcquireAsync("bert");
        await rig.AcquireAsync("gpt");
        rig.Store.Remove("gpt.tar.gz");
        rig.Store.BeforeList = () => Task.FromException(Denied);
        await rig.RestartAsync();
        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "bert" }));
        Assert.That(rig.Shown("bert")!.StoredRevision, Is.EqualTo("r1"));
    }

    [Test]
    public async Task A_listing_that_succeeds_again_takes_over()
    {
        await using var rig = await DeniedAsync(("bert.tar.gz", Any));
        rig.Store.BeforeList = () => Task.CompletedTask;
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Cache.Catalog.ListingDenied, Is.Null);
        Assert.That(rig.Shown("bert"), Is.Not.Null);
    }

    [Test]
    public async Task A_new_model_is_published_and_stays_shown()
    {
        await using var rig = await DeniedAsync();
        var copy = await rig.CreateAsync("made");
        await rig.WriteAsync(copy, "metadata.json", "{}");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Store.Keys, Is.EqualTo(new[] { "made.tar.gz" }));
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Shown("made")!.State, Is.EqualTo(ModelState.Ready));
    }

    [Test]
    public async Task A_renamed_model_is_found_under_its_new_name_while_the_store_has_the_old_one()
    {
        await using var rig = await DeniedAsync(options => options with { AllowDelete = true }, ("bert.tar.gz", Any));
        await LookUpAsync(rig, "bert");
        rig.Store.BeforePublish = _ => Task.FromException(TestStore.Down());
        Assert.That(ModelName.TryParsePath("ernie", out var ernie), Is.True);
        await rig.Cache.RenameModelAsync(rig.Shown("bert")!, ernie!);
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await LookUpAsync(rig, "bert");
        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "ernie" }));
    }

    private static Task<CacheRig> DeniedAsync(params (string Key, byte[] Bytes)[] objects) => DeniedAsync(options => options, objects);

    private static async Task<CacheRig> DeniedAsync(Func<CacheOptions, CacheOptions> configure, params (string Key, byte[] Bytes)[] objects)
    {
        var rig = CacheRig.Stopped(configure);
        foreach (var (key, bytes) in objects)
        {
            rig.Store.Put(key, bytes);
        }

        rig.Store.BeforeList = () => Task.FromException(Denied);
        await rig.StartAsync();
        return rig;
    }

    private static Task LookUpAsync(CacheRig rig, string path)
    {
        Assert.That(ModelName.TryParsePath(path, out var name), Is.True);
        return rig.Cache.Catalog.LookUpAsync(name!, CancellationToken.None);
    }
}
