using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>Renaming and deleting models: a daemon that dies anywhere leaves the old one, the new one, or both.</summary>
internal sealed class RenameTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    private static ModelName Name(string path) => ModelName.TryParsePath(path, out var name) ? name : throw new ArgumentException(path);

    [Test]
    public async Task A_model_that_was_never_published_is_renamed_here()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("a");
        await rig.WriteAsync(copy, "text", "one");
        await rig.Cache.RenameModelAsync(copy.Model, Name("team/b"));
        Assert.That(rig.Shown("a"), Is.Null);
        Assert.That(rig.Shown("team/b")?.Copy, Is.SameAs(copy));
        await rig.RestartAsync();
        Assert.That(rig.Shown("a"), Is.Null);
        await rig.Cache.SyncAsync(rig.Shown("team/b"), CancellationToken.None);
        Assert.That(rig.Store.Keys, Is.EqualTo(new[] { "team___b.tar.gz" }));
    }

    [Test]
    public async Task A_published_model_is_renamed_in_the_store([Values] bool isHere, [Values] bool isDirty)
    {
        await using var rig = await StartAsync();
        if (isHere || isDirty)
        {
            var copy = await rig.AcquireAsync("a");
            if (isDirty)
            {
                await rig.WriteAsync(copy, "text", "two");
            }
        }

        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        Assert.That(rig.Shown("a"), Is.Null);
        Assert.That(rig.Shown("b"), Is.Not.Null);
        await CacheRig.UntilAsync(() => rig.Store.Keys.SequenceEqual(["b.tar.gz"]), "the store");
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("b.tar.gz")), Is.EqualTo(isDirty ? "two" : "one"));
        await CacheRig.UntilAsync(() => rig.Cache.Pending.Count == 0, "the rename to end");
        Assert.That(CacheRig.Read(await rig.AcquireAsync("b"), "text"), Is.EqualTo(isDirty ? "two" : "one"));
        await rig.RestartAsync();
        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "b" }));
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Empty);
    }

    [Test]
    public async Task A_published_model_is_not_renamed_without_the_right()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("a.tar.gz", Text("one")));
        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.RenameModelAsync(rig.Model("a"), Name("b")))).Kind, Is.EqualTo(ModelErrorKind.NotPermitted));
        Assert.That(rig.Shown("a"), Is.Not.Null);
    }

    [Test]
    public async Task A_daemon_that_dies_before_any_step_is_continued_by_the_next([Values("publish", "published", "delete", "deleted")] string step, [Values] bool isHere)
    {
        await using var rig = await StartAsync();
        if (isHere)
        {
            await rig.AcquireAsync("a");
        }

        var reached = new TaskCompletionSource();
        void Die()
        {
            reached.TrySetResult();
            throw TestStore.Down();
        }

        Task DieAsync(string key)
        {
            Die();
            return Task.CompletedTask;
        }

        rig.Store.BeforePublish = step == "publish" ? DieAsync : rig.Store.BeforePublish;
        rig.Store.AfterPublish = step == "published" ? _ => Die() : rig.Store.AfterPublish;
        rig.Store.BeforeDelete = step == "delete" ? DieAsync : rig.Store.BeforeDelete;
        rig.Store.AfterDelete = step == "deleted" ? _ => Die() : rig.Store.AfterDelete;
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.That(rig.Store.Keys, Is.Not.Empty);
        await rig.StopAsync();
        rig.Store.BeforePublish = rig.Store.BeforeDelete = _ => Task.CompletedTask;
        rig.Store.AfterPublish = rig.Store.AfterDelete = _ => { };
        await rig.StartAsync();
        await CacheRig.UntilAsync(() => rig.Store.Keys.SequenceEqual(["b.tar.gz"]), "the rename in the store");
        await CacheRig.UntilAsync(() => rig.Cache.Pending.Count == 0, "the rename to end");
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("b.tar.gz")), Is.EqualTo("one"));
        Assert.That(rig.Cache.Catalog.Snapshot().Select(model => model.Name.ToString()), Is.EqualTo(new[] { "b" }));
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task A_name_that_somebody_else_takes_meanwhile_is_left_to_them([Values] bool isHere)
    {
        await using var rig = await StartAsync();
        if (isHere)
        {
            await rig.AcquireAsync("a");
        }

        rig.Store.Put("b.tar.gz", Text("theirs"));
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        await CacheRig.UntilAsync(() => !Directory.EnumerateFiles(rig.Folder.Journal, "intent-*").Any(), "the rename to be given up");
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("b.tar.gz")), Is.EqualTo("theirs"));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("a.tar.gz")), Is.EqualTo("one"));
    }

    [Test]
    public async Task A_version_that_somebody_else_put_under_the_old_name_meanwhile_stays()
    {
        await using var rig = await StartAsync();
        await rig.AcquireAsync("a");
        rig.Store.BeforeDelete = key =>
        {
            rig.Store.BeforeDelete = _ => Task.CompletedTask;
            rig.Store.Put(key, Text("theirs"));
            return Task.CompletedTask;
        };
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        await CacheRig.UntilAsync(() => rig.Cache.Pending.Count == 0, "the rename to end");
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("a.tar.gz")), Is.EqualTo("theirs"));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("b.tar.gz")), Is.EqualTo("one"));
    }

    [Test]
    public async Task A_new_model_of_the_old_name_waits_until_the_store_has_renamed_the_old_one()
    {
        await using var rig = await StartAsync();
        await rig.AcquireAsync("a");
        var go = new TaskCompletionSource();
        rig.Store.BeforeDelete = _ => go.Task;
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        var fresh = await rig.CreateAsync("a");
        await rig.WriteAsync(fresh, "text", "new");
        var sync = rig.Cache.SyncAsync(fresh.Model, CancellationToken.None);
        await CacheRig.UntilAsync(() => rig.Store.Keys.Contains("b.tar.gz"), "the first step");
        go.SetResult();
        await sync.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("a.tar.gz")), Is.EqualTo("new"));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("b.tar.gz")), Is.EqualTo("one"));
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task A_new_model_of_the_old_name_can_be_removed_while_the_store_still_has_the_old_one()
    {
        await using var rig = await StartAsync();
        await rig.AcquireAsync("a");
        rig.Store.BeforePublish = _ => throw TestStore.Down();
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        var copy = await rig.CreateAsync("a");
        await rig.Cache.RemoveModelAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Shown("a"), Is.Null);
        rig.Store.BeforePublish = _ => Task.CompletedTask;
        await CacheRig.UntilAsync(
            () =>
            {
                rig.Time.Advance(TimeSpan.FromMinutes(1));
                return rig.Store.Keys.SequenceEqual(["b.tar.gz"]);
            },
            "the rename to end");
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("b.tar.gz")), Is.EqualTo("one"));
    }

    [Test]
    public async Task A_model_can_be_removed_while_its_new_name_has_not_reached_the_store([Values] bool isReplaced)
    {
        await using var rig = await StartAsync();
        var copy = await rig.AcquireAsync("a");
        var tried = new TaskCompletionSource();
        rig.Store.BeforePublish = _ =>
        {
            tried.TrySetResult();
            throw TestStore.Down();
        };
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        await tried.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await rig.RemoveAsync(copy, "text");
        if (isReplaced)
        {
            rig.Store.Put("a.tar.gz", Text("theirs"));
        }

        await CacheRig.UntilAsync(() => !copy.Model.IsPublishing, "the attempt to end");
        await rig.Cache.RemoveModelAsync(rig.Model("b"), CancellationToken.None);
        Assert.That(rig.Store.Keys, Is.EqualTo(isReplaced ? new[] { "a.tar.gz" } : []));
        Assert.That(rig.Shown("b"), Is.Null);
        Assert.That(rig.Cache.Pending, Is.Empty);
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Empty);
    }

    [Test]
    public async Task A_deleted_model_stays_gone_when_a_listing_that_began_before_ends_after()
    {
        await using var rig = await StartAsync();
        await rig.RemoveAsync(await rig.AcquireAsync("a"), "text");
        var isRead = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        rig.Store.AfterList = () =>
        {
            isRead.TrySetResult();
            return go.Task;
        };
        var listing = rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await isRead.Task.WaitAsync(TimeSpan.FromSeconds(60));
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        await rig.Cache.RemoveModelAsync(rig.Model("a"), CancellationToken.None);
        go.SetResult();
        await listing;
        Assert.That(rig.Shown("a"), Is.Null);
    }

    [Test]
    public async Task A_deletion_that_was_cut_off_is_finished_by_the_next_daemon([Values] bool reachedStore)
    {
        await using var rig = await StartAsync();
        var copy = await rig.AcquireAsync("a");
        await rig.RemoveAsync(copy, "text");
        await rig.StopAsync();
        new CacheJournal(rig.Folder, rig.Time).NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, "a.tar.gz", "r1", null, null, copy.Id, rig.Time.GetUtcNow()));
        if (reachedStore)
        {
            rig.Store.Remove("a.tar.gz");
        }

        await rig.StartAsync();
        await CacheRig.UntilAsync(() => !rig.Store.Keys.Any() && rig.Shown("a") is null, "the model to go");
        await CacheRig.UntilAsync(() => !Directory.EnumerateFiles(rig.Folder.Journal).Any(), "the journal to be empty");
    }

    [Test]
    public async Task A_deletion_is_not_finished_when_something_was_put_there_since()
    {
        await using var rig = await StartAsync();
        var copy = await rig.AcquireAsync("a");
        await rig.WriteAsync(copy, "text", "back again");
        await rig.StopAsync();
        new CacheJournal(rig.Folder, rig.Time).NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, "a.tar.gz", "r1", null, null, copy.Id, rig.Time.GetUtcNow()));
        await rig.StartAsync();
        await CacheRig.UntilAsync(() => !Directory.EnumerateFiles(rig.Folder.Journal, "intent-*").Any(), "the intent to be dropped");
        await rig.Cache.SyncAsync(rig.Model("a"), CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("a.tar.gz")), Is.EqualTo("back again"));
    }

    [Test]
    public async Task What_is_put_into_a_model_while_the_next_daemon_finishes_its_deletion_is_a_new_model()
    {
        await using var rig = await StartAsync();
        var copy = await rig.AcquireAsync("a");
        await rig.RemoveAsync(copy, "text");
        await rig.StopAsync();
        new CacheJournal(rig.Folder, rig.Time).NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, "a.tar.gz", "r1", null, null, copy.Id, rig.Time.GetUtcNow()));
        var reached = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        rig.Store.BeforeDelete = _ =>
        {
            reached.TrySetResult();
            return go.Task;
        };
        await rig.StartAsync();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await rig.WriteAsync(rig.Model("a").Copy!, "text", "new");
        go.SetResult();
        await CacheRig.UntilAsync(() => !Directory.EnumerateFiles(rig.Folder.Journal, "intent-*").Any(), "the deletion to end");
        Assert.That(CacheRig.Read(rig.Shown("a")!.Copy!, "text"), Is.EqualTo("new"));
        await rig.Cache.SyncAsync(rig.Model("a"), CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("a.tar.gz")), Is.EqualTo("new"));
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task A_model_that_is_removed_after_its_new_name_reached_the_store_without_an_answer_is_gone_under_both()
    {
        await using var rig = await StartAsync();
        await rig.AcquireAsync("a");
        var stored = new TaskCompletionSource();
        rig.Store.AfterPublish = _ =>
        {
            stored.TrySetResult();
            throw TestStore.Down();
        };
        await rig.Cache.RenameModelAsync(rig.Model("a"), Name("b"));
        await stored.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await CacheRig.UntilAsync(() => !rig.Model("b").IsPublishing, "the attempt to end");
        rig.Store.AfterPublish = _ => { };
        rig.Store.BeforePublish = _ => throw TestStore.Down();
        await rig.RemoveAsync(rig.Model("b").Copy!, "text");
        await CacheRig.UntilAsync(() => !rig.Model("b").IsPublishing, "the attempt to end");
        await rig.Cache.RemoveModelAsync(rig.Model("b"), CancellationToken.None);
        Assert.That(rig.Store.Keys, Is.Empty);
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Empty);
    }

    [Test]
    public async Task A_version_that_somebody_else_stored_meanwhile_is_not_deleted_with_the_one_that_was_emptied()
    {
        await using var rig = await StartAsync();
        var copy = await rig.AcquireAsync("a");
        await rig.RemoveAsync(copy, "text");
        rig.Store.Put("a.tar.gz", Text("theirs"));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await rig.RestartAsync();
        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.RemoveModelAsync(rig.Model("a"), CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.Conflict));
        Assert.That(CacheRig.Read(await rig.AcquireAsync("a"), "text"), Is.EqualTo("theirs"));
    }

    private static Task<CacheRig> StartAsync() => CacheRig.StartedAsync(options => options with { AllowDelete = true }, ("a.tar.gz", Text("one")));
}
