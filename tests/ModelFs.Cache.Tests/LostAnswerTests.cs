using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>An upload that the store took, while its answer was lost, is this mount's own whatever happens next.</summary>
internal sealed class LostAnswerTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public async Task A_version_that_was_stored_without_an_answer_and_changed_here_since_is_no_conflict([Values] bool restart, [Values] bool isNew)
    {
        await using var rig = await CacheRig.StartedAsync(null, isNew ? [] : [("bert.tar.gz", Text("one"))]);
        var copy = isNew ? await rig.CreateAsync("bert") : await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        await LoseAnswerAsync(rig, copy);
        await rig.WriteAsync(copy, "text", "three");
        if (restart)
        {
            await rig.RestartAsync();
        }

        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("three"));
        Assert.That(rig.Model("bert").Copy!.IsDirty, Is.False);
    }

    [Test]
    public async Task Of_several_uploads_without_an_answer_any_can_be_the_one_that_was_stored([Values(0, 1, 2)] int stored)
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        for (var attempt = 0; attempt < 3; attempt++)
        {
            await rig.WriteAsync(copy, "text", $"attempt {attempt}");
            if (attempt == stored)
            {
                await LoseAnswerAsync(rig, copy);
            }
            else
            {
                rig.Store.BeforePublish = _ => Task.FromException(TestStore.Down());
                await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
                rig.Store.BeforePublish = _ => Task.CompletedTask;
            }

            if (attempt == stored)
            {
                break;
            }
        }

        await rig.WriteAsync(copy, "text", "last");
        await rig.RestartAsync();
        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("last"));
    }

    [Test]
    public async Task The_answer_to_what_was_published_over_a_version_of_this_mounts_own_can_be_lost_too([Values(1, 2, 3)] int times)
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.AcquireAsync("bert");
        for (var lost = 0; lost <= times; lost++)
        {
            await rig.WriteAsync(rig.Model("bert").Copy!, "text", $"change {lost}");
            await LoseAnswerAsync(rig, rig.Model("bert").Copy!);
            Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo($"change {lost}"));
            await rig.RestartAsync();
        }

        await rig.WriteAsync(rig.Model("bert").Copy!, "text", "last");
        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("last"));
    }

    [Test]
    public async Task A_change_that_was_stored_without_an_answer_and_undone_here_is_undone_in_the_store([Values] bool restart)
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        await rig.WriteAsync(await rig.AcquireAsync("bert"), "text", "two");
        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        var copy = rig.Model("bert").Copy!;
        await rig.WriteAsync(copy, "temporary", "x");
        await LoseAnswerAsync(rig, copy);
        await rig.RemoveAsync(copy, "temporary");
        if (restart)
        {
            await rig.RestartAsync();
        }

        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("two"));
        await rig.WriteAsync(rig.Model("bert").Copy!, "text", "three");
        await rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("three"));
    }

    [Test]
    public async Task A_version_of_somebody_else_on_top_of_the_lost_one_is_a_conflict()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        await LoseAnswerAsync(rig, copy);
        rig.Store.Put("bert.tar.gz", Text("theirs"));
        await rig.WriteAsync(copy, "text", "three");
        await rig.RestartAsync();
        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.Conflict));
        Assert.That(rig.Cache.Conflicts.Select(each => CacheRig.Read(each, "text")), Is.EqualTo(new[] { "three" }));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("theirs"));
    }

    [Test]
    public async Task Once_a_version_was_confirmed_the_same_bytes_put_back_by_somebody_are_theirs()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        await LoseAnswerAsync(rig, copy);
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        var two = rig.Store.Bytes("bert.tar.gz");
        await rig.WriteAsync(copy, "text", "three");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        rig.Store.Put("bert.tar.gz", two);
        await rig.WriteAsync(copy, "text", "four");
        await rig.RestartAsync();
        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(rig.Model("bert"), CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.Conflict));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("two"));
    }

    [Test]
    public async Task What_is_about_to_be_uploaded_is_in_the_journal_before_the_store_hears_of_it()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        JournalMark? mark = null;
        rig.Store.BeforePublish = _ =>
        {
            mark = DurableFile.Read(Path.Combine(rig.Folder.Journal, $"{copy.Id}"), CacheJson.Default.JournalMark);
            return Task.CompletedTask;
        };
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(mark!.State, Is.EqualTo(CacheJournal.StateSynced));
        Assert.That(mark.Sent, Has.Count.EqualTo(1));
        Assert.That(mark.Sent![0], Is.EqualTo(new SentArchive(
            "bert.tar.gz",
            "r1",
            rig.Store.Bytes("bert.tar.gz").Length,
            IdentityOf(rig.Store.Bytes("bert.tar.gz")),
            copy.Manifest.BaseDigest!)));
    }

    [Test]
    public async Task Nothing_is_uploaded_when_the_note_can_t_be_written()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        var obstacle = Path.Combine(rig.Folder.Journal, $"{copy.Id}.tmp");
        Directory.CreateDirectory(obstacle);
        await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        Assert.That(rig.Store.Conditions, Is.Empty);
        Directory.Delete(obstacle);
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("two"));
    }

    /// <summary>An indexed archive is known by its index.</summary>
    private static string IdentityOf(byte[] archive) =>
        ArchiveIndexReader.TryReadFooter(archive, archive.Length, out var location) ? $"index:{location.Digest}" : "";

    private static async Task LoseAnswerAsync(CacheRig rig, ModelCopy copy)
    {
        rig.Store.AfterPublish = _ => throw TestStore.Down();
        await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        Assert.That(copy.Model.State, Is.EqualTo(ModelState.Failed));
        rig.Store.AfterPublish = _ => { };
    }
}
