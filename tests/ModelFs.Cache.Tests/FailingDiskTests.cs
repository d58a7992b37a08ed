namespace ModelFs.Cache.Tests;

/// <summary>What is left on the cache's disk when it refuses a step, once and for a while.</summary>
/// <remarks>
/// The disk refuses by what stands in the way: a folder that is reached through a link can be written to and not be synced, a folder in a
/// file's place can't be unlinked, and nothing can be moved into a file.
/// </remarks>
internal sealed class FailingDiskTests
{
    private CacheRig _rig = null!;

    private string Journal => _rig.Folder.Journal;

    [SetUp]
    public async Task StartAsync()
    {
        _rig = await CacheRig.StartedAsync(options => options with { AllowDelete = true }, ("a.tar.gz", SampleArchive.Of(("text", "one"))));
    }

    [TearDown]
    public async Task StopAsync() => await _rig.DisposeAsync();

    [Test]
    public void A_deletion_whose_note_may_not_be_on_the_disk_is_not_noted()
    {
        var journal = new CacheJournal(_rig.Folder, _rig.Time);
        var intent = new ModelIntent(1, 0, ModelIntent.KindDelete, "a.tar.gz", "r1", null, null, 1, _rig.Time.GetUtcNow());
        using (new UnsyncableFolder(Journal))
        {
            Assert.Throws<ModelException>(() => journal.NoteIntent(intent));
        }

        Assert.That(Directory.EnumerateFiles(Journal), Is.Empty);
        Assert.That(new CacheJournal(_rig.Folder, _rig.Time).ReadIntents(), Is.Empty);
    }

    [Test]
    public async Task A_deletion_that_could_not_be_noted_is_not_done_by_the_next_daemon()
    {
        var copy = await _rig.AcquireAsync("a");
        await _rig.RemoveAsync(copy, "text");
        using (new UnsyncableFolder(Journal))
        {
            await CacheRig.FailsAsync(() => _rig.Cache.RemoveModelAsync(_rig.Model("a"), CancellationToken.None));
        }

        await _rig.RestartAsync();
        await _rig.QueueTurnAsync();
        Assert.That(_rig.Store.Keys, Is.EqualTo(["a.tar.gz"]));
    }

    [Test]
    public void A_mark_that_may_not_be_on_the_disk_marks_nothing()
    {
        var journal = new CacheJournal(_rig.Folder, _rig.Time);
        using (new UnsyncableFolder(Journal))
        {
            Assert.Throws<ModelException>(() => journal.Mark(7, "a.tar.gz", CacheJournal.StateDirty));
        }

        Assert.That(journal.IsMarked(7), Is.False);
    }

    [Test]
    public void A_copy_that_is_marked_stays_so_when_its_mark_can_not_be_written_again()
    {
        var journal = new CacheJournal(_rig.Folder, _rig.Time);
        journal.Mark(7, "a.tar.gz", CacheJournal.StateDirty);
        using (new UnsyncableFolder(Journal))
        {
            Assert.Throws<ModelException>(() => journal.Mark(7, "a.tar.gz", CacheJournal.StateSynced));
        }

        Assert.That(journal.IsMarked(7), Is.True);
    }

    [Test]
    public void A_mark_that_the_disk_kept_goes_when_it_is_well_again()
    {
        var journal = new CacheJournal(_rig.Folder, _rig.Time);
        journal.Mark(7, "a.tar.gz", CacheJournal.StateDirty);
        WhileNotRemovable("7", () => journal.Clear(7));
        Assert.That(journal.IsMarked(7), Is.True);
        journal.RemoveLeftOver();
        Assert.That(Directory.EnumerateFiles(Journal), Is.Empty);
    }

    [Test]
    public void A_mark_that_is_made_again_after_the_disk_kept_the_old_one_stays()
    {
        var journal = new CacheJournal(_rig.Folder, _rig.Time);
        journal.Mark(7, "a.tar.gz", CacheJournal.StateDirty);
        WhileNotRemovable("7", () => journal.Clear(7));
        journal.Mark(7, "a.tar.gz", CacheJournal.StateDirty);
        journal.RemoveLeftOver();
        Assert.That(journal.IsMarked(7), Is.True);
    }

    [Test]
    public void An_intent_that_the_disk_kept_gives_its_place_to_the_next_one()
    {
        var journal = new CacheJournal(_rig.Folder, _rig.Time);
        var first = journal.NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, "a.tar.gz", "r1", null, null, 1, _rig.Time.GetUtcNow()));
        WhileNotRemovable("intent-1", () => journal.EndIntent(first.Id));
        journal.NoteIntent(new ModelIntent(1, 0, ModelIntent.KindDelete, "b.tar.gz", "r2", null, null, 2, _rig.Time.GetUtcNow()));
        journal.RemoveLeftOver();
        Assert.That(journal.ReadIntents().Select(intent => intent.Key), Is.EqualTo(["b.tar.gz"]));
    }

    [Test]
    public async Task A_model_that_could_not_be_made_leaves_neither_a_mark_nor_a_folder()
    {
        for (var id = 1; id < 50; id++)
        {
            // Whatever id is next: its place is taken.
            Directory.CreateDirectory(Path.Combine(_rig.Folder.Trees, $"{id}"));
        }

        await CacheRig.FailsAsync(() => _rig.CreateAsync("new"));
        Assert.That(Directory.EnumerateFiles(Journal), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(_rig.Folder.Staging), Is.Empty);
    }

    [Test]
    public async Task A_removed_model_that_the_disk_keeps_stays_marked_and_goes_when_the_disk_is_well_again()
    {
        var copy = await _rig.CreateAsync("new");
        await _rig.WriteAsync(copy, "text", "x");
        await _rig.RemoveAsync(copy, "text");
        var staging = _rig.Folder.Staging;
        Directory.Move(staging, staging + ".away");
        File.WriteAllText(staging, "");
        await _rig.Cache.RemoveModelAsync(_rig.Model("new"), CancellationToken.None);
        Assert.That(Directory.Exists(copy.Folder), Is.True);
        Assert.That(Directory.EnumerateFiles(Journal), Is.Not.Empty, "the next daemon must not take it for what the store has");
        File.Delete(staging);
        Directory.Move(staging + ".away", staging);
        await _rig.Cache.SyncAsync(null, CancellationToken.None);
        Assert.That(Directory.Exists(copy.Folder), Is.False);
        Assert.That(Directory.EnumerateFiles(Journal), Is.Empty);
    }

    private void WhileNotRemovable(string name, Action act)
    {
        var path = Path.Combine(Journal, name);
        File.Move(path, path + ".away");
        Directory.CreateDirectory(path);
        act();
        Directory.Delete(path);
        File.Move(path + ".away", path);
    }

    /// <summary>As long as it lives a file in the folder gets its new name, and nothing promises that it lasts.</summary>
    private sealed class UnsyncableFolder : IDisposable
    {
        private readonly string _folder;

        public UnsyncableFolder(string folder)
        {
            _folder = folder;
            Directory.Move(folder, folder + ".away");
            Directory.CreateSymbolicLink(folder, folder + ".away");
        }

        public void Dispose()
        {
            Directory.Delete(_folder);
            Directory.Move(_folder + ".away", _folder);
        }
    }
}
