using ModelFs.Cli.Options;

namespace ModelFs.Cli.Tests;

public sealed class OptionTextTests
{
    [TestCase("0", 0L)]
    [TestCase("4096", 4096L)]
    [TestCase("512B", 512L)]
    [TestCase("10G", 10L << 30)]
    [TestCase("10g", 10L << 30)]
    [TestCase("10GiB", 10L << 30)]
    [TestCase("500MiB", 500L << 20)]
    [TestCase("500 MiB", 500L << 20)]
    [TestCase("750MB", 750_000_000L)]
    [TestCase("1.5K", 1536L)]
    [TestCase("2kB", 2000L)]
    [TestCase("1T", 1L << 40)]
    public void A_size_counts_by_1024_unless_its_unit_says_otherwise(string text, long bytes) => Assert.That(OptionText.Size(text), Is.EqualTo(bytes));

    [TestCase("")]
    [TestCase("G")]
    [TestCase("-1G")]
    [TestCase("10X")]
    [TestCase("1e3")]
    [TestCase("9999999999T")]
    public void A_text_that_is_no_size_is_refused_with_examples(string text) =>
        Assert.That(() => OptionText.Size(text), Throws.InstanceOf<FormatException>().With.Message.Contains("10G"));

    [TestCase("1", 1000)]
    [TestCase("0.25", 250)]
    [TestCase(".5", 500)]
    [TestCase("30s", 30_000)]
    [TestCase("0", 0)]
    public void Seconds_may_have_a_fraction(string text, int milliseconds) =>
        Assert.That(OptionText.Seconds(text), Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));

    [TestCase("-1")]
    [TestCase("1m")]
    [TestCase("")]
    [TestCase("NaN")]
    [TestCase("Infinity")]
    [TestCase("1e300")]
    public void A_text_that_is_no_number_of_seconds_is_refused(string text) =>
        Assert.That(() => OptionText.Seconds(text), Throws.InstanceOf<FormatException>());

    [Test]
    public void A_word_that_is_no_choice_is_refused_with_the_choices() =>
        Assert.That(() => OptionText.OneOf("c", ("a", 1), ("b", 2)), Throws.InstanceOf<FormatException>().With.Message.EqualTo("'c' is none of a, b"));
}
