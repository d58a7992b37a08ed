using ModelFs.Archives.Indexed;
using ModelFs.Cache.Hydration;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>Indexed copies: listed from the archive's end, filled piece by piece.</summary>
internal sealed class HydrationTests
{
    private const int WeightsBytes = 21 << 20;

    private static readonly byte[] s_weights = IndexedArchive.Noise(WeightsBytes, 1);
    private static readonly byte[] s_vectors = IndexedArchive.Noise(3 << 20, 2);
    private static readonly byte[] s_metadata = "{\"name\": \"bert\"}"u8.ToArray();
    private static readonly byte[] s_bert = IndexedArchive.Of(
        "bert", ("metadata.json", s_metadata), ("nlu/weights.bin", s_weights), ("nlu/vectors.bin", s_vectors), ("empty.txt", []), ("void/", []));

    [Test]
    public async Task A_listing_reads_only_the_end_of_the_archive()
    {
        await using var rig = await StartAsync(HydratePolicy.Model);
        var copy = await rig.AcquireAsync("bert");
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(1));
        var (_, offset, length) = rig.Store.Reads.Single();
        Assert.That(offset + length, Is.EqualTo(s_bert.Length));
        Assert.That(length, Is.LessThanOrEqualTo(ArchiveIndexReader.TailBytes));

