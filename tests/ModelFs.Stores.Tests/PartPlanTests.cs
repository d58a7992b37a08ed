using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>How an upload is cut into parts that S3 accepts.</summary>
[TestFixture]
internal sealed class PartPlanTests
{
    private const long MiB = 1 << 20;
    private const long KiB = 1 << 10;

    [Test]
    public void Without_segments_parts_of_the_wished_size_are_sent()
    {
        var plan = PartPlan.Make(40 * MiB + 1, [], 16 * MiB);
        Assert.That(plan, Is.EqualTo(new PlannedPart[] { new(1, 0, 16 * MiB, null), new(2, 16 * MiB, 16 * MiB, null), new(3, 32 * MiB, 8 * MiB + 1, null) }));
    }

    [Test]
    public void A_very_large_archive_gets_larger_parts_instead_of_too_many()
    {
        var plan = PartPlan.Make(5L << 40, [], 16 * MiB);
        Require(plan, 5L << 40, []);
        Assert.That(plan, Has.Count.LessThanOrEqualTo(10_000));
    }

    [Test]
    public void A_small_change_in_the_middle_borrows_up_to_the_least_part()
    {
        ContentSegment[] segments = [new(0, 500 * MiB, 0), new(500 * MiB, 10 * KiB, null), new(500 * MiB + 10 * KiB, 500 * MiB, 500 * MiB + 9 * KiB)];
        var plan = PartPlan.Make(1000 * MiB + 10 * KiB, segments, 16 * MiB);
        Require(plan, 1000 * MiB + 10 * KiB, segments);
        Assert.That(Sent(plan), Is.EqualTo(5 * MiB));
    }

    [Test]
    public void A_change_at_the_end_is_sent_as_it_is()
    {
        ContentSegment[] segments = [new(0, 100 * MiB, 0), new(100 * MiB, 7, null)];
        var plan = PartPlan.Make(100 * MiB + 7, segments, 16 * MiB);
        Require(plan, 100 * MiB + 7, segments);
        Assert.That(Sent(plan), Is.EqualTo(7));
    }

    [Test]
    public void A_change_near_the_end_borrows_from_before_rather_than_swallow_the_rest()
    {
        ContentSegment[] segments = [new(0, 100 * MiB, 0), new(100 * MiB, 1 * MiB, null), new(101 * MiB, 7 * MiB, 100 * MiB), new(108 * MiB, 1 * MiB, null)];
        var plan = PartPlan.Make(109 * MiB, segments, 16 * MiB);
        Require(plan, 109 * MiB, segments);
        Assert.That(Sent(plan), Is.EqualTo(6 * MiB));
    }

    [Test]
    public void Segments_too_small_for_a_part_are_sent()
    {
        ContentSegment[] segments = [new(0, 3 * MiB, 5), new(3 * MiB, 1 * MiB, null), new(4 * MiB, 4 * MiB, 99)];
        var plan = PartPlan.Make(8 * MiB, segments, 16 * MiB);
        Require(plan, 8 * MiB, segments);
        Assert.That(Sent(plan), Is.EqualTo(5 * MiB), "4 MiB, and 1 MiB of the last segment, of which the rest is the last part");
    }

    [Test]
    public void Small_changes_far_apart_are_sent_as_they_are_at_the_end_of_bridges()
    {
        ContentSegment[] segments =
        [
            new(0, 500 * MiB, 0), new(500 * MiB, 16 * KiB, null), new((500 * MiB) + (16 * KiB), 300 * MiB, (500 * MiB) + (15 * KiB)),
            new((800 * MiB) + (16 * KiB), 1 * MiB, null), new((801 * MiB) + (16 * KiB), 100 * MiB, 900 * MiB), new((901 * MiB) + (16 * KiB), 9 * KiB, null),
        ];
        var length = (901 * MiB) + (25 * KiB);
        var plan = PartPlan.Make(length, segments, 16 * MiB, withBridges: true);
        Require(plan, length, segments);
        Assert.That(Sent(plan), Is.EqualTo((1 * MiB) + (25 * KiB)));
        Assert.That(plan.Count(part => part.Pieces.Count > 0), Is.EqualTo(2));
        Assert.That(Sent(PartPlan.Make(length, segments, 16 * MiB)), Is.EqualTo((10 * MiB) + (9 * KiB)), "without bridges");
    }

    [Test]
    public void A_bridge_takes_over_what_is_too_short_for_a_part_between_two_changes()
    {
        ContentSegment[] segments =
        [
            new(0, 100 * MiB, 0), new(100 * MiB, 16 * KiB, null), new((100 * MiB) + (16 * KiB), 4 * MiB, 101 * MiB), new((104 * MiB) + (16 * KiB), 4 * MiB, null),
            new((108 * MiB) + (16 * KiB), 100 * MiB, 110 * MiB), new((208 * MiB) + (16 * KiB), 9 * KiB, null),
        ];
        var length = (208 * MiB) + (25 * KiB);
        var plan = PartPlan.Make(length, segments, 16 * MiB, withBridges: true);
        Require(plan, length, segments);
        Assert.That(Sent(plan), Is.EqualTo((4 * MiB) + (25 * KiB)));
    }

