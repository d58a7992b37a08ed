namespace ModelFs.Stores.Tests;

[TestFixture]
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class FolderStoreTests : ModelStoreContract
{
    private TemporaryFolder _temporary = null!;
    private string _folder = null!;

    protected override Task<IModelStore> CreateEmptyStoreAsync()
    {
        _temporary = new TemporaryFolder();
        _folder = Path.Combine(_temporary.Path, "store");
        return Task.FromResult<IModelStore>(new FolderStore(_folder, new StoreOptions()));
    }

    [TearDown]
    public void RemoveFolder() => _temporary.Dispose();

    [Test]
    public async Task A_missing_folder_is_created_unless_that_is_refused()
    {
        var missing = Path.Combine(_temporary.Path, "a", "b");
        await using var refusing = new FolderStore(missing, new StoreOptions { CreateIfMissing = false });
        var failure = await StoreConversations.FailureOf(() => refusing.OpenAsync(CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.NotFound));
        Assert.That(failure.Message, Does.Contain(missing).And.Contain("mkdir"));

        await using var creating = new FolderStore(missing, new StoreOptions());
        await creating.OpenAsync(CancellationToken.None);
        Assert.That(Directory.Exists(missing), Is.True);
    }

    [Test]
    public async Task A_file_in_place_of_the_folder_is_refused()
    {
        var file = Path.Combine(_temporary.Path, "file");
        await File.WriteAllTextAsync(file, "");
        await using var store = new FolderStore(file, new StoreOptions());
        Assert.That(await StoreConversations.FailureKindOf(() => store.OpenAsync(CancellationToken.None)), Is.EqualTo(StoreErrorKind.Misconfigured));
    }

    [Test]
    public async Task A_copy_over_an_object_in_place_changes_its_revision_also_when_size_and_mtime_stay()
    {
        var published = await Store.PutAsync("m.tar.gz", [1, 2, 3]);
        var path = Path.Combine(_folder, "m.tar.gz");
        await using var open = await Store.ReadAsync(published, 0, 3, CancellationToken.None);

        // Kernels without fine-grained change times move them once per tick.
        var mtime = File.GetLastWriteTimeUtc(path);
        await WaitForNextTickAsync();
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Write([9, 9, 9]);
        }

        File.SetLastWriteTimeUtc(path, mtime);
        var now = await Store.StatAsync("m.tar.gz", CancellationToken.None);
        Assert.That(now!.LastModified, Is.EqualTo(published.LastModified));
        Assert.That(now.Revision, Is.Not.EqualTo(published.Revision));
        Assert.That(await StoreConversations.FailureKindOf(() => StoreConversations.DrainAsync(open)), Is.EqualTo(StoreErrorKind.RevisionChanged));
        Assert.That(await StoreConversations.FailureKindOf(() => Store.GetAsync(published)), Is.EqualTo(StoreErrorKind.RevisionChanged));
    }

    [Test]
    public async Task A_reader_whose_file_was_renamed_over_gets_the_old_bytes_or_an_error()
    {
        var bytes = BytesContent.Random(100_000, seed: 11);
        var published = await Store.PutAsync("m.tar.gz", bytes);
        await using var open = await Store.ReadAsync(published, 0, bytes.Length, CancellationToken.None);
        await Store.PutAsync("m.tar.gz", BytesContent.Random(100_000, seed: 12));
        try
        {
            Assert.That(await StoreConversations.DrainAsync(open), Is.EqualTo(bytes));
        }
        catch (StoreException exception)
        {
            Assert.That(exception.Kind, Is.EqualTo(StoreErrorKind.RevisionChanged));
        }
    }

    [Test]
    public async Task Folders_and_the_stores_own_files_are_no_objects()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "sub.tar.gz"));
        await File.WriteAllTextAsync(Path.Combine(_folder, ".modelfs-1-x.partial"), "half");
        await Store.PutAsync("m.tar.gz", [1]);
        Assert.That((await Store.AllAsync()).Select(o => o.Key), Is.EqualTo(new[] { "m.tar.gz" }));
        Assert.That(await Store.StatAsync("sub.tar.gz", CancellationToken.None), Is.Null);
        Assert.That(await Store.StatAsync("../store/m.tar.gz", CancellationToken.None), Is.Null);
        Assert.That(await StoreConversations.FailureKindOf(() => Store.PutAsync("../m.tar.gz", [1])), Is.EqualTo(StoreErrorKind.Rejected));
    }

    [Test]
    public async Task Leftovers_of_dead_publishers_go_after_a_day_and_younger_ones_stay()
    {
        var old = Path.Combine(_folder, ".modelfs-1-old.partial");
        var young = Path.Combine(_folder, ".modelfs-1-young.partial");
        await File.WriteAllTextAsync(old, "");
        await File.WriteAllTextAsync(young, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-25));
        await Store.OpenAsync(CancellationToken.None);
        Assert.That(File.Exists(old), Is.False);
        Assert.That(File.Exists(young), Is.True);
    }

    [Test]
    public async Task A_failed_publish_leaves_no_partial_file()
    {
        await Store.PutAsync("m.tar.gz", [1]);
        await StoreConversations.FailureOf(() => Store.PutAsync("m.tar.gz", [2], PublishCondition.Absent));
        Assert.That(Directory.GetFiles(_folder, "*.partial"), Is.Empty);
    }

    [Test]
    public void A_local_file_system_creates_atomically() =>
        Assert.That(Store.Traits.CreateCondition, Is.EqualTo(ConditionSupport.Atomic));

    [Test]
    public void A_full_file_system_is_a_quota_error()
    {
        if (!File.Exists("/dev/full"))
        {
            Assert.Ignore("this machine has no /dev/full");
        }

        // The errno is what the map is about; /dev/full gives ENOSPC to every write.
        var raw = Assert.Catch<IOException>(() =>
        {
            using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            full.Write([1]);
        });
        Assert.That(FolderErrors.From(raw!, "publishing", "/dev/full").Kind, Is.EqualTo(StoreErrorKind.QuotaExceeded));
    }

    [Test]
    public async Task A_folder_without_write_permission_can_still_be_read()
    {
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("permissions do not bind the superuser");
        }

        var published = await Store.PutAsync("m.tar.gz", [1]);
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            await Store.OpenAsync(CancellationToken.None);
            Assert.That(await Store.GetAsync(published), Is.EqualTo(new byte[] { 1 }));
            Assert.That(await StoreConversations.FailureKindOf(() => Store.PutAsync("n.tar.gz", [1])), Is.EqualTo(StoreErrorKind.AccessDenied));
        }
        finally
        {
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private async Task WaitForNextTickAsync()
    {
        var probe = Path.Combine(_temporary.Path, "tick");
        await File.WriteAllTextAsync(probe, "");
        var before = File.GetLastWriteTimeUtc(probe);
        do
        {
            await File.WriteAllTextAsync(probe, "x");
        }
        while (File.GetLastWriteTimeUtc(probe) == before);
    }
}