        Assert.That(copy.Model.State, Is.EqualTo(ModelState.Ready));
        Assert.That(Directory.GetFileSystemEntries(copy.Content, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(copy.Content, path)).Order(StringComparer.Ordinal),
            Is.EqualTo(new[] { "empty.txt", "metadata.json", "nlu", "nlu/vectors.bin", "nlu/weights.bin", "void" }));
        var shown = Shown(copy, "nlu/weights.bin");
        Assert.That(shown.Size, Is.EqualTo(WeightsBytes));
        Assert.That(shown.Blocks, Is.EqualTo(WeightsBytes / 512));
        Assert.That(shown.Mode & 0x1FF, Is.EqualTo(0x1A4));
        Assert.That(shown.ModifiedTime, Is.EqualTo(IndexedArchive.Modified));
        Assert.That(copy.BytesHere, Is.Zero);
        Assert.That(copy.Hydration!.BytesTotal, Is.EqualTo(WeightsBytes + s_vectors.Length + s_metadata.Length));
    }

    [Test]
    public async Task A_small_file_costs_one_range_of_its_own([Values(HydratePolicy.File, HydratePolicy.None)] HydratePolicy policy)
    {
        await using var rig = await StartAsync(policy);
        var copy = await rig.AcquireAsync("bert");
        Assert.That(await OpenAsync(rig, copy, "metadata.json"), Is.False);
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(2));
        Assert.That(rig.Store.Reads.Last().Length, Is.LessThanOrEqualTo(1 << 20));
        Assert.That(File.ReadAllBytes(copy.Content + "/metadata.json"), Is.EqualTo(s_metadata));
        Assert.That(File.GetLastWriteTimeUtc(copy.Content + "/metadata.json"), Is.EqualTo(IndexedArchive.Modified.ToDateTimeOffset().UtcDateTime));
        Assert.That(File.GetUnixFileMode(copy.Content + "/metadata.json"), Is.EqualTo((UnixFileMode)0x1A4));
        Assert.That(copy.Hydration!.IsHere("nlu/weights.bin"), Is.False);
    }

    [Test]
    public async Task A_status_that_was_read_before_the_content_came_shows_the_file_as_it_is()
    {
        await using var rig = await StartAsync(HydratePolicy.Model);
        var copy = await rig.AcquireAsync("bert");
        var hydration = copy.Hydration!;
        Assert.That(PosixFile.Stat(copy.Content + "/metadata.json", out var before), Is.EqualTo(Errno.None));
        await OpenAsync(rig, copy, "metadata.json");
        var expected = hydration.Show("metadata.json", before);
        Assert.That((expected.Size, expected.ModifiedTime, expected.Mode & 0x1FF), Is.EqualTo((s_metadata.LongLength, IndexedArchive.Modified, 0x1A4u)), "the file is here");
        await CacheRig.UntilAsync(() => copy.Hydration is null, "the model to be whole");
        Assert.That(hydration.Show("metadata.json", before), Is.EqualTo(expected), "the model is here");
    }

    [Test]
    public async Task Once_a_file_is_opened_the_whole_model_streams_and_no_byte_twice()
    {
        await using var rig = await StartAsync(HydratePolicy.Model);
        var copy = await rig.AcquireAsync("bert");
        await OpenAsync(rig, copy, "metadata.json");
        await CacheRig.UntilAsync(() => copy.Hydration is null, "the model to be whole");
        AssertBert(copy);
        Assert.That(copy.BytesHere, Is.EqualTo(copy.ContentBytes));
        Assert.That(rig.Store.BytesRead, Is.LessThanOrEqualTo(s_bert.Length + ArchiveIndexReader.TailBytes));
        var read = new bool[s_bert.Length];
        foreach (var (_, offset, length) in rig.Store.Reads.Skip(1))
        {
            for (var at = offset; at < offset + length; at++)
            {
                Assert.That(read[at], Is.False, $"byte {at} was read twice");
                read[at] = true;
            }
        }
    }

    [Test]
    public async Task With_the_policy_file_nothing_but_the_opened_file_comes()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var copy = await rig.AcquireAsync("bert");
        Assert.That(await OpenAsync(rig, copy, "nlu/weights.bin"), Is.True, "a large file is read while it comes");
        await CacheRig.UntilAsync(() => copy.Hydration!.IsHere("nlu/weights.bin"), "the opened file");
        Assert.That(File.ReadAllBytes(copy.Content + "/nlu/weights.bin"), Is.EqualTo(s_weights));
        Assert.That(copy.Hydration!.IsHere("nlu/vectors.bin"), Is.False);
        Assert.That(rig.Store.BytesRead, Is.LessThan(WeightsBytes + (2 << 20)));
    }

    [Test]
    public async Task With_the_policy_none_only_what_is_read_comes()
    {
        await using var rig = await StartAsync(HydratePolicy.None);
        var copy = await rig.AcquireAsync("bert");
        Assert.That(await OpenAsync(rig, copy, "nlu/weights.bin"), Is.True);
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(1), "an open alone reads nothing");
        const int offset = 10 << 20, length = 4096;
        await rig.Cache.WaitForContentAsync(copy, "nlu/weights.bin", offset, length, CancellationToken.None);
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(2));
        Assert.That(rig.Store.Reads.Last().Length, Is.LessThan(5 << 20));
        var read = new byte[length];
        using (var file = File.OpenHandle(copy.Content + "/nlu/weights.bin"))
        {
            Assert.That(RandomAccess.Read(file, read, offset), Is.EqualTo(length));
        }

        Assert.That(read, Is.EqualTo(s_weights[offset..(offset + length)]));
        await rig.Cache.WaitForContentAsync(copy, "nlu/weights.bin", offset, length, CancellationToken.None);
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(2), "what is here is not read again");
    }

    [Test]
    public async Task Who_waits_for_a_file_is_served_before_the_rest_of_the_model()
    {
        await using var rig = await StartAsync(HydratePolicy.Model);
        var copy = await rig.AcquireAsync("bert");
        var stalled = new TaskCompletionSource();
        var vectors = copy.Hydration!.Index.Entries[copy.Hydration.Index.Find("nlu/vectors.bin")];
        var (from, to) = (copy.Hydration.Index.Members[vectors.FirstMember].Offset, copy.Hydration.Index.Members[vectors.FirstMember + vectors.MemberCount - 1].End);
        var isStalled = false;
        rig.Store.BeforeRange = (_, offset, length) =>
        {
            // Everything but the file that is waited for hangs, as many streams as there may be.
            var isWanted = offset < to && offset + length > from && isStalled;
            return isWanted || !isStalled ? Task.CompletedTask : stalled.Task;
        };
        await OpenAsync(rig, copy, "metadata.json");
        isStalled = true;
        await OpenAsync(rig, copy, "nlu/vectors.bin").WaitAsync(TimeSpan.FromSeconds(60));
        Assert.That(File.ReadAllBytes(copy.Content + "/nlu/vectors.bin"), Is.EqualTo(s_vectors));
        stalled.SetResult();
    }

    [Test]
    public async Task A_large_file_says_when_it_is_complete()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var completed = new TaskCompletionSource<string>();
        rig.Cache.FileCompleted += (_, path) => completed.TrySetResult(path);
        var copy = await rig.AcquireAsync("bert");
        await OpenAsync(rig, copy, "nlu/weights.bin");
        Assert.That(await completed.Task.WaitAsync(TimeSpan.FromSeconds(60)), Is.EqualTo("nlu/weights.bin"));
        Assert.That(await OpenAsync(rig, copy, "nlu/weights.bin"), Is.False, "it is opened as any other then");
    }

    [Test]
    public async Task A_damaged_member_is_an_error_for_its_files_and_for_no_other()
    {
        var damaged = (byte[])s_bert.Clone();
        var index = IndexedArchive.IndexOf("bert", s_bert);
        var vectors = index.Entries[index.Find("nlu/vectors.bin")];
        damaged[index.Members[vectors.FirstMember + vectors.MemberCount - 1].Offset + 5000] ^= 1;
        await using var rig = await CacheRig.StartedAsync(options => options with { Hydrate = HydratePolicy.File }, ("bert.tar.gz", damaged));
        var copy = await rig.AcquireAsync("bert");
        var error = await CacheRig.FailsAsync(() => OpenAsync(rig, copy, "nlu/vectors.bin"));
        Assert.That(error.Kind, Is.EqualTo(ModelErrorKind.BadArchive));
        Assert.That(error.Message, Does.Contain("bert.tar.gz"));
        Assert.That(copy.Model.LastError, Is.SameAs(error));
        var reads = rig.Store.Reads.Count;
        Assert.That(await CacheRig.FailsAsync(() => OpenAsync(rig, copy, "nlu/vectors.bin")), Is.SameAs(error), "within the pause the same error comes at once");
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(reads));
        await OpenAsync(rig, copy, "metadata.json");
        Assert.That(File.ReadAllBytes(copy.Content + "/metadata.json"), Is.EqualTo(s_metadata));
        Assert.That(new FileInfo(copy.Content + "/nlu/vectors.bin").Length, Is.Not.EqualTo(s_vectors.Length), "nothing of the damaged member was written");
    }

    [Test]
    public async Task A_store_that_fails_is_asked_again_after_the_pause()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var copy = await rig.AcquireAsync("bert");
        rig.Store.BeforeRead = _ => Task.FromException(TestStore.Down());
        Assert.That((await CacheRig.FailsAsync(() => OpenAsync(rig, copy, "metadata.json"))).Kind, Is.EqualTo(ModelErrorKind.Unavailable));
        rig.Store.BeforeRead = _ => Task.CompletedTask;
        rig.Time.Advance(TimeSpan.FromSeconds(2));
        await OpenAsync(rig, copy, "metadata.json");
        Assert.That(File.ReadAllBytes(copy.Content + "/metadata.json"), Is.EqualTo(s_metadata));
    }

    [Test]
    public async Task The_background_goes_on_by_itself_after_the_store_failed()
    {
        await using var rig = await StartAsync(HydratePolicy.Model);
        var copy = await rig.AcquireAsync("bert");
        await OpenAsync(rig, copy, "empty.txt");
        rig.Store.BeforeRead = _ => Task.FromException(TestStore.Down());
        await CacheRig.UntilAsync(
            () =>
            {
                if (copy.Model.LastError is null && copy.Hydration is not null)
                {
                    return false;
                }

                rig.Store.BeforeRead = _ => Task.CompletedTask;
                rig.Time.Advance(TimeSpan.FromSeconds(10));
                return copy.Hydration is null;
            },
            "the model to be whole");
        AssertBert(copy);
    }

    [Test]
    public async Task An_incomplete_copy_is_never_completed_from_another_revision()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var old = await rig.AcquireAsync("bert");
        ModelCache.AddReference(old);
        await OpenAsync(rig, old, "metadata.json");
        var other = IndexedArchive.Of("bert", ("metadata.json", "{}"u8.ToArray()), ("nlu/vectors.bin", IndexedArchive.Noise(3 << 20, 7)));
        rig.Store.Put("bert.tar.gz", other);
        var error = await CacheRig.FailsAsync(() => OpenAsync(rig, old, "nlu/vectors.bin"));
        Assert.That(error.Kind, Is.EqualTo(ModelErrorKind.Conflict), "ESTALE: the kernel looks the path up again");
        Assert.That(old.IsRetired, Is.True);

        // Who has a complete file of it open keeps it, and the model's name leads to the new version.
        Assert.That(File.ReadAllBytes(old.Content + "/metadata.json"), Is.EqualTo(s_metadata));
        var current = await rig.AcquireAsync("bert");
        Assert.That(current, Is.Not.SameAs(old));
        await OpenAsync(rig, current, "nlu/vectors.bin");
        Assert.That(File.ReadAllBytes(current.Content + "/nlu/vectors.bin"), Is.EqualTo(IndexedArchive.Noise(3 << 20, 7)));
        rig.Cache.RemoveReference(old);
        await CacheRig.UntilAsync(() => !Directory.Exists(old.Folder), "the old tree to go with its last holder");
    }

    [Test]
    public async Task The_first_change_waits_until_everything_is_here()
    {
        await using var rig = await StartAsync(HydratePolicy.None);
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "notes.txt", "mine");
        Assert.That(copy.Hydration, Is.Null);
        AssertBert(copy);
        rig.Store.Remove("bert.tar.gz");
        Assert.That(CacheRig.Read(copy, "notes.txt"), Is.EqualTo("mine"));
        Assert.That(copy.Manifest.Indexed, Is.False);

        // The next daemon finds a changed copy, not an incomplete one.
        await rig.RestartAsync();
        var again = rig.Model("bert").Copy!;
        Assert.That(again.IsDirty, Is.True);
        Assert.That(again.Hydration, Is.Null);
        Assert.That(CacheRig.Read(again, "notes.txt"), Is.EqualTo("mine"));
        AssertBert(again);
    }

    [Test]
    public async Task A_change_that_can_not_have_the_rest_changes_nothing()
    {
        await using var rig = await StartAsync(HydratePolicy.None);
        var copy = await rig.AcquireAsync("bert");
        rig.Store.BeforeRead = _ => Task.FromException(TestStore.Down());
        var error = await CacheRig.FailsAsync(() => rig.Cache.BeginChangeAsync(copy, "notes.txt", ChangeKind.Write).AsTask());
        Assert.That(error.Kind, Is.EqualTo(ModelErrorKind.Unavailable));
        Assert.That(copy.IsDirty, Is.False);
        Assert.That(copy.OpenWriters, Is.Zero);
        Assert.That(Directory.GetFiles(rig.Folder.Journal), Is.Empty);
    }

    [Test]
    public async Task The_next_daemon_fetches_only_what_is_missing()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var copy = await rig.AcquireAsync("bert");
        await OpenAsync(rig, copy, "nlu/vectors.bin");
        await rig.RestartAsync();
        var reads = rig.Store.Reads.Count;
        var again = rig.Model("bert").Copy!;
        Assert.That(again.Hydration!.IsHere("nlu/vectors.bin"), Is.True);
        Assert.That(again.Hydration.IsHere("nlu/weights.bin"), Is.False);
        Assert.That(await OpenAsync(rig, again, "nlu/vectors.bin"), Is.False);
        Assert.That(rig.Store.Reads, Has.Count.EqualTo(reads));
        await rig.WriteAsync(again, "notes.txt", "mine");
        AssertBert(again);
        Assert.That(rig.Store.Reads.Skip(reads).Sum(read => read.Length), Is.LessThan(WeightsBytes + (1 << 20)));
    }

    [Test]
    public async Task A_whole_copy_is_whole_for_the_next_daemon()
    {
        await using var rig = await StartAsync(HydratePolicy.Model);
        var copy = await rig.AcquireAsync("bert");
        await OpenAsync(rig, copy, "metadata.json");
        await CacheRig.UntilAsync(() => copy.Hydration is null, "the model to be whole");
        await rig.RestartAsync();
        var again = rig.Model("bert").Copy!;
        Assert.That(again.Hydration, Is.Null);
        Assert.That(again.BytesHere, Is.EqualTo(again.ContentBytes));
        AssertBert(again);
    }

    [Test]
    public async Task A_copy_whose_map_is_damaged_is_dropped_and_listed_anew()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var copy = await rig.AcquireAsync("bert");
        await OpenAsync(rig, copy, "metadata.json");
        await rig.StopAsync();
        File.WriteAllText(copy.Folder + "/hydrated", "no map");
        await rig.StartAsync();
        Assert.That(rig.Model("bert").State, Is.EqualTo(ModelState.Absent));
        var again = await rig.AcquireAsync("bert");
        await OpenAsync(rig, again, "metadata.json");
        Assert.That(File.ReadAllBytes(again.Content + "/metadata.json"), Is.EqualTo(s_metadata));
    }

    [Test]
    public async Task An_archive_with_a_damaged_index_is_fetched_whole_as_a_foreign_one()
    {
        var damaged = (byte[])s_bert.Clone();
        damaged[^100] ^= 1;
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", damaged));
        var copy = await rig.AcquireAsync("bert");
        Assert.That(copy.Hydration, Is.Null);
        Assert.That(copy.Manifest.Indexed, Is.False);
        AssertBert(copy);
    }

    [Test]
    public async Task The_order_of_first_opens_is_kept()
    {
        await using var rig = await StartAsync(HydratePolicy.File);
        var copy = await rig.AcquireAsync("bert");
        foreach (var path in new[] { "nlu/vectors.bin", "metadata.json", "nlu/vectors.bin" })
        {
            await OpenAsync(rig, copy, path);
        }

        Assert.That(LoadOrder.Read(copy.Folder), Is.EqualTo(new[] { "nlu/vectors.bin", "metadata.json" }));
        await rig.RestartAsync();
        await OpenAsync(rig, rig.Model("bert").Copy!, "empty.txt");
        await OpenAsync(rig, rig.Model("bert").Copy!, "metadata.json");
        Assert.That(LoadOrder.Read(copy.Folder), Is.EqualTo(new[] { "nlu/vectors.bin", "metadata.json", "empty.txt" }));
    }

    private static Task<CacheRig> StartAsync(HydratePolicy policy) =>
        CacheRig.StartedAsync(options => options with { Hydrate = policy }, ("bert.tar.gz", s_bert));

    private static async Task<bool> OpenAsync(CacheRig rig, ModelCopy copy, string path)
    {
        ModelCache.FileOpened(copy, path);
        try
        {
            return await rig.Cache.PrepareReadAsync(copy, path, CancellationToken.None);
        }
        finally
        {
            rig.Cache.FileClosed(copy, path);
        }
    }

    private static Posix.FileStatus Shown(ModelCopy copy, string path)
    {
        Assert.That(Posix.PosixFile.Stat(copy.Content + "/" + path, out var status), Is.EqualTo(Posix.Errno.None));
        return copy.Hydration?.Show(path, status) ?? status;
    }

    private static void AssertBert(ModelCopy copy)
    {
        Assert.That(File.ReadAllBytes(copy.Content + "/metadata.json"), Is.EqualTo(s_metadata));
        Assert.That(File.ReadAllBytes(copy.Content + "/nlu/weights.bin").AsSpan().SequenceEqual(s_weights), Is.True);
        Assert.That(File.ReadAllBytes(copy.Content + "/nlu/vectors.bin").AsSpan().SequenceEqual(s_vectors), Is.True);
        Assert.That(File.ReadAllBytes(copy.Content + "/empty.txt"), Is.Empty);
        Assert.That(Directory.Exists(copy.Content + "/void"), Is.True);
    }
}
