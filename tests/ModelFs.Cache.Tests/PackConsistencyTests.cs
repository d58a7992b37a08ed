using System.IO.MemoryMappedFiles;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>What may be packed (DESIGN, section 4): nothing that a program can still write to.</summary>
internal sealed class PackConsistencyTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public async Task A_mapping_that_can_still_write_delays_the_publish()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("before")));
        var copy = await rig.AcquireAsync("bert");
        var path = Path.Combine(copy.Content, "text");
        IgnoreWithoutLeases(path);
        await rig.Cache.BeginChangeAsync(copy, "text", ChangeKind.Write);
        PosixFile.Stat(path, out var status);
        ModelCache.NoteWritten(copy, status.Inode);
        MemoryMappedViewAccessor view;
        using (var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open))
        {
            view = file.CreateViewAccessor();
        }

        using (view)
        {
            // The program has closed its descriptor; only the mapping is left.
            rig.Cache.EndChange(copy, "text");
            view.Write(0, (byte)'B');
            var busy = await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
            Assert.That(busy.Kind, Is.EqualTo(ModelErrorKind.Busy));
            Assert.That(busy.Message, Does.Contain("bert/text"));
            view.Write(1, (byte)'E');
            await rig.PassAsync(TimeSpan.FromHours(1));
            Assert.That(rig.Store.Conditions, Is.Empty);
        }

        await CacheRig.UntilAsync(() => copy.Model.State == ModelState.Dirty, "the last attempt to end");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("BEfore"));
    }

    [Test]
    public async Task A_writer_that_the_daemon_before_this_one_let_in_delays_the_publish()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("before")));
        var path = Path.Combine((await rig.AcquireAsync("bert")).Content, "text");
        IgnoreWithoutLeases(path);
        await rig.WriteAsync(rig.Model("bert").Copy!, "text", "after");
        await rig.StopAsync();
        await rig.StartAsync(resumed: true);
        var copy = rig.Model("bert").Copy!;
        Assert.That(copy.IsDirty, Is.True);
        using (File.Open(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            Assert.That((await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.Busy));
        }

        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("after"));
    }

    [Test]
    public async Task A_change_during_the_upload_leaves_the_model_dirty_and_is_published_next()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        var reached = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        rig.Store.BeforePublish = _ =>
        {
            reached.TrySetResult();
            return go.Task;
        };
        var sync = rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        await reached.Task;
        await rig.WriteAsync(copy, "text", "three");
        go.SetResult();
        await sync;

        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("two"), "the upload had its bytes before the change");
        Assert.That(copy.IsDirty, Is.True);
        Assert.That(File.Exists(Path.Combine(rig.Folder.Journal, $"{copy.Id}")), Is.True);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["text"], Is.EqualTo("three"));
        Assert.That(rig.Keys, Has.Count.EqualTo(2));
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task Weights_that_change_while_they_are_sent_are_not_published_half_and_not_kept_from_being_published()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("bert");
        await rig.WriteAsync(copy, "metadata.json", "{}");
        await rig.WriteAsync(copy, "weights", PackBaseTests.Incompressible(6 << 20));
        var weights = "";
        rig.Store.BeforePublish = async _ =>
        {
            weights = CacheRig.Read(copy, "weights");
            await rig.WriteAsync(copy, "weights", weights[1..]);
        };
        var busy = await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        Assert.That(busy.Kind, Is.EqualTo(ModelErrorKind.Busy));
        Assert.That(rig.Keys, Is.Empty);
        Assert.That(copy.IsDirty, Is.True);

        // They change each time that an upload has begun: what was packed is sent now, and the change after it.
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["bert/weights"], Is.EqualTo(weights));
        Assert.That(copy.IsDirty, Is.True);
        rig.Store.BeforePublish = _ => Task.CompletedTask;
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["bert/weights"], Is.EqualTo(weights[1..]));
        Assert.That(copy.IsDirty, Is.False);
    }

    [Test]
    public async Task A_change_before_the_upload_discards_the_pack()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", "two");
        await copy.Model.DiskTurn.WaitAsync();
        var sync = rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        await CacheRig.UntilAsync(() => copy.Model.State == ModelState.Publishing, "the attempt to begin");

        // The attempt waits for the turn to say in the journal that all is synced; a writer comes first.
        await rig.Cache.BeginChangeAsync(copy, "text", ChangeKind.Write);
        copy.Model.DiskTurn.Release();
        Assert.That((await CacheRig.FailsAsync(() => sync)).Kind, Is.EqualTo(ModelErrorKind.Busy));
        Assert.That(rig.Store.Conditions, Is.Empty);
        rig.Cache.EndChange(copy, "text");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Each_publish_is_conditional_on_the_revision_before()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        for (var round = 0; round < 3; round++)
        {
            await rig.WriteAsync(copy, "text", $"round {round}");
            await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        }

        Assert.That(
            rig.Store.Conditions.Select(condition => condition.MustBeAbsent ? "absent" : condition.Revision?.Value),
            Is.EqualTo(new[] { "absent", "r1", "r2" }));
    }

    private static void IgnoreWithoutLeases(string path)
    {
        if (PosixFile.ProbeQuiet(path) is var error && error != Errno.None)
        {
            Assert.Ignore($"the file system of {path} grants no leases: {error}");
        }
    }
}
