namespace ModelFs.Models.Tests;

internal sealed class ValueTests
{
    [Test]
    public void A_digest_and_its_text_lead_to_each_other()
    {
        var digest = ContentDigest.From(UInt128.Parse("0123456789abcdeffedcba9876543210", System.Globalization.NumberStyles.AllowHexSpecifier));
        Assert.That((digest.High, digest.Low), Is.EqualTo((0x0123456789abcdefUL, 0xfedcba9876543210UL)));
        Assert.That(digest.ToString(), Is.EqualTo("0123456789abcdeffedcba9876543210"));
        Assert.That(ContentDigest.TryParse(digest.ToString(), out var parsed), Is.True);
        Assert.That(parsed, Is.EqualTo(digest));
        Assert.That(default(ContentDigest).ToString(), Is.EqualTo(new string('0', 32)));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("0123456789abcdeffedcba987654321")]
    [TestCase("0123456789abcdeffedcba98765432100")]
    [TestCase("0123456789abcdeffedcba987654321g")]
    [TestCase(" 123456789abcdeffedcba9876543210")]
    public void Such_a_text_is_no_digest(string? text) => Assert.That(ContentDigest.TryParse(text, out _), Is.False);

    [TestCase(0L, 0u)]
    [TestCase(1_700_000_000L, 123_456_700u)]
    [TestCase(-1L, 999_999_900u)]
    [TestCase(-1_000_000_000L, 1_00u)]
    [TestCase(253_402_300_799L, 999_999_900u)]
    public void A_time_keeps_steps_of_100_nanoseconds_before_and_after_1970(long seconds, uint nanoseconds)
    {
        var time = new UnixTime(seconds, nanoseconds);
        Assert.That(UnixTime.From(time.ToDateTimeOffset()), Is.EqualTo(time));
    }

    [Test]
    public void A_time_is_that_of_the_world_whatever_its_zone()
    {
        var time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(5.5));
        Assert.That(UnixTime.From(time), Is.EqualTo(UnixTime.From(time.ToUniversalTime())));
        Assert.That(UnixTime.From(time).Seconds, Is.EqualTo(time.ToUnixTimeSeconds()));
    }

    [Test]
    public void Just_before_1970_is_the_last_moment_of_second_minus_one() =>
        Assert.That(UnixTime.From(DateTimeOffset.UnixEpoch.AddTicks(-1)), Is.EqualTo(new UnixTime(-1, 999_999_900)));
}
