using ModelFs.Cache.Hydration;
using ModelFs.Models;

namespace ModelFs.Cache.Tests;

/// <summary>
/// Whatever made a copy dirty while not all of it is here: nothing of it goes to the store, under its own name or another. Changes wait until a copy is whole, so this takes a mistake
/// elsewhere; it must cost an attempt and not the model.
/// </summary>
internal sealed class IncompleteCopyTests
{
    [Test]
    public async Task It_is_not_published_and_is_once_it_is_whole()
    {
        await using var rig = await StartAsync();
        var copy = await DirtyAsync(rig);
        var missing = Hollow(copy);
        SetHydration(copy, missing);
        var refusal = await CacheRig.FailsAsync(() => rig.Cache.SyncAsync(copy.Model, CancellationToken.None));
        Assert.That(refusal.Kind, Is.EqualTo(ModelErrorKind.Busy));
        Assert.That(rig.Keys, Is.Empty);
        Assert.That(copy.IsDirty, Is.True);

        SetHydration(copy, null);
        await rig.Cache.SyncAsync(copy.Model, CancellationToken.None);
        Assert.That(SampleArchive.Files(rig.Store.Bytes("bert.tar.gz")).Values, Does.Contain("changed"));
    }

    [Test]
    public async Task It_is_not_renamed_and_keeps_its_name()
    {
        await using var rig = await StartAsync();
        var copy = await rig.AcquireAsync("bert");
        ModelCache.FileOpened(copy, "metadata.json");
        await rig.Cache.PrepareReadAsync(copy, "metadata.json", CancellationToken.None);
        rig.Cache.FileClosed(copy, "metadata.json");
        await CacheRig.UntilAsync(() => copy.Hydration is null, "all of it to be here");
        Assert.That(ModelName.TryParsePath("other", out var name), Is.True);

        // It is whole when the rename begins, and files of it are dropped while the rename waits for its turn.
        await copy.Model.DiskTurn.WaitAsync();
        var renaming = rig.Cache.RenameModelAsync(copy.Model, name!);
        SetHydration(copy, Hollow(copy));
        copy.Model.DiskTurn.Release();
        Assert.That((await CacheRig.FailsAsync(() => renaming)).Kind, Is.EqualTo(ModelErrorKind.Busy));
        Assert.That(rig.Shown("bert")!.Copy, Is.SameAs(copy));
        Assert.That(Directory.EnumerateFiles(rig.Folder.Journal), Is.Empty, "a later daemon would take the rename up");

        SetHydration(copy, null);
        await rig.Cache.RenameModelAsync(copy.Model, name!);
        await CacheRig.UntilAsync(() => rig.Store.Keys.SequenceEqual(["other.tar.gz"]), "the store");
    }

    private static Task<CacheRig> StartAsync() =>
        CacheRig.StartedAsync(
            options => options with { AllowDelete = true },
            ("bert.tar.gz", IndexedArchive.Of("bert", ("metadata.json", "{}"u8.ToArray()))));

    private static async Task<ModelCopy> DirtyAsync(CacheRig rig)
    {
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "metadata.json", "changed");
        Assert.That(copy.Hydration, Is.Null, "the change waited for all of it");
        return copy;
    }

    /// <summary>As if nothing of the copy had come.</summary>
    private static CopyHydration Hollow(ModelCopy copy)
    {
        var index = IndexedArchive.IndexOf("bert", IndexedArchive.Of("bert", ("metadata.json", "{}"u8.ToArray())));
        var folder = Directory.CreateDirectory(copy.Folder + "/hollow").FullName;
        _ = HydrationMap.Create(folder, new SliceTable(index).Count);
        var manifest = copy.Manifest;
        return new CopyHydration(
            index,
            new ModelFs.Stores.StoredObject(manifest.Key, new StoreRevision(manifest.BaseRevision!), manifest.BaseLength, manifest.BaseModified),
            HydrationMap.Load(folder, new SliceTable(index).Count)!,
            isWhole: false);
    }

    private static void SetHydration(ModelCopy copy, CopyHydration? hydration)
    {
        lock (copy.Model.Gate)
        {
            copy.Hydration = hydration;
        }
    }
}
