using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>Somebody else changes the store meanwhile.</summary>
internal sealed class StoreChangeTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public async Task A_newer_revision_is_taken_when_the_model_was_closed_and_quiet_for_the_set_time()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        ModelCache.AddReference(old);
        ModelCache.FileOpened(old);
        rig.Store.Put("bert.tar.gz", Text("two"));
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(old.IsRetired, Is.False, "open");

        ModelCopy? retired = null;
        rig.Cache.CopyRetired += copy => retired = copy;
        rig.Cache.FileClosed(old);
        Assert.That(old.IsRetired, Is.False, "used just now");
        rig.Time.Advance(rig.Cache.Options.SwitchAfter);
        await CacheRig.UntilAsync(() => old.IsRetired, "the switch");
        await CacheRig.UntilAsync(() => retired == old, "the kernel to be told");

        var fresh = await rig.AcquireAsync("bert");
        Assert.That(CacheRig.Read(fresh, "text"), Is.EqualTo("two"));
        Assert.That(CacheRig.Read(old, "text"), Is.EqualTo("one"), "whoever still holds it keeps the old tree");
        rig.Cache.RemoveReference(old);
        await CacheRig.UntilAsync(() => !Directory.Exists(old.Folder), "the old tree to go with its last holder");
    }

    [Test]
    public async Task A_dirty_model_is_never_replaced()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.Cache.BeginChangeAsync(copy, "text", ChangeKind.Write);
        rig.Store.Put("bert.tar.gz", Text("two"));
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        rig.Time.Advance(TimeSpan.FromHours(1));
        Assert.That(copy.IsRetired, Is.False);
        Assert.That(rig.Model("bert").Copy, Is.SameAs(copy));
    }

    [Test]
    public async Task A_model_deleted_in_the_store_leaves_the_listing()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")), ("gpt.tar.gz", Text("one")));
        await rig.AcquireAsync("bert");
        rig.Store.Remove("bert.tar.gz");
        rig.Store.Remove("gpt.tar.gz");
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Cache.Catalog.Snapshot(), Is.Empty);
    }

    [Test]
    public async Task A_model_deleted_in_the_store_leaves_the_listing_while_its_files_are_open_and_stays_for_who_has_them()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        ModelCache.FileOpened(copy);
        rig.Store.Remove("bert.tar.gz");
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        Assert.That(rig.Cache.Catalog.Snapshot(), Is.Empty);
        Assert.That(rig.Shown("bert"), Is.Null);
        Assert.That(CacheRig.Read(copy, "text"), Is.EqualTo("one"));
        Assert.That(copy.IsRetired, Is.False);

        await rig.WriteAsync(copy, "text", "mine");
        Assert.That(rig.Shown("bert"), Is.Not.Null, "what only this machine has is shown");
        rig.Cache.FileClosed(copy);
    }

    [Test]
    public async Task A_model_deleted_in_the_store_while_no_daemon_ran_leaves_the_listing()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.AcquireAsync("bert");
        await rig.StopAsync();
        rig.Store.Remove("bert.tar.gz");
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.StartAsync();
        rig.Time.Advance(TimeSpan.FromHours(1));
        await CacheRig.UntilAsync(() => rig.Cache.Catalog.Snapshot().Count == 0, "the model to go");
    }

    [Test]
    public async Task A_cached_model_stays_while_the_store_can_t_be_listed()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.AcquireAsync("bert");
        await rig.StopAsync();
        rig.Store.BeforeList = () => Task.FromException(TestStore.Down());
        await rig.StartAsync();
        Assert.That(rig.Cache.Catalog.LastError, Is.Not.Null);

        var copy = await rig.AcquireAsync("bert");
        ModelCache.FileOpened(copy);
        rig.Cache.FileClosed(copy);
        rig.Time.Advance(TimeSpan.FromDays(1));
        ModelCache.FileOpened(copy);
        rig.Cache.FileClosed(copy);
        rig.Time.Advance(TimeSpan.FromDays(1));
        Assert.That(copy.IsRetired, Is.False);
        Assert.That(await rig.AcquireAsync("bert"), Is.SameAs(copy));
    }

    [Test]
    public async Task A_conflict_keeps_the_loser_and_shows_the_store_s_version()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var mine = await rig.AcquireAsync("bert");
        ModelCache.AddReference(mine);
        await rig.WriteAsync(mine, "text", "mine");
        rig.Store.Put("bert.tar.gz", Text("theirs"));
        var lost = await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None));

        Assert.That(lost.Kind, Is.EqualTo(ModelErrorKind.Conflict));
        Assert.That(rig.Cache.Conflicts, Is.EqualTo(new[] { mine }));
        Assert.That(mine.Manifest.ConflictName, Does.StartWith("bert@" + Environment.MachineName + "-21260102T030405"));
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("theirs"));
        rig.Cache.RemoveReference(mine);

        await rig.RestartAsync();
        Assert.That(rig.Cache.Conflicts.Select(copy => CacheRig.Read(copy, "text")), Is.EqualTo(new[] { "mine" }));
        Assert.That(rig.Cache.Pending, Is.Empty);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("theirs"));
    }

    [Test]
    public async Task The_next_sync_tells_of_a_conflict_that_nobody_waited_for_once([Values] bool ofAll, [Values] bool isChangedAgain)
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.WriteAsync(await rig.AcquireAsync("bert"), "text", "mine");
        rig.Store.Put("bert.tar.gz", Text("theirs"));
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilAsync(() => rig.Cache.Conflicts.Count == 1, "the conflict");
        if (isChangedAgain)
        {
            await rig.WriteAsync(await rig.AcquireAsync("bert"), "text", "after theirs");
        }

        var model = ofAll ? null : rig.Model("bert");
        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(model, CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.Conflict));
        await rig.Cache.SyncAsync(model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo(isChangedAgain ? "after theirs" : "theirs"));
    }

    [Test]
    public async Task A_dirty_model_deleted_in_the_store_becomes_a_conflict()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var mine = await rig.AcquireAsync("bert");
        await rig.WriteAsync(mine, "text", "mine");
        rig.Store.Remove("bert.tar.gz");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilAsync(() => rig.Cache.Conflicts.Count == 1, "the conflict");
        Assert.That(CacheRig.Read(rig.Cache.Conflicts[0], "text"), Is.EqualTo("mine"));
        Assert.That(rig.Store.Keys, Is.Empty);
    }

    [Test]
    public async Task An_upload_whose_answer_was_lost_is_recognised()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "mine");
        rig.Store.AfterPublish = _ => throw TestStore.Down();
        await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        Assert.That(copy, Has.Property(nameof(ModelCopy.IsDirty)).True);
        Assert.That(copy.Model.State, Is.EqualTo(ModelState.Failed));

        rig.Store.AfterPublish = _ => { };
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(copy.IsDirty, Is.False);
        Assert.That(rig.Keys, Has.Count.EqualTo(1));
        Assert.That(copy.Manifest.BaseRevision, Is.EqualTo(rig.Store.Revision("bert.tar.gz")));
    }

    [Test]
    public async Task A_failed_publish_is_tried_again_for_ever_and_shown()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { BackoffMax = TimeSpan.FromSeconds(4) });
        var copy = await rig.CreateAsync("gpt");
        await rig.WriteAsync(copy, "metadata.json", "{}");
        rig.Store.BeforePublish = _ => Task.FromException(TestStore.Down());
        for (var attempt = 1; attempt <= 8; attempt++)
        {
            await rig.PassAsync(TimeSpan.FromSeconds(4));
            await CacheRig.UntilAsync(() => copy.Model.Tries == attempt && copy.Model.State == ModelState.Failed, "the next attempt");
            Assert.That(rig.Cache.Pending, Does.Contain(copy.Model));
            Assert.That(copy.Model.LastError!.Message, Does.Contain("the store is down"));
        }

        rig.Store.BeforePublish = _ => Task.CompletedTask;
        await rig.PassAsync(TimeSpan.FromSeconds(4));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Is.EqualTo(new[] { "gpt.tar.gz" }));
    }

    [Test]
    public async Task An_error_that_no_store_may_give_is_a_failure_like_any_other()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        await rig.WriteAsync(copy, "metadata.json", "{}");
        rig.Store.BeforePublish = _ => Task.FromException(new InvalidOperationException("a defect"));
        var failure = await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.That(failure.Message, Does.Contain("a defect"));
        rig.Store.BeforePublish = _ => Task.CompletedTask;
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Keys, Is.EqualTo(new[] { "gpt.tar.gz" }));
    }

    [Test]
    public async Task Removing_a_published_model_without_the_right_shows_it_again()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.RemoveAsync(copy, "text");
        var refused = await CacheRig.FailsAsync(() => rig.Cache.RemoveModelAsync(copy.Model, CancellationToken.None));
        Assert.That(refused.Kind, Is.EqualTo(ModelErrorKind.NotPermitted));
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("one"));
        Assert.That(rig.Cache.Pending, Is.Empty);
    }

    [Test]
    public async Task Removing_a_model_waits_a_moment_for_the_publish_that_is_under_way([Values] bool isSlow)
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { AllowDelete = true }, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        var (begun, goesOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        rig.Store.BeforePublish = async _ =>
        {
            begun.TrySetResult();
            await goesOn.Task;
        };
        var sync = rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        await begun.Task;
        await rig.RemoveAsync(copy, "text");
        var removal = rig.Cache.RemoveModelAsync(copy.Model, CancellationToken.None);
        using (var interrupt = new CancellationTokenSource())
        {
            var interrupted = rig.Cache.RemoveModelAsync(copy.Model, interrupt.Token);
            await interrupt.CancelAsync();
            await Assert.ThatAsync(() => interrupted, Throws.InstanceOf<OperationCanceledException>());
        }

        Assert.That(removal.IsCompleted, Is.False);
        if (isSlow)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(5));
            Assert.That((await CacheRig.FailsAsync(() => removal)).Kind, Is.EqualTo(ModelErrorKind.Busy));
        }

        goesOn.SetResult();
        await Task.WhenAny(sync);
        await (isSlow ? rig.Cache.RemoveModelAsync(copy.Model, CancellationToken.None) : removal);
        Assert.That(rig.Store.Keys, Is.Empty);
        Assert.That(rig.Shown("bert"), Is.Null);
        Assert.That(rig.Cache.Pending, Is.Empty);
    }

    [Test]
    public async Task Removing_a_published_model_with_the_right_deletes_it_in_the_store()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { AllowDelete = true }, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.RemoveAsync(copy, "text");
        await rig.Cache.RemoveModelAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Store.Keys, Is.Empty);
        Assert.That(rig.Shown("bert"), Is.Null);
        await rig.RestartAsync();
        Assert.That(rig.Cache.Catalog.Snapshot(), Is.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_model_that_is_removed_before_the_first_listing_is_not_taken_for_one_that_was_never_published(bool allowDelete)
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { AllowDelete = allowDelete }, ("bert.tar.gz", Text("one")));
        await rig.RemoveAsync(await rig.AcquireAsync("bert"), "text");
        rig.Store.BeforeList = () => throw TestStore.Down();
        await rig.RestartAsync();
        var removal = rig.Cache.RemoveModelAsync(rig.Model("bert"), CancellationToken.None);
        if (allowDelete)
        {
            await removal;
            Assert.That(rig.Store.Keys, Is.Empty);
        }
        else
        {
            Assert.That((await CacheRig.FailsAsync(() => removal)).Kind, Is.EqualTo(ModelErrorKind.NotPermitted));
        }
    }

    [Test]
    public async Task Deleting_never_takes_a_version_that_was_not_seen()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { AllowDelete = true }, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.RemoveAsync(copy, "text");
        rig.Store.Put("bert.tar.gz", Text("two"));
        await CacheRig.FailsAsync(() => rig.Cache.RemoveModelAsync(copy.Model, CancellationToken.None));
        Assert.That(rig.Store.Keys, Is.EqualTo(new[] { "bert.tar.gz" }));
    }
}
