using Microsoft.Extensions.Time.Testing;

namespace ModelFs.Stores.Tests;

/// <summary>The contract with kept copies beside a folder, and what a crash or a full disk may leave of them.</summary>
[TestFixture]
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class FolderHistoryTests : ObjectHistoryContract
{
    private TemporaryFolder _temporary = null!;
    private string _folder = null!;

    private string KeptFolder => Path.Combine(_folder, FolderKeeper.FolderName);

    protected override Task<IModelStore> CreateEmptyStoreAsync()
    {
        _temporary = new TemporaryFolder();
        _folder = Path.Combine(_temporary.Path, "store");
        return Task.FromResult<IModelStore>(StoreThatKeeps(3));
    }

    [TearDown]
    public void RemoveFolder() => _temporary.Dispose();

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task Only_the_newest_so_many_are_kept(int count)
    {
        await using var store = StoreThatKeeps(count);
        await store.OpenAsync(CancellationToken.None);
        for (byte i = 1; i <= 5; i++)
        {
            await store.PutAsync("m.tar.gz", new byte[i]);
        }

        var past = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        Assert.That(past.Past.Select(each => each.Length), Is.EqualTo(new long[] { 4, 3 }.Take(count)));
        Assert.That(past.WhyNotKept is null, Is.EqualTo(count > 0));
        Assert.That(KeptFiles(), Has.Length.EqualTo(count));
    }

    [Test]
    public async Task Keeping_none_removes_what_was_kept_of_a_key_at_its_next_publish()
    {
        await Store.PutAsync("m.tar.gz", [1]);
        await Store.PutAsync("m.tar.gz", [2]);
        await using var store = StoreThatKeeps(0);
        await store.OpenAsync(CancellationToken.None);
        await store.PutAsync("m.tar.gz", [3]);
        Assert.That(KeptFiles(), Is.Empty);
        await store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        Assert.That(KeptFiles(), Is.Empty);
    }

    [Test]
    public async Task A_program_that_was_not_told_keeps_as_many_as_there_are_and_at_least_one()
    {
        await using var store = new FolderStore(_folder, new StoreOptions());
        await store.OpenAsync(CancellationToken.None);
        for (byte i = 1; i <= 3; i++)
        {
            await store.PutAsync("m.tar.gz", new byte[i]);
        }

        Assert.That((await PastOfAsync("m.tar.gz")).Past.Select(each => each.Length), Is.EqualTo(new long[] { 2 }));
        await Store.PutAsync("m.tar.gz", new byte[4]);
        await store.PutAsync("m.tar.gz", new byte[5]);
        Assert.That((await PastOfAsync("m.tar.gz")).Past.Select(each => each.Length), Is.EqualTo(new long[] { 4, 3 }));
    }

    [Test]
    public async Task A_restore_by_a_program_that_keeps_fewer_takes_nothing_else_away()
    {
        for (byte i = 1; i <= 4; i++)
        {
            await Store.PutAsync("m.tar.gz", new byte[i]);
        }

        await using var store = StoreThatKeeps(1);
        await store.OpenAsync(CancellationToken.None);
        var past = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        await store.History.RestoreAsync(past.Past[1], PublishCondition.Matches(past.Current!.Revision), CancellationToken.None);
        Assert.That((await PastOfAsync("m.tar.gz")).Past.Select(each => each.Length), Is.EqualTo(new long[] { 4, 3, 1 }));
    }

    [Test]
    public async Task A_publish_killed_before_the_exchange_leaves_the_old_archive_and_no_past()
    {
        var old = await Store.PutAsync("m.tar.gz", [1]);
        await Store.PutAsync("other.tar.gz", [1]);
        await Store.PutAsync("other.tar.gz", [2]);
        var place = Directory.CreateDirectory(Path.Combine(KeptFolder, "m.tar.gz")).FullName;
        var half = Path.Combine(place, "half");
        await File.WriteAllBytesAsync(half, [9, 9]);
        File.Move(half, Path.Combine(place, "20260101T000000.000000.new-" + InodeOf(half)));

        Assert.That(await Store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(old));
        Assert.That((await PastOfAsync("m.tar.gz")).Past, Is.Empty);
        await Store.PutAsync("m.tar.gz", [3]);
        Assert.That((await PastOfAsync("m.tar.gz")).Past.Select(each => each.Length), Is.EqualTo(new long[] { 1 }));
        Assert.That(KeptFiles().Where(file => file.Contains("new-", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_publish_killed_after_the_exchange_has_happened_and_the_old_archive_is_kept()
    {
        var first = await Store.PutAsync("m.tar.gz", [1]);
        await Store.PutAsync("m.tar.gz", [2, 2]);
        var kept = KeptFiles().Single();
        File.Move(kept, kept.Replace("replaced", "new-" + InodeOf(Path.Combine(_folder, "m.tar.gz")), StringComparison.Ordinal));

        var past = await PastOfAsync("m.tar.gz");
        Assert.That(past.Current!.Length, Is.EqualTo(2));
        Assert.That(past.Past.Single().Length, Is.EqualTo(first.Length));
        Assert.That(await Store.GetAsync(await RestoreAsync(past, past.Past[0])), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public async Task The_current_archive_keeps_its_revision_while_others_are_kept_and_removed()
    {
        await Store.PutAsync("m.tar.gz", [1]);
        var current = await Store.PutAsync("m.tar.gz", [2]);
        await using var store = StoreThatKeeps(0);
        await store.OpenAsync(CancellationToken.None);
        await PastOfAsync("m.tar.gz");
        Assert.That(await store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(current));
    }

    [Test]
    public async Task What_was_deleted_goes_after_a_week_and_what_was_replaced_stays()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var store = new FolderStore(_folder, new StoreOptions { TimeProvider = time });
        await store.OpenAsync(CancellationToken.None);
        await store.PutAsync("gone.tar.gz", [1]);
        await store.DeleteAsync("gone.tar.gz", null, CancellationToken.None);
        await store.PutAsync("m.tar.gz", [1]);
        await store.PutAsync("m.tar.gz", [2, 2]);
        time.Advance(FolderKeeper.DeletedLifetime + TimeSpan.FromHours(1));
        await store.PutAsync("m.tar.gz", [3, 3, 3]);
        Assert.That((await store.History!.ListAsync("gone.tar.gz", CancellationToken.None)).Past, Is.Empty);
        Assert.That((await store.History.ListAsync("m.tar.gz", CancellationToken.None)).Past.Select(each => each.Length), Is.EqualTo(new long[] { 2 }));
        Assert.That(Directory.GetDirectories(KeptFolder).Select(Path.GetFileName), Is.EqualTo(new[] { "m.tar.gz" }));
    }

    [Test]
    public async Task A_publish_goes_on_when_nothing_can_be_kept()
    {
        await Store.PutAsync("m.tar.gz", [1]);
        await File.WriteAllTextAsync(KeptFolder, "in the way");
        var published = await Store.PutAsync("m.tar.gz", [2]);
        Assert.That(await Store.GetAsync(published), Is.EqualTo(new byte[] { 2 }));
        Assert.That((await PastOfAsync("m.tar.gz")).Past, Is.Empty);
        await Store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        Assert.That(await Store.StatAsync("m.tar.gz", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Who_may_write_to_the_store_may_keep_in_it()
    {
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_111_101);
        await Store.PutAsync("m.tar.gz", [1]);
        await Store.PutAsync("m.tar.gz", [2]);
        Assert.That((int)File.GetUnixFileMode(KeptFolder), Is.EqualTo(0b111_111_101));
        Assert.That((int)File.GetUnixFileMode(Path.Combine(KeptFolder, "m.tar.gz")), Is.EqualTo(0b111_111_101));
    }

    private static string InodeOf(string path)
    {
        Assert.That(FileIdentity.TryGet(path, out var identity), Is.Zero);
        return identity.Revision.Value.Split('-')[0];
    }

    private string[] KeptFiles() => Directory.Exists(KeptFolder) ? Directory.GetFiles(KeptFolder, "*", SearchOption.AllDirectories) : [];

    private FolderStore StoreThatKeeps(int? count) => new(_folder, new StoreOptions { KeepRevisions = count });
}
