using System.Text;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>What the next daemon takes up (DESIGN, sections 6 and 7).</summary>
internal sealed class RecoveryTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public async Task A_clean_copy_serves_the_next_daemon_without_a_download()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.AcquireAsync("bert");
        await rig.RestartAsync();
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("one"));
        Assert.That(rig.Store.Downloads, Is.EqualTo(1));
    }

    [Test]
    public async Task A_model_whose_change_came_to_nothing_is_shown_though_the_first_listing_came_while_that_was_found_out()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var changed = await rig.AcquireAsync("bert");
        await rig.WriteAsync(changed, "more", "");
        await rig.RemoveAsync(changed, "more");
        await rig.StopAsync();
        var listing = new TaskCompletionSource();
        rig.Store.BeforeList = () => listing.Task;
        var starting = rig.StartAsync();
        var bert = rig.Model("bert");
        var turn = await rig.Cache.Catalog.TakeDiskTurnAsync(bert.Name, CancellationToken.None);
        await CacheRig.UntilAsync(
            () =>
            {
                rig.Time.Advance(TimeSpan.FromSeconds(1));
                return bert.State == ModelState.Publishing;
            },
            "the attempt");
        listing.SetResult();
        await starting;
        turn.DiskTurn.Release();
        await CacheRig.UntilAsync(() => bert.State == ModelState.Ready, "the attempt's end");
        Assert.That(rig.Shown("bert"), Is.SameAs(bert));
        Assert.That(bert.Copy!.IsRetired, Is.False);
        Assert.That(bert.StoredRevision, Is.EqualTo("r1"), "nothing was published");
    }

    [Test]
    public async Task A_model_that_a_daemon_is_asked_for_before_its_first_listing_is_waited_for()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.StopAsync();
        var listing = new TaskCompletionSource();
        rig.Store.BeforeList = () => listing.Task;
        var starting = rig.StartAsync(resumed: true);
        var acquiring = rig.Cache.AcquireAsync(rig.Model("bert"), CancellationToken.None).AsTask();
        Assert.That(acquiring.IsCompleted, Is.False);
        listing.SetResult();
        await starting;
        Assert.That(CacheRig.Read(await acquiring, "text"), Is.EqualTo("one"));
    }

    [Test]
    public async Task The_mark_is_on_disk_before_a_change_may_begin()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Empty);
        await rig.Cache.BeginChangeAsync(copy, "text", ChangeKind.Write);
        var mark = DurableFile.Read(Path.Combine(rig.Folder.Journal, $"{copy.Id}"), CacheJson.Default.JournalMark);
        Assert.That(mark, Is.EqualTo(new JournalMark(1, copy.Id, "bert.tar.gz", "dirty", rig.Time.GetUtcNow(), CacheFolder.BootId)));
    }

    [Test]
    public async Task No_change_begins_when_the_mark_can_t_be_written()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");

        // A folder where the mark's temporary file belongs refuses root, too.
        var obstacle = Path.Combine(rig.Folder.Journal, $"{copy.Id}.tmp");
        Directory.CreateDirectory(obstacle);
        var refused = await CacheRig.FailsAsync(() => rig.Cache.BeginChangeAsync(copy, "text", ChangeKind.Write).AsTask());
        Assert.That(refused.Kind, Is.EqualTo(ModelErrorKind.CacheFailed));
        Assert.That(copy.OpenWriters, Is.Zero);
        Assert.That(copy.IsDirty, Is.False);
        Assert.That(copy.Model.State, Is.EqualTo(ModelState.Ready));

        Directory.Delete(obstacle);
        await rig.WriteAsync(copy, "text", "two");
        Assert.That(copy.IsDirty, Is.True);
    }

    [Test]
    public async Task A_dirty_copy_is_published_by_the_next_daemon()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.WriteAsync(old, "text", "two");
        await rig.StopAsync();
        await rig.StartAsync();
        var copy = rig.Model("bert").Copy!;
        Assert.That(rig.Cache.Pending, Is.EqualTo(new[] { copy.Model }));
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("two"));
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task A_new_model_is_published_by_the_next_daemon()
    {
        await using var rig = await CacheRig.StartedAsync();
        var old = await rig.CreateAsync("team/gpt");
        await rig.WriteAsync(old, "metadata.json", "{}");
        await rig.StopAsync();
        await rig.StartAsync();
        Assert.That(rig.Shown("team/gpt"), Is.Not.Null);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(rig.Model("team/gpt").Copy!);
        Assert.That(rig.Keys, Is.EqualTo(new[] { "team___gpt.tar.gz" }));
    }

    [Test]
    public async Task Whatever_of_a_mark_reached_the_disk_its_copy_is_still_dirty([Values(0, 1, 20)] int bytes)
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.WriteAsync(old, "text", "two");
        await rig.StopAsync();
        var mark = Path.Combine(rig.Folder.Journal, $"{old.Id}");
        await File.WriteAllBytesAsync(mark, (await File.ReadAllBytesAsync(mark))[..bytes]);
        await rig.StartAsync();
        Assert.That(rig.Cache.Pending, Is.EqualTo(new[] { rig.Model("bert") }));
        Assert.That(CacheRig.Read(rig.Model("bert").Copy!, "text"), Is.EqualTo("two"));
    }

    [Test]
    public async Task After_an_unclean_reboot_an_unsynced_change_waits_for_a_person()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.WriteAsync(old, "text", "two");
        await rig.StopAsync();
        RewriteMark(rig, old, mark => mark with { BootId = "another boot" });
        await rig.StartAsync();
        var model = rig.Model("bert");
        await rig.PassAsync(TimeSpan.FromDays(1));
        Assert.That(rig.Store.Conditions, Is.Empty);
        Assert.That(model.LastError!.Message, Does.Contain("needs review").And.Contain("modelfs sync bert"));

        Assert.That(await rig.Cache.DrainAsync(TimeSpan.FromSeconds(10), CancellationToken.None), Is.EqualTo(new[] { model }), "an unmount does not decide for the person");
        Assert.That(rig.Store.Conditions, Is.Empty);

        await rig.Cache.SyncAsync(model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("two"));
        Assert.That(model.LastError, Is.Null);
    }

    [Test]
    public async Task After_an_unclean_reboot_a_synced_change_is_published()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.WriteAsync(old, "text", "two");
        await rig.StopAsync();
        RewriteMark(rig, old, mark => mark with { BootId = "another boot", State = CacheJournal.StateSynced });
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(rig.Model("bert").Copy!);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("two"));
    }

    [Test]
    public async Task After_an_unclean_reboot_a_clean_copy_is_fetched_anew()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.StopAsync();
        CopyFiles.WriteManifest(old.Folder, old.Manifest with { BootId = "another boot" }, durable: false);
        await rig.StartAsync();
        await rig.AcquireAsync("bert");
        Assert.That(rig.Store.Downloads, Is.EqualTo(2));
        Assert.That(Directory.Exists(old.Folder), Is.False);
    }

    [Test]
    public async Task A_sealed_copy_outlives_an_unclean_reboot_until_it_is_written_anew()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        Assert.That(copy.Manifest.BootId, Is.EqualTo(CacheFolder.BootId));
        rig.Cache.Seal();
        Assert.That(CopyFiles.ReadManifest(copy.Folder)!.BootId, Is.Null);

        // The same tree, as a copying tool makes it: nothing to publish, but nothing says that it is on the disk.
        var path = Path.Combine(copy.Content, "text");
        var time = File.GetLastWriteTimeUtc(path);
        await rig.WriteAsync(copy, "text", "one");
        File.SetLastWriteTimeUtc(path, time);
        rig.Cache.Seal();
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Store.Conditions, Is.Empty);
        Assert.That(CopyFiles.ReadManifest(copy.Folder)!.BootId, Is.EqualTo(CacheFolder.BootId));
        rig.Cache.Seal();
        Assert.That(CopyFiles.ReadManifest(copy.Folder)!.BootId, Is.Null);
    }

    [Test]
    public async Task A_clean_copy_with_a_damaged_manifest_is_dropped()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.StopAsync();
        await File.WriteAllTextAsync(old.Folder + "/manifest.json", "{}");
        await rig.StartAsync();
        Assert.That(rig.Model("bert").Copy, Is.Null);
        Assert.That(Directory.Exists(old.Folder), Is.False);
    }

    [Test]
    public async Task A_dirty_copy_with_a_damaged_manifest_never_overwrites_the_store()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.WriteAsync(old, "text", "two");
        await rig.StopAsync();
        await File.WriteAllTextAsync(old.Folder + "/manifest.json", "{}");
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        await CacheRig.UntilAsync(() => rig.Cache.Conflicts.Count == 1, "the conflict");
        Assert.That(CacheRig.Read(rig.Cache.Conflicts[0], "text"), Is.EqualTo("two"));
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("one"));
    }

    [Test]
    public async Task A_copy_of_a_newer_program_is_refused_and_kept()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var old = await rig.AcquireAsync("bert");
        await rig.StopAsync();
        CopyFiles.WriteManifest(old.Folder, old.Manifest with { Version = CopyManifest.IndexedVersion + 1 }, durable: false);
        var refused = await CacheRig.FailsAsync(() => rig.StartAsync());
        Assert.That(refused.Message, Does.Contain("newer modelfs").And.Contain("--cache-dir"));
        Assert.That(Directory.Exists(old.Content), Is.True);
    }

    [Test]
    public async Task A_mark_without_a_copy_is_forgotten()
    {
        await using var rig = await CacheRig.StartedAsync();
        new CacheJournal(rig.Folder, rig.Time).Mark(77, "gone.tar.gz", CacheJournal.StateDirty);
        await rig.RestartAsync();
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Empty);
        Assert.That(rig.Cache.Catalog.Snapshot(), Is.Empty);
        Assert.That((await rig.CreateAsync("next")).Id, Is.GreaterThan(77), "ids are never used twice");
    }

    [Test]
    public async Task Files_that_were_unlinked_while_open_go_with_the_next_mount_but_not_with_a_takeover()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        var parked = Path.Combine(copy.Unlinked, "5");
        await File.WriteAllTextAsync(parked, "still open");
        await rig.StopAsync();
        await rig.StartAsync(resumed: true);
        Assert.That(File.Exists(parked), Is.True);
        await rig.StopAsync();
        await rig.StartAsync(resumed: false);
        Assert.That(File.Exists(parked), Is.False);
    }

    private static void RewriteMark(CacheRig rig, ModelCopy copy, Func<JournalMark, JournalMark> change)
    {
        var path = Path.Combine(rig.Folder.Journal, copy.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var mark = DurableFile.Read(path, CacheJson.Default.JournalMark);
        Assert.That(mark, Is.Not.Null, Encoding.UTF8.GetString(File.ReadAllBytes(path)));
        DurableFile.Write(path, change(mark!), CacheJson.Default.JournalMark, durable: false);
    }
}
