namespace ModelFs.Stores.Tests;

/// <summary>Downloads are cut by what the object and the server are like.</summary>
internal sealed class RangePlanTests
{
    private const int MiB = 1 << 20;
    private const int StreamsMax = 8;

    [TestCase(0, 1)]
    [TestCase(150_000, 150_000)]
    [TestCase(MiB, MiB)]
    [TestCase(20 * MiB, 20 * MiB / 16)]
    [TestCase(1024L * MiB, 8 * MiB)]
    public void Parts_have_a_size_that_all_streams_get_some_of(long objectBytes, int partBytes) =>
        Assert.That(Begun(objectBytes).PartBytes, Is.EqualTo(partBytes));

    [Test]
    public void The_first_parts_are_small_because_the_reader_waits_for_them()
    {
        var plan = new RangePlan(1024L * MiB, StreamsMax, new ParallelReadOptions());
        var sizes = new List<int>();
        for (var part = 0; part < 6; part++)
        {
            sizes.Add(plan.PartBytes);
            plan.NoteAsked();
        }

        Assert.That(sizes, Is.EqualTo(new[] { MiB, 2 * MiB, 4 * MiB, 8 * MiB, 8 * MiB, 8 * MiB }));
    }

    [Test]
    public void Parts_shrink_on_a_slow_server_and_grow_on_a_fast_one_within_their_bounds()
    {
        var plan = Begun(1024L * MiB);
        for (var part = 0; part < 10; part++)
        {
            plan.NoteFetched(plan.PartBytes, TimeSpan.FromSeconds(20));
        }

        Assert.That(plan.PartBytes, Is.EqualTo(MiB));
        for (var part = 0; part < 10; part++)
        {
            plan.NoteFetched(plan.PartBytes, TimeSpan.FromMilliseconds(1));
        }

        Assert.That(plan.PartBytes, Is.EqualTo(8 * MiB));
        plan.NoteFetched(plan.PartBytes, TimeSpan.FromMilliseconds(250));
        Assert.That(plan.PartBytes, Is.EqualTo(8 * MiB), "a quarter of a second is right");
        plan.NoteFetched(MiB, TimeSpan.FromMilliseconds(100));
        Assert.That(plan.PartBytes, Is.EqualTo(8 * MiB), "a small part's time is mostly that of its round trip");
    }

    [Test]
    public void More_is_fetched_at_once_while_the_reader_waits_and_less_when_it_never_does()
    {
        var plan = new RangePlan(1024L * MiB, StreamsMax, new ParallelReadOptions { InFlightBytesMax = 1024L * MiB });
        for (var part = 0; part < 20; part++)
        {
            plan.NoteBegun(isWhole: false);
        }

        Assert.That(plan.PartsMax, Is.EqualTo(StreamsMax + 1));
        for (var part = 0; part < 100; part++)
        {
            plan.NoteBegun(isWhole: true);
        }

        Assert.That(plan.PartsMax, Is.EqualTo(3));
    }

    [Test]
    public void What_is_in_memory_is_bounded_but_one_part_always_goes()
    {
        var plan = Begun(1024L * MiB, new ParallelReadOptions { InFlightBytesMax = 16 * MiB });
        plan.NoteBegun(isWhole: false);
        Assert.That(plan.PartsMax, Is.EqualTo(2));
        Assert.That(new RangePlan(1024L * MiB, StreamsMax, new ParallelReadOptions { InFlightBytesMax = 1 }).PartsMax, Is.EqualTo(1));
        Assert.That(new RangePlan(1024L * MiB, 1, new ParallelReadOptions()).PartsMax, Is.EqualTo(2), "a local folder is read one part ahead");
    }

    /// <summary>A plan of which the first parts were asked for.</summary>
    private static RangePlan Begun(long objectBytes, ParallelReadOptions? options = null)
    {
        var plan = new RangePlan(objectBytes, StreamsMax, options ?? new ParallelReadOptions());
        for (var part = 0; part < 4; part++)
        {
            plan.NoteAsked();
        }

        return plan;
    }
}
