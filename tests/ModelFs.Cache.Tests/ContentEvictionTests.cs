using ModelFs.Cache.Hydration;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>Dropping and checking single files of indexed copies.</summary>
internal sealed class ContentEvictionTests
{
    private static readonly byte[] s_one = IndexedArchive.Noise(3 << 20, 1);
    private static readonly byte[] s_two = IndexedArchive.Noise(3 << 20, 2);
    private static readonly byte[] s_small = "{}"u8.ToArray();
    private static readonly byte[] s_archive = IndexedArchive.Of("bert", ("metadata.json", s_small), ("one.bin", s_one), ("two.bin", s_two));

    [Test]
    public async Task A_model_larger_than_the_cache_is_read_file_by_file()
    {
        await using var rig = await StartAsync(options => options with { BytesMax = 4 << 20 });
        var copy = await rig.AcquireAsync("bert");
        for (var round = 0; round < 3; round++)
        {
            await ReadAsync(rig, copy, "one.bin", s_one);
            await ReadAsync(rig, copy, "two.bin", s_two);
            Assert.That(rig.Cache.ContentBytes, Is.LessThanOrEqualTo(4 << 20));
        }

        Assert.That(copy.IsRetired, Is.False);
        Assert.That(Directory.GetFiles(copy.Content).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(new[] { "metadata.json", "one.bin", "two.bin" }));
    }

    [Test]
    public async Task An_open_file_is_not_dropped_and_who_needs_its_room_is_told()
    {
        await using var rig = await StartAsync(options => options with { BytesMax = 4 << 20 });
        var copy = await rig.AcquireAsync("bert");
        ModelCache.FileOpened(copy, "one.bin");
        await rig.Cache.PrepareReadAsync(copy, "one.bin", CancellationToken.None);
        var error = await CacheRig.FailsAsync(() => ReadAsync(rig, copy, "two.bin", s_two));
        Assert.That(error.Kind, Is.EqualTo(ModelErrorKind.NoSpace));
        Assert.That(error.Message, Does.Contain("--cache-size").And.Contain("bert"));
        Assert.That(File.ReadAllBytes(copy.Content + "/one.bin").AsSpan().SequenceEqual(s_one), Is.True);
        rig.Cache.FileClosed(copy, "one.bin");
        rig.Time.Advance(TimeSpan.FromSeconds(2));
        await ReadAsync(rig, copy, "two.bin", s_two);
    }

    [Test]
    public async Task A_file_of_which_only_a_part_is_here_gives_its_room_once_it_is_closed()
    {
        var large = IndexedArchive.Noise(20 << 20, 7);
        await using var rig = await StartAsync(options => options with { BytesMax = 10 << 20 });
        rig.Store.Put("large.tar.gz", IndexedArchive.Of("large", ("weights.bin", large)));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        var copy = await rig.AcquireAsync("large");
        ModelCache.FileOpened(copy, "weights.bin");
        Assert.That(await rig.Cache.PrepareReadAsync(copy, "weights.bin", CancellationToken.None), Is.True);
        await rig.Cache.WaitForContentAsync(copy, "weights.bin", 0, 1, CancellationToken.None);
        Assert.That(copy.Model.LastError, Is.Null, "that the rest of an opened file finds no room is nobody's failure");
        var error = await CacheRig.FailsAsync(() => rig.Cache.WaitForContentAsync(copy, "weights.bin", 0, 12 << 20, CancellationToken.None).AsTask());
        Assert.That(error.Kind, Is.EqualTo(ModelErrorKind.NoSpace));

        rig.Cache.FileClosed(copy, "weights.bin");
        await ReadAsync(rig, await rig.AcquireAsync("bert"), "one.bin", s_one);
        Assert.That(copy.BytesHere, Is.Zero);
        Assert.That(rig.Cache.ContentBytes, Is.EqualTo(s_one.Length));

        rig.Time.Advance(TimeSpan.FromSeconds(5));
        ModelCache.FileOpened(copy, "weights.bin");
        await rig.Cache.WaitForContentAsync(copy, "weights.bin", 5 << 20, 1, CancellationToken.None);
        var piece = new byte[1000];
        using (var file = File.OpenHandle(copy.Content + "/weights.bin"))
        {
            Assert.That(RandomAccess.Read(file, piece, 5 << 20), Is.EqualTo(piece.Length));
        }

        Assert.That(piece.AsSpan().SequenceEqual(large.AsSpan(5 << 20, piece.Length)), Is.True);
        rig.Cache.FileClosed(copy, "weights.bin");
    }

