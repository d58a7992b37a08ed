namespace ModelFs.Cache.Tests;

/// <summary>When a change is published (DESIGN, sections 2 and 4).</summary>
internal sealed class SettleTests
{
    private static readonly TimeSpan s_instant = TimeSpan.FromMilliseconds(1);

    private static (string Key, byte[] Bytes) Bert => ("bert.tar.gz", SampleArchive.Of(("metadata.json", "{}"), ("weights.bin", "1234"), ("old.txt", "x")));

    [Test]
    public async Task A_known_model_is_published_one_second_after_its_last_writer_closed()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "weights.bin", "12345");
        var closed = rig.Time.GetUtcNow();

        await rig.PassAsync(TimeSpan.FromSeconds(1) - s_instant);
        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(s_instant);
        await CacheRig.UntilCleanAsync(copy);

        Assert.That(rig.Store.Published, Is.EqualTo(new[] { ("bert.tar.gz", closed + TimeSpan.FromSeconds(1)) }));
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"))["weights.bin"], Is.EqualTo("12345"));
    }

    [Test]
    public async Task A_second_writer_begins_the_rest_anew()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "weights.bin", "12345");
        await rig.PassAsync(TimeSpan.FromSeconds(0.9));
        await rig.WriteAsync(copy, "weights.bin", "123456");
        await rig.PassAsync(TimeSpan.FromSeconds(0.9));
        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(TimeSpan.FromSeconds(0.1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task An_open_writer_holds_the_publish_up_however_long_it_lasts()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        await rig.Cache.BeginChangeAsync(copy, "weights.bin", ChangeKind.Write);
        await rig.WriteAsync(copy, "old.txt", "new");
        await rig.PassAsync(TimeSpan.FromDays(1));
        Assert.That(rig.Keys, Is.Empty);

        var refused = await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        Assert.That(refused.Kind, Is.EqualTo(ModelErrorKind.Busy));
        Assert.That(refused.Message, Does.Contain("bert/weights.bin"));

        rig.Cache.EndChange(copy, "weights.bin");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_new_model_rests_thirty_seconds()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        await rig.WriteAsync(copy, "weights.bin", "1");
        await rig.PassAsync(TimeSpan.FromSeconds(30) - s_instant);
        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(s_instant);
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Is.EqualTo(new[] { "gpt.tar.gz" }));
    }

    [Test]
    public async Task A_new_model_with_its_metadata_rests_one_second()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        await rig.WriteAsync(copy, "weights.bin", "1");
        await rig.WriteAsync(copy, "metadata.json", "{}");
        await rig.PassAsync(TimeSpan.FromSeconds(1) - s_instant);
        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(s_instant);
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Is.EqualTo(new[] { "gpt.tar.gz" }));
    }

    [Test]
    public async Task A_trainer_that_writes_for_ten_minutes_with_pauses_is_one_publish_after_its_metadata()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        for (var epoch = 1; epoch <= 10; epoch++)
        {
            // Half a minute of writing to one file, with nothing to see from outside, then nearly as long a pause.
            await rig.Cache.BeginChangeAsync(copy, "weights.bin", ChangeKind.Write);
            await rig.PassAsync(TimeSpan.FromSeconds(35));
            await File.WriteAllTextAsync(Path.Combine(copy.Content, "weights.bin"), $"epoch {epoch}");
            rig.Cache.EndChange(copy, "weights.bin");
            await rig.PassAsync(TimeSpan.FromSeconds(29));
            Assert.That(rig.Keys, Is.Empty, $"epoch {epoch}");
        }

        await rig.WriteAsync(copy, "metadata.json", "{}");
        var written = rig.Time.GetUtcNow();
        await rig.PassAsync(TimeSpan.FromSeconds(1) - s_instant);
        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(s_instant);
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Store.Published, Is.EqualTo(new[] { ("gpt.tar.gz", written + TimeSpan.FromSeconds(1)) }));
        Assert.That(SampleArchive.Files(rig.Store.Bytes("gpt.tar.gz"))["gpt/weights.bin"], Is.EqualTo("epoch 10"));

        await rig.PassAsync(TimeSpan.FromDays(1));
        Assert.That(rig.Keys, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_temporary_file_that_was_renamed_by_the_time_of_the_publish_is_in_no_archive()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        for (var save = 0; save < 5; save++)
        {
            await rig.WriteAsync(copy, "weights.bin.tmp", $"save {save}");
            await rig.PassAsync(TimeSpan.FromSeconds(0.9));
            await rig.Cache.BeginChangeAsync(copy, "weights.bin", ChangeKind.Write);
            File.Move(Path.Combine(copy.Content, "weights.bin.tmp"), Path.Combine(copy.Content, "weights.bin"), overwrite: true);
            rig.Cache.EndChange(copy, "weights.bin");
            await rig.PassAsync(TimeSpan.FromSeconds(0.9));
        }

        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(TimeSpan.FromSeconds(0.1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Keys, Has.Count.EqualTo(1));
        var files = SampleArchive.Files(rig.Store.Bytes("bert.tar.gz"));
        Assert.That(files.Keys, Is.EquivalentTo(new[] { "metadata.json", "weights.bin", "old.txt" }));
        Assert.That(files["weights.bin"], Is.EqualTo("save 4"));
    }

    [Test]
    public async Task A_change_that_only_removes_rests_thirty_seconds()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        await rig.RemoveAsync(copy, "old.txt");
        await rig.PassAsync(TimeSpan.FromSeconds(30) - s_instant);
        Assert.That(rig.Keys, Is.Empty);
        await rig.PassAsync(s_instant);
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz")).Keys, Is.EquivalentTo(new[] { "metadata.json", "weights.bin" }));
    }

    [Test]
    public async Task A_model_without_any_file_is_never_published()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        var revision = rig.Store.Revision("bert.tar.gz");
        foreach (var name in new[] { "metadata.json", "weights.bin", "old.txt" })
        {
            await rig.RemoveAsync(copy, name);
        }

        await rig.PassAsync(TimeSpan.FromMinutes(1));
        await CacheRig.UntilAsync(() => copy.Model.State == ModelFs.Models.ModelState.Dirty && !rig.Cache.Pending.Contains(copy.Model), "the attempt to end");
        await rig.PassAsync(TimeSpan.FromDays(1));
        Assert.That(rig.Store.Conditions, Is.Empty);
        Assert.That(rig.Store.Revision("bert.tar.gz"), Is.EqualTo(revision));

        await rig.WriteAsync(copy, "again.txt", "back");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz")).Keys, Is.EqualTo(new[] { "again.txt" }));
    }

    [Test]
    public async Task Nothing_is_sent_when_the_tree_equals_its_base()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        var file = Path.Combine(copy.Content, "weights.bin");
        var before = File.GetLastWriteTimeUtc(file);
        await rig.WriteAsync(copy, "weights.bin", "12345");
        await rig.WriteAsync(copy, "weights.bin", "1234");
        File.SetLastWriteTimeUtc(file, before);

        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await CacheRig.UntilCleanAsync(copy);
        Assert.That(rig.Store.Conditions, Is.Empty);
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Not.Empty, "the probe's own mark");
        Assert.That(File.Exists(Path.Combine(rig.Folder.Journal, $"{copy.Id}")), Is.False);
    }

    [Test]
    public async Task A_sync_publishes_at_once()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        await rig.WriteAsync(copy, "weights.bin", "1");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(rig.Keys, Is.EqualTo(new[] { "gpt.tar.gz" }));
        Assert.That(copy.IsDirty, Is.False);
    }

    [Test]
    public async Task Draining_publishes_what_is_pending_and_names_what_is_left()
    {
        await using var rig = await CacheRig.StartedAsync(null, Bert);
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "weights.bin", "12345");
        var open = await rig.CreateAsync("open");
        await rig.Cache.BeginChangeAsync(open, "log", ChangeKind.Write);
        var drain = rig.Cache.DrainAsync(TimeSpan.FromSeconds(20), CancellationToken.None);
        await CacheRig.UntilCleanAsync(copy);
        await CacheRig.UntilAsync(
            () =>
            {
                rig.Time.Advance(TimeSpan.FromSeconds(1));
                return drain.IsCompleted;
            },
            "the drain's deadline");
        Assert.That(await drain, Is.EqualTo(new[] { open.Model }));
        Assert.That(rig.Keys, Is.EqualTo(new[] { "bert.tar.gz" }));
    }
}
