namespace ModelFs.Cache.Tests;

/// <summary>What a person decides about versions that lost against the store, and about changes that may not be whole.</summary>
internal sealed class ResolveTests
{
    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public async Task Mine_replaces_the_store_s_version_of_now([Values] bool restart, [Values] bool fetched)
    {
        await using var rig = await ConflictingAsync();
        if (fetched)
        {
            await rig.AcquireAsync("bert");
        }

        if (restart)
        {
            await rig.RestartAsync();
        }

        await rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Mine, CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("mine"));
        Assert.That(rig.Store.Conditions.Last().Revision?.Value, Is.EqualTo("r2"), "conditional on what the person saw");
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("mine"));
        await rig.RestartAsync();
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(rig.Cache.Pending, Is.Empty);
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("mine"));
    }

    [Test]
    public async Task Mine_loses_again_when_somebody_publishes_in_the_meantime()
    {
        await using var rig = await ConflictingAsync();
        var raced = false;
        rig.Store.BeforePublish = key =>
        {
            if (!raced)
            {
                raced = true;
                rig.Store.Put(key, Text("theirs again"));
            }

            return Task.CompletedTask;
        };
        var lost = await CacheRig.FailsAsync(() => rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Mine, CancellationToken.None));
        Assert.That(lost.Kind, Is.EqualTo(ModelErrorKind.Conflict));
        Assert.That(rig.Cache.Conflicts.Select(copy => CacheRig.Read(copy, "text")), Is.EqualTo(new[] { "mine" }));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("theirs again"));
        await rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Mine, CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("mine"));
    }

    [Test]
    public async Task Mine_makes_a_model_again_that_was_deleted_in_the_store()
    {
        await using var rig = await ConflictingAsync();
        rig.Store.Remove("bert.tar.gz");
        await rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Mine, CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("mine"));
    }

    [Test]
    public async Task Mine_waits_for_changes_of_the_store_s_version()
    {
        await using var rig = await ConflictingAsync();
        await rig.WriteAsync(await rig.AcquireAsync("bert"), "text", "theirs, edited here");
        var refused = await CacheRig.FailsAsync(() => rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Mine, CancellationToken.None));
        Assert.That(refused.Kind, Is.EqualTo(ModelErrorKind.Busy));
        Assert.That(rig.Cache.Conflicts, Has.Count.EqualTo(1));
        Assert.That(CacheRig.Read(rig.Model("bert").Copy!, "text"), Is.EqualTo("theirs, edited here"));
    }

    [Test]
    public async Task A_publish_of_mine_that_fails_goes_on_being_tried()
    {
        await using var rig = await ConflictingAsync();
        rig.Store.BeforePublish = _ => Task.FromException(TestStore.Down());
        await CacheRig.FailsAsync(() => rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Mine, CancellationToken.None));
        Assert.That(rig.Cache.Pending.Select(model => model.Name.ToString()), Is.EqualTo(new[] { "bert" }));
        rig.Store.BeforePublish = _ => Task.CompletedTask;
        await rig.RestartAsync();
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        await CacheRig.UntilCleanAsync(rig.Model("bert").Copy!);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo("mine"));
    }

    [Test]
    public async Task Theirs_gives_the_local_version_up()
    {
        await using var rig = await ConflictingAsync();
        var kept = rig.Cache.Conflicts.Single();
        await rig.Cache.ResolveAsync(rig.Model("bert"), KeptVersion.Theirs, CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(Directory.Exists(kept.Folder), Is.False);
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo("theirs"));
        await rig.RestartAsync();
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task Both_makes_a_second_model([Values("bert", "team/bert")] string path)
    {
        await using var rig = await ConflictingAsync(path);
        var name = ModelCache.NameBeside(rig.Cache.Conflicts.Single());
        Assert.That(name.Name, Does.StartWith("bert-" + Environment.MachineName));
        await rig.Cache.ResolveAsync(rig.Cache.Conflicts.Single(), KeptVersion.Both, CancellationToken.None);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes(path.Replace("/", "___", StringComparison.Ordinal) + ".tar.gz")), Is.EqualTo("theirs"));
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes(name.Stem + ".tar.gz")), Is.EqualTo("mine"));
        Assert.That(CacheRig.Read(await rig.AcquireAsync(path), "text"), Is.EqualTo("theirs"));
        Assert.That(CacheRig.Read(await rig.AcquireAsync(name.ToString()), "text"), Is.EqualTo("mine"));
    }

    [Test]
    public async Task A_review_ends_as_its_person_says([Values] KeptVersion keep)
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("theirs")));
        await rig.WriteAsync(await rig.AcquireAsync("bert"), "text", "mine");
        await LosePowerAsync(rig, rig.Model("bert").Copy!);
        Assert.That(rig.Model("bert").Copy!.NeedsReview, Is.True);
        await rig.Cache.ResolveAsync(rig.Model("bert"), keep, CancellationToken.None);
        Assert.That(SampleArchive.OnlyFile(rig.Store.Bytes("bert.tar.gz")), Is.EqualTo(keep == KeptVersion.Mine ? "mine" : "theirs"));
        Assert.That(rig.Store.Keys.Count(), Is.EqualTo(keep == KeptVersion.Both ? 2 : 1));
        Assert.That(CacheRig.Read(await rig.AcquireAsync("bert"), "text"), Is.EqualTo(keep == KeptVersion.Mine ? "mine" : "theirs"));
        Assert.That(rig.Model("bert").LastError, Is.Null);
        Assert.That(rig.Cache.Pending, Is.Empty);
        Assert.That(rig.Cache.Conflicts, Is.Empty);
    }

    [Test]
    public async Task The_only_version_of_a_model_is_not_given_up_by_a_review()
    {
        await using var rig = await CacheRig.StartedAsync();
        await rig.WriteAsync(await rig.CreateAsync("bert"), "text", "mine");
        await LosePowerAsync(rig, rig.Model("bert").Copy!);
        Assert.That((await CacheRig.FailsAsync(() => rig.Cache.ResolveAsync(rig.Model("bert"), KeptVersion.Theirs, CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.NotPermitted));
        Assert.That(CacheRig.Read(rig.Model("bert").Copy!, "text"), Is.EqualTo("mine"));
    }

    [Test]
    public async Task A_daemon_that_dies_on_the_way_leaves_the_conflict_or_the_change()
    {
        await using var rig = await ConflictingAsync();
        var kept = rig.Cache.Conflicts.Single();
        await rig.StopAsync();

        // Between the mark and the manifest.
        new CacheJournal(rig.Folder, rig.Time).Mark(kept.Id, "bert.tar.gz", CacheJournal.StateDirty);
        await rig.StartAsync();
        Assert.That(rig.Cache.Conflicts.Select(copy => CacheRig.Read(copy, "text")), Is.EqualTo(new[] { "mine" }));
        Assert.That(rig.Cache.Pending, Is.Empty);
    }

    private static async Task LosePowerAsync(CacheRig rig, ModelCopy copy)
    {
        await rig.StopAsync();
        var mark = Path.Combine(rig.Root, "journal", $"{copy.Id}");
        DurableFile.Write(mark, DurableFile.Read(mark, CacheJson.Default.JournalMark)! with { BootId = "another boot" }, CacheJson.Default.JournalMark, durable: false);
        await rig.StartAsync();
    }

    private static async Task<CacheRig> ConflictingAsync(string path = "bert")
    {
        var key = path.Replace("/", "___", StringComparison.Ordinal) + ".tar.gz";
        var rig = await CacheRig.StartedAsync(null, (key, Text("one")));
        await rig.WriteAsync(await rig.AcquireAsync(path), "text", "mine");
        rig.Store.Put(key, Text("theirs"));
        await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(rig.Model(path), CancellationToken.None));
        Assert.That(rig.Cache.Conflicts, Has.Count.EqualTo(1));
        return rig;
    }
}