    [Test]
    public async Task A_file_that_was_renamed_while_it_is_open_is_not_dropped_under_its_new_name()
    {
        await using var rig = await StartAsync(options => options with { BytesMax = 7 << 20 });
        rig.Store.Put("other.tar.gz", IndexedArchive.Of("other", ("two.bin", IndexedArchive.Noise(6 << 20, 9))));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        var copy = await rig.AcquireAsync("bert");
        ModelCache.FileOpened(copy, "one.bin");
        await rig.Cache.PrepareReadAsync(copy, "one.bin", CancellationToken.None);
        await rig.Cache.BeginChangeAsync(copy, "one.bin", ChangeKind.Write);
        ModelCache.NameMoved(copy);
        File.Move(copy.Content + "/one.bin", copy.Content + "/moved.bin");
        rig.Cache.EndChange(copy, "one.bin");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        var other = await rig.AcquireAsync("other");
        ModelCache.FileOpened(other, "two.bin");
        Assert.That((await CacheRig.FailsAsync(async () => await rig.Cache.PrepareReadAsync(other, "two.bin", CancellationToken.None))).Kind, Is.EqualTo(ModelErrorKind.NoSpace));
        Assert.That(File.ReadAllBytes(copy.Content + "/moved.bin").AsSpan().SequenceEqual(s_one), Is.True);

        rig.Cache.FileClosed(copy, "one.bin");
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(await rig.Cache.PrepareReadAsync(other, "two.bin", CancellationToken.None), Is.False);
        Assert.That(new FileInfo(copy.Content + "/moved.bin").Length, Is.Zero);
    }

    [Test]
    public async Task Who_has_the_file_of_the_disk_open_keeps_its_bytes_and_the_name_is_told_to_the_kernel()
    {
        await using var rig = await StartAsync(options => options with { BytesMax = 4 << 20 });
        var replaced = new List<string>();
        rig.Cache.FileReplaced += (_, path) => replaced.Add(path);
        var copy = await rig.AcquireAsync("bert");
        await ReadAsync(rig, copy, "one.bin", s_one);
        using var held = File.OpenHandle(copy.Content + "/one.bin");
        await ReadAsync(rig, copy, "two.bin", s_two);
        var bytes = new byte[s_one.Length];
        Assert.That(RandomAccess.Read(held, bytes, 0), Is.EqualTo(s_one.Length));
        Assert.That(bytes.AsSpan().SequenceEqual(s_one), Is.True);
        Assert.That(replaced, Does.Contain("one.bin"));
        Assert.That(new FileInfo(copy.Content + "/one.bin").Length, Is.Zero);
    }