    [Test]
    public void A_small_change_near_the_beginning_is_bridged_to_what_follows_it()
    {
        ContentSegment[] segments =
        [
            new(0, 2 * KiB, 0), new(2 * KiB, 16 * KiB, null), new(18 * KiB, 500 * MiB, 19 * KiB), new((500 * MiB) + (18 * KiB), 4 * MiB, null),
            new((504 * MiB) + (18 * KiB), 100 * MiB, 504 * MiB), new((604 * MiB) + (18 * KiB), 9 * KiB, null),
        ];
        var length = (604 * MiB) + (27 * KiB);
        var plan = PartPlan.Make(length, segments, 16 * MiB, withBridges: true);
        Require(plan, length, segments);
        Assert.That(Sent(plan), Is.EqualTo((4 * MiB) + (25 * KiB)));
        Assert.That((plan[0].Length, plan[0].LeadBytes), Is.EqualTo(((5 * MiB) + (18 * KiB), 5 * MiB)));
    }

    [Test]
    public void A_change_that_is_nearly_a_part_borrows_the_rest()
    {
        ContentSegment[] segments = [new(0, 100 * MiB, 0), new(100 * MiB, (4 * MiB) + (1 * KiB), null), new((104 * MiB) + (1 * KiB), 100 * MiB, 104 * MiB)];
        var plan = PartPlan.Make((204 * MiB) + (1 * KiB), segments, 16 * MiB, withBridges: true);
        Require(plan, (204 * MiB) + (1 * KiB), segments);
        Assert.That(Sent(plan), Is.EqualTo(5 * MiB));
        Assert.That(plan.SelectMany(part => part.Pieces), Is.Empty);
    }

    [Test]
    public void Thousands_of_changes_make_no_more_parts_than_allowed()
    {
        var segments = new List<ContentSegment>();
        long offset = 0;
        for (var i = 0; i < 9000; i++)
        {
            segments.Add(new ContentSegment(offset, 6 * MiB, offset + 1));
            segments.Add(new ContentSegment(offset + 6 * MiB, 6 * MiB, null));
            offset += 12 * MiB;
        }

        var plan = PartPlan.Make(offset, segments, 16 * MiB);
        Require(plan, offset, segments);
    }

    [Test]
    public void Plans_of_random_segments_keep_every_rule()
    {
        const int Seed = 20_261_124;
        var random = new Random(Seed);
        for (var round = 0; round < 2000; round++)
        {
            var segments = new List<ContentSegment>();
            long offset = 0;
            for (var i = random.Next(1, 12); i > 0; i--)
            {
                var length = random.NextInt64(1, 1L << random.Next(1, 31));
                segments.Add(new ContentSegment(offset, length, random.Next(2) == 0 ? null : random.NextInt64(1L << 40)));
                offset += length;
            }

            var partBytes = random.NextInt64(5 * MiB, 64 * MiB);
            var plan = PartPlan.Make(offset, segments, partBytes);
            Require(plan, offset, segments, $"seed {Seed}, round {round}");
            var bridged = PartPlan.Make(offset, segments, partBytes, withBridges: true);
            Require(bridged, offset, segments, $"seed {Seed}, round {round}, with bridges");
            Assert.That(Sent(bridged), Is.LessThanOrEqualTo(Sent(plan)), $"seed {Seed}, round {round}");
        }
    }

    private static long Sent(List<PlannedPart> plan) => plan.Sum(part => part.BytesSent);

    /// <summary>The parts tile the archive, keep S3's limits, and copy only what the segments say is the same.</summary>
    private static void Require(List<PlannedPart> plan, long length, IReadOnlyList<ContentSegment> segments, string? round = null)
    {
        long offset = 0;
        foreach (var part in plan)
        {
            Assert.That(part.Offset, Is.EqualTo(offset), round);
            Assert.That(part.Length, Is.InRange(part.Number == plan.Count ? 1 : 5 * MiB, 5L << 30), round);
            if (part.SourceOffset is { } source)
            {
                Assert.That(IsSame(segments, part, source), Is.True, round);
            }

            RequirePieces(part, segments, round);

            offset += part.Length;
        }

        Assert.That(offset, Is.EqualTo(length), round);
        Assert.That(plan.Select(part => part.Number), Is.EqualTo(Enumerable.Range(1, plan.Count)), round);
        Assert.That(plan, Has.Count.LessThanOrEqualTo(10_000), round);
    }

    /// <summary>The pieces of a bridge tile it, begin with a copy that is large enough for a part, and copy only what is the same.</summary>
    private static void RequirePieces(PlannedPart part, IReadOnlyList<ContentSegment> segments, string? round)
    {
        var offset = part.Offset;
        foreach (var piece in part.Pieces.Skip(part.LeadBytes > 0 ? 1 : 0))
        {
            Assert.That(piece.Offset, Is.EqualTo(offset), round);
            if (piece.SourceOffset is { } source)
            {
                Assert.That(IsSame(segments, new PlannedPart(1, piece.Offset, piece.Length, null), source), Is.True, round);
            }

            offset += piece.Length;
        }

        if (part.Pieces.Count > 0)
        {
            Assert.That(part.Pieces[0].SourceOffset, Is.Not.Null, round);
            Assert.That(part.Pieces[0].Length, Is.GreaterThanOrEqualTo(5 * MiB), round);
            Assert.That(part.LeadBytes, Is.Zero.Or.EqualTo(part.Pieces[0].Length), round);
            Assert.That(part.Pieces, Has.Count.InRange(2, 8), round);
            Assert.That(offset, Is.EqualTo(part.Offset + part.Length), round);
        }
    }

    private static bool IsSame(IReadOnlyList<ContentSegment> segments, PlannedPart part, long source) =>
        segments
            .Where(segment => segment.Offset < part.Offset + part.Length && part.Offset < segment.Offset + segment.Length)
            .All(segment => segment.SourceOffset - segment.Offset == source - part.Offset);
}
