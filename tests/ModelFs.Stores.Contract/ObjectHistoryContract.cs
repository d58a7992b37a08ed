namespace ModelFs.Stores.Contract;

/// <summary>What <see cref="IObjectHistory"/> promises, for every store that keeps at least three past revisions. Each test gets an empty store.</summary>
public abstract class ObjectHistoryContract
{
    private IModelStore _store = null!;

    protected IModelStore Store => _store;

    protected IObjectHistory History => _store.History!;

    /// <summary>Whether the bytes of a past revision can be read without restoring it.</summary>
    protected virtual bool PastIsReadable => true;

    protected abstract Task<IModelStore> CreateEmptyStoreAsync();

    [SetUp]
    public async Task OpenAsync()
    {
        _store = await CreateEmptyStoreAsync();
        await _store.OpenAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task CloseAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    [Test]
    public async Task A_key_that_never_was_has_no_past()
    {
        var past = await PastOfAsync("none.tar.gz");
        Assert.That(past.Current, Is.Null);
        Assert.That(past.Past, Is.Empty);
    }

    [Test]
    public async Task A_store_that_keeps_says_so()
    {
        Assert.That(_store.Traits.Keeping, Is.Not.EqualTo(RevisionKeeping.Nothing));
        Assert.That((await PastOfAsync("m.tar.gz")).WhyNotKept, Is.Null);
    }

    [Test]
    public async Task What_was_never_replaced_is_current_and_has_no_past()
    {
        var only = await _store.PutAsync("m.tar.gz", [1, 2, 3]);
        var past = await PastOfAsync("m.tar.gz");
        Assert.That(past.Current, Is.EqualTo(only));
        Assert.That(past.Past, Is.Empty);
    }

    [Test]
    public async Task What_was_replaced_is_listed_newest_first_and_reads_as_it_was()
    {
        await _store.PutAsync("m.tar.gz", BytesContent.Random(1000, seed: 1));
        await _store.PutAsync("m.tar.gz", BytesContent.Random(2000, seed: 2));
        var current = await _store.PutAsync("m.tar.gz", BytesContent.Random(3000, seed: 3));
        var past = await PastOfAsync("m.tar.gz");
        Assert.That(past.Current, Is.EqualTo(current));
        Assert.That(past.Past.Select(each => (each.Key, each.Length, each.WasDeleted)), Is.EqualTo(new[] { ("m.tar.gz", 2000L, false), ("m.tar.gz", 1000L, false) }));
        Assert.That(past.Past.Select(each => each.Id), Is.Unique);
        foreach (var each in past.Past)
        {
            Assert.That(each.Ended, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
            Assert.That(each.Modified, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
        }

        if (PastIsReadable)
        {
            Assert.That(await GetAsync(past.Past[0]), Is.EqualTo(BytesContent.Random(2000, seed: 2)));
            Assert.That(await GetAsync(past.Past[1]), Is.EqualTo(BytesContent.Random(1000, seed: 1)));
            Assert.That(await GetAsync(past.Past[1], 100, 200), Is.EqualTo(BytesContent.Random(1000, seed: 1)[100..300]));
        }
        else
        {
            Assert.That(past.Past.Select(each => each.IsReadable), Has.None.True);
            Assert.That(await StoreConversations.FailureKindOf(() => GetAsync(past.Past[0])), Is.EqualTo(StoreErrorKind.Rejected));
        }
    }

    [Test]
    public async Task The_past_is_in_no_listing_and_answers_no_look_up()
    {
        await _store.PutAsync("m.tar.gz", [1]);
        await _store.PutAsync("m.tar.gz", [2]);
        await _store.PutAsync("gone.tar.gz", [3]);
        await _store.DeleteAsync("gone.tar.gz", null, CancellationToken.None);
        Assert.That((await _store.AllAsync()).Select(each => each.Key), Is.EqualTo(new[] { "m.tar.gz" }));
        Assert.That(await _store.StatAsync("gone.tar.gz", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_past_revision_is_restored_and_what_it_replaces_is_kept()
    {
        var first = BytesContent.Random(100_000, seed: 4);
        var second = BytesContent.Random(100_000, seed: 5);
        await _store.PutAsync("m.tar.gz", first);
        var replaced = await _store.PutAsync("m.tar.gz", second);
        var past = await PastOfAsync("m.tar.gz");

        var restored = await RestoreAsync(past, past.Past[0]);
        Assert.That(restored.Revision, Is.Not.EqualTo(replaced.Revision));
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(restored));
        Assert.That(await _store.GetAsync(restored), Is.EqualTo(first));
        Assert.That(restored.LastModified, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));

        var again = await PastOfAsync("m.tar.gz");
        var back = await RestoreAsync(again, again.Past[0]);
        Assert.That(await _store.GetAsync(back), Is.EqualTo(second));
    }

    [Test]
    public async Task What_was_deleted_is_restored()
    {
        var bytes = BytesContent.Random(5000, seed: 6);
        await _store.PutAsync("m.tar.gz", bytes);
        await _store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        var past = await PastOfAsync("m.tar.gz");
        Assert.That(past.Current, Is.Null);
        Assert.That(past.Past.Select(each => (each.Length, each.WasDeleted)), Is.EqualTo(new[] { (5000L, true) }));

        var restored = await RestoreAsync(past, past.Past[0]);
        Assert.That((await _store.AllAsync()).Select(each => each.Revision), Is.EqualTo(new[] { restored.Revision }));
        Assert.That(await _store.GetAsync(restored), Is.EqualTo(bytes));
    }

    [Test]
    public async Task A_restore_does_not_replace_a_newer_revision_than_the_one_that_was_shown()
    {
        await _store.PutAsync("m.tar.gz", [1]);
        await _store.PutAsync("m.tar.gz", [2]);
        var past = await PastOfAsync("m.tar.gz");
        var newer = await _store.PutAsync("m.tar.gz", [3]);
        Assert.That(await StoreConversations.FailureKindOf(() => RestoreAsync(past, past.Past[0])), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(newer));
    }

    [Test]
    public async Task A_restore_of_a_deleted_key_does_not_replace_one_that_was_made_since()
    {
        await _store.PutAsync("m.tar.gz", [1]);
        await _store.DeleteAsync("m.tar.gz", null, CancellationToken.None);
        var past = await PastOfAsync("m.tar.gz");
        var newer = await _store.PutAsync("m.tar.gz", [3]);
        Assert.That(await StoreConversations.FailureKindOf(() => RestoreAsync(past, past.Past[0])), Is.EqualTo(StoreErrorKind.PreconditionFailed));
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(newer));
    }

    [Test]
    public async Task A_key_does_not_share_the_past_of_keys_that_begin_as_it_does()
    {
        foreach (var key in new[] { "m", "m.tar.gz", "m.tar.gz.bak" })
        {
            await _store.PutAsync(key, new byte[key.Length]);
            await _store.PutAsync(key, [1]);
        }

        Assert.That((await PastOfAsync("m.tar.gz")).Past.Select(each => each.Length), Is.EqualTo(new[] { 8L }));
        Assert.That((await PastOfAsync("m")).Past.Select(each => each.Length), Is.EqualTo(new[] { 1L }));
    }

    [TestCase("ünïcödé-模型.tar.gz")]
    [TestCase("a&b=c?d#e.tar.gz")]
    [TestCase("a b+c.tar.gz")]
    public async Task Odd_names_have_a_past_too(string key)
    {
        await _store.PutAsync(key, [1]);
        await _store.PutAsync(key, [2, 2]);
        var past = await PastOfAsync(key);
        Assert.That(await _store.GetAsync(await RestoreAsync(past, past.Past.Single())), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public async Task A_revision_that_is_not_there_is_not_restored()
    {
        await _store.PutAsync("m.tar.gz", [1]);
        await _store.PutAsync("m.tar.gz", [2]);
        var past = await PastOfAsync("m.tar.gz");
        var madeUp = past.Past[0] with { Id = (past.Past[0].Id[0] == '1' ? '2' : '1') + past.Past[0].Id[1..] };
        Assert.That(await StoreConversations.FailureKindOf(() => RestoreAsync(past, madeUp)), Is.EqualTo(StoreErrorKind.RevisionChanged));
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(past.Current));
    }

    [Test]
    public async Task A_refused_publish_or_delete_leaves_no_trace_in_the_past()
    {
        var first = await _store.PutAsync("m.tar.gz", [1]);
        var second = await _store.PutAsync("m.tar.gz", [2]);
        var before = (await PastOfAsync("m.tar.gz")).Past.Select(each => each.Id).ToList();
        await StoreConversations.FailureOf(() => _store.PutAsync("m.tar.gz", [3], PublishCondition.Matches(first.Revision)));
        await StoreConversations.FailureOf(() => _store.PutAsync("m.tar.gz", [3], PublishCondition.Absent));
        await StoreConversations.FailureOf(() => _store.DeleteAsync("m.tar.gz", first.Revision, CancellationToken.None));
        var past = await PastOfAsync("m.tar.gz");
        Assert.That(past.Current, Is.EqualTo(second));
        Assert.That(past.Past.Select(each => each.Id), Is.EqualTo(before));
    }

    protected Task<ObjectPast> PastOfAsync(string key) => History.ListAsync(key, CancellationToken.None);

    protected Task<StoredObject> RestoreAsync(ObjectPast shown, PastRevision wanted) => History.RestoreAsync(
        wanted, shown.Current is { } current ? PublishCondition.Matches(current.Revision) : PublishCondition.Absent, CancellationToken.None);

    protected async Task<byte[]> GetAsync(PastRevision source, long offset = 0, long? length = null)
    {
        await using var stream = await History.ReadAsync(source, offset, length ?? source.Length, CancellationToken.None);
        return await StoreConversations.DrainAsync(stream);
    }
}