    [Test]
    public async Task Models_that_were_only_listed_are_bounded_and_the_ones_used_longest_ago_are_listed_again()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { Hydrate = HydratePolicy.File, ListedEntriesMax = 10 });
        for (var i = 0; i < 6; i++)
        {
            rig.Store.Put($"m{i}.tar.gz", IndexedArchive.Of($"m{i}", ("metadata.json", s_small), ("one.bin", s_one)));
        }

        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        var first = await rig.AcquireAsync("m0");
        await ReadAsync(rig, first, "metadata.json", s_small);
        var copies = new List<ModelCopy> { first };
        for (var i = 1; i < 6; i++)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(5));
            copies.Add(await rig.AcquireAsync($"m{i}"));
        }

        // Root and two files each: three models fit. One has content, so others went before it, though they were used later.
        Assert.That(copies.Select(copy => copy.IsRetired), Is.EqualTo(new[] { false, true, true, true, false, false }));
        Assert.That(await Task.WhenAll(copies.Where(copy => copy.IsRetired).Select(GoesAsync)), Is.All.True);
        Assert.That((await rig.AcquireAsync("m1")).Hydration!.Index.Entries, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_model_with_an_open_file_or_a_pin_stays_listed()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { Hydrate = HydratePolicy.None, ListedEntriesMax = 1 });
        foreach (var name in (string[])["open", "pinned", "other", "last"])
        {
            rig.Store.Put($"{name}.tar.gz", IndexedArchive.Of(name, ("metadata.json", s_small)));
        }

        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        var open = await rig.AcquireAsync("open");
        ModelCache.FileOpened(open, "metadata.json");
        rig.Cache.Pins.Set(rig.Model("pinned").Name, true);
        var pinned = await rig.AcquireAsync("pinned");
        var other = await rig.AcquireAsync("other");
        var last = await rig.AcquireAsync("last");
        Assert.That((open.IsRetired, pinned.IsRetired, other.IsRetired, last.IsRetired), Is.EqualTo((false, false, true, false)));
    }

    [Test]
    public async Task A_dropped_file_is_missing_for_the_next_daemon_too()
    {
        await using var rig = await StartAsync(options => options with { BytesMax = 4 << 20 });
        var copy = await rig.AcquireAsync("bert");
        await ReadAsync(rig, copy, "one.bin", s_one);
        rig.Cache.Seal();
        await ReadAsync(rig, copy, "two.bin", s_two);
        await rig.RestartAsync();
        var again = rig.Model("bert").Copy!;
        Assert.That(again.Hydration!.IsHere("one.bin"), Is.False);
        Assert.That(again.Hydration.IsHere("two.bin"), Is.True);
        await ReadAsync(rig, again, "one.bin", s_one);
    }

    [Test]
    public async Task What_was_published_here_can_be_dropped_and_fetched_file_by_file()
    {
        await using var rig = await CacheRig.StartedAsync(options => options with { BytesMax = 5 << 20, Hydrate = HydratePolicy.File });
        var copy = await rig.CreateAsync("bert");
        await rig.WriteAsync(copy, "metadata.json", "{}");
        await rig.Cache.BeginChangeAsync(copy, "one.bin", ChangeKind.Write);
        await File.WriteAllBytesAsync(copy.Content + "/one.bin", s_one);
        rig.Cache.EndChange(copy, "one.bin");
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(copy.IsIndexed, Is.True);
        Assert.That(copy.Hydration, Is.Null);
        rig.Store.Put("other.tar.gz", IndexedArchive.Of("other", ("two.bin", s_two)));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        await rig.Cache.Catalog.RefreshIfOlder(TimeSpan.Zero);
        await ReadAsync(rig, await rig.AcquireAsync("other"), "two.bin", s_two);
        Assert.That(copy.Hydration!.IsHere("one.bin"), Is.False, "the model used longest ago gave its room");
        await rig.WriteAsync(copy, "notes.txt", "more");
        Assert.That(File.ReadAllBytes(copy.Content + "/one.bin").AsSpan().SequenceEqual(s_one), Is.True);
    }

    [Test]
    public async Task Damage_is_found_and_only_the_damaged_file_is_fetched_again()
    {
        await using var rig = await StartAsync(options => options);
        var copy = await rig.AcquireAsync("bert");
        await ReadAsync(rig, copy, "one.bin", s_one);
        await ReadAsync(rig, copy, "two.bin", s_two);
        var model = copy.Model;
        Assert.That((await rig.Cache.VerifyAsync(model, repair: false, withStore: true, CancellationToken.None)).IsDamaged, Is.False);
        Flip(copy.Content + "/one.bin");
        var found = await rig.Cache.VerifyAsync(model, repair: false, withStore: true, CancellationToken.None);
        Assert.That(found.Damaged, Is.EqualTo(new[] { "one.bin" }));
        Assert.That(found.IsLeftDamaged, Is.True);
        var before = rig.Store.BytesRead;
        var repaired = await rig.Cache.VerifyAsync(model, repair: true, withStore: true, CancellationToken.None);
        Assert.That(repaired.IsLeftDamaged, Is.False);
        Assert.That(VerifyReport.FromJson(repaired.ToJson()).Damaged, Is.EqualTo(repaired.Damaged));
        Assert.That(rig.Store.BytesRead - before, Is.LessThan(5 << 20), "its end, and the one file");
        Assert.That(File.ReadAllBytes(copy.Content + "/one.bin").AsSpan().SequenceEqual(s_one), Is.True);
    }

    [Test]
    public async Task A_damaged_index_is_found_and_the_copy_is_given_up()
    {
        await using var rig = await StartAsync(options => options);
        var copy = await rig.AcquireAsync("bert");
        await ReadAsync(rig, copy, "metadata.json", s_small);
        Flip(copy.Folder + "/index");
        var report = await rig.Cache.VerifyAsync(copy.Model, repair: true, withStore: true, CancellationToken.None);
        Assert.That(report.IsIndexDamaged, Is.True);
        Assert.That(report.IsLeftDamaged, Is.False);
        Assert.That(copy.Model.State, Is.EqualTo(ModelState.Absent));
        await ReadAsync(rig, await rig.AcquireAsync("bert"), "metadata.json", s_small);
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static Task<CacheRig> StartAsync(Func<CacheOptions, CacheOptions> configure) =>
        CacheRig.StartedAsync(options => configure(options with { Hydrate = HydratePolicy.File }), ("bert.tar.gz", s_archive));

    private static async Task ReadAsync(CacheRig rig, ModelCopy copy, string path, byte[] expected)
    {
        ModelCache.FileOpened(copy, path);
        try
        {
            Assert.That(await rig.Cache.PrepareReadAsync(copy, path, CancellationToken.None), Is.False);
            Assert.That(File.ReadAllBytes(copy.Content + "/" + path).AsSpan().SequenceEqual(expected), Is.True, path);
        }
        finally
        {
            rig.Cache.FileClosed(copy, path);
        }
    }

    /// <summary>The folder of a copy that nobody holds is removed.</summary>
    private static async Task<bool> GoesAsync(ModelCopy copy)
    {
        for (var i = 0; i < 1000 && Directory.Exists(copy.Folder); i++)
        {
            await Task.Delay(10);
        }

        return !Directory.Exists(copy.Folder);
    }
}
