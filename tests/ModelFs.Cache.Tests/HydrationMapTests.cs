using System.IO.Hashing;
using System.Text;
using ModelFs.Cache.Hydration;

namespace ModelFs.Cache.Tests;

/// <summary>The map of what is here: what it says after the death of the daemon, and of the machine.</summary>
internal sealed class HydrationMapTests
{
    private TemporaryFolder _folder = null!;

    private string Live => Path.Combine(_folder.Path, "hydrated");

    [SetUp]
    public void Make() => _folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public void What_was_set_is_there_for_the_next_daemon()
    {
        var map = HydrationMap.Create(_folder.Path, 20);
        map.Set([0, 7, 8, 19]);
        var next = HydrationMap.Load(_folder.Path, 20)!;
        Assert.That(Enumerable.Range(0, 20).Where(next.Has), Is.EqualTo(new[] { 0, 7, 8, 19 }));
        Assert.That(next.Count, Is.EqualTo(4));
        Assert.That(HydrationMap.Load(_folder.Path, slices: null)!.Slices, Is.EqualTo(20));
    }

    [Test]
    public void Of_another_boot_only_what_was_synced_counts()
    {
        var map = HydrationMap.Create(_folder.Path, 9);
        map.Set([1, 2]);
        map.NoteSynced(map.Snapshot());
        map.Set([3, 8]);
        PretendOtherBoot();
        var next = HydrationMap.Load(_folder.Path, 9)!;
        Assert.That(Enumerable.Range(0, 9).Where(next.Has), Is.EqualTo(new[] { 1, 2 }));

        // And from then on it is this boot's map.
        next.Set([4]);
        Assert.That(Enumerable.Range(0, 9).Where(HydrationMap.Load(_folder.Path, 9)!.Has), Is.EqualTo(new[] { 1, 2, 4 }));
    }

    [Test]
    public void What_was_dropped_is_not_believed_by_any_boot()
    {
        var map = HydrationMap.Create(_folder.Path, 9);
        map.Set([1, 2, 3]);
        map.NoteSynced(map.Snapshot());
        map.ClearDurably([(2, 2)]);
        Assert.That(Enumerable.Range(0, 9).Where(HydrationMap.Load(_folder.Path, 9)!.Has), Is.EqualTo(new[] { 1 }));
        PretendOtherBoot();
        Assert.That(Enumerable.Range(0, 9).Where(HydrationMap.Load(_folder.Path, 9)!.Has), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void A_sync_that_began_before_a_drop_does_not_vouch_for_what_came_after_it()
    {
        var map = HydrationMap.Create(_folder.Path, 4);
        map.Set([1, 2]);
        var before = map.Snapshot();
        map.ClearDurably([(2, 1)]);
        map.Set([2]);
        map.NoteSynced(before);
        PretendOtherBoot();
        Assert.That(HydrationMap.Load(_folder.Path, 4)!.Has(2), Is.False);
    }

    [Test]
    public void A_damaged_map_is_none()
    {
        HydrationMap.Create(_folder.Path, 9).Set([1]);
        var bytes = File.ReadAllBytes(Live);
        Assert.That(HydrationMap.Load(_folder.Path, 10), Is.Null, "another number of slices");
        for (var at = 0; at < 64; at++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x10;
            File.WriteAllBytes(Live, damaged);
            Assert.That(HydrationMap.Load(_folder.Path, 9), Is.Null, $"byte {at}");
        }

        File.WriteAllBytes(Live, bytes[..^1]);
        Assert.That(HydrationMap.Load(_folder.Path, 9), Is.Null, "cut");
        File.Delete(Live);
        Assert.That(HydrationMap.Load(_folder.Path, 9), Is.Null, "gone");
    }

    /// <summary>As if the machine had gone down since the map was written.</summary>
    private void PretendOtherBoot()
    {
        var bytes = File.ReadAllBytes(Live);
        Encoding.ASCII.GetBytes("another-boot").CopyTo(bytes, 16);
        var crc = new Crc32();
        crc.Append(bytes.AsSpan(0, 12));
        crc.Append(bytes.AsSpan(16, 48));
        BitConverter.TryWriteBytes(bytes.AsSpan(12), crc.GetCurrentHashAsUInt32());
        File.WriteAllBytes(Live, bytes);
    }
}
