using System.Globalization;
using System.Text;
using ModelFs.Stores.Mongo.Documents;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>JSON as Python reads and writes it: every expectation is made by python3 itself.</summary>
[TestFixture]
internal sealed class PythonJsonTests
{
    private static readonly string[] s_texts =
    [
        "{}", "[]", "[[], {}]", " { \"a\" : 1 , \"b\":[1,2 ,3]} ", "3", "-0", "0.0", "-0.0", "\"\"", "null", "true", "false",
        "[1.0, 1.5, 100.0, 1e5, 1E5, 1e+5, 1e-5, 0.0001, 0.00001, 123456789012345680.0, 1e15, 1e16, 1e17, 9999999999999998.0, 1e22, 1e23, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 0.1, 0.2, 0.30000000000000004]",
        "[NaN, Infinity, -Infinity, 1e999, -1e999]",
        "[2147483647, 2147483648, -2147483648, -2147483649, 9223372036854775807, -9223372036854775808]",
        "\"\\u00fc\\n\\r\\t\\b\\f\\\\\\\"\\/ \\u007f \\u0000 \\u001f \\ud83d\\ude00 ü 模 😀 \u2028 ~\"",
        "{\"ü\\n\": {\"nested.dot\": {\"dollar$\": [{\"\": null}]}}}",
        "{\"z\": 1, \"a\": 2, \"_id\": 3, \"model_name\": 4}",
    ];

    private static readonly string[] s_invalid =
    [
        "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "-", "1.", ".5", "+1", "1e", "0x10", "nul", "truex", "[1 2]", "{\"a\" 1}", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"a\tb\"", "1 2", "\uFEFF1", "nan", "\u00a01", "Inf", "--1", "1e+", "\"\\u 123\"",
    ];

    [Test]
    public void What_Python_reads_is_rendered_as_Python_renders_it()
    {
        var rendered = Render(s_texts);
        var python = Dumps(s_texts);
        Assert.That(rendered, Is.EqualTo(python));
    }

    [Test]
    public void A_thousand_random_numbers_are_written_as_Python_writes_them()
    {
        const int Seed = 20161111;
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        var texts = Enumerable.Range(0, 1000).Select(i => (i % 4) switch
        {
            0 => Finite(BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue))).ToString("R", CultureInfo.InvariantCulture),
            1 => random.NextDouble().ToString("R", CultureInfo.InvariantCulture),
            2 => (random.NextInt64(1, 10_000) * Math.Pow(10, random.Next(-20, 30))).ToString("E16", CultureInfo.InvariantCulture),
            _ => random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture),
        }).ToArray();
        Assert.That(Render(texts), Is.EqualTo(Dumps(texts)));
    }

    [TestCaseSource(nameof(s_invalid))]
    public void What_Python_refuses_is_refused(string text) =>
        Assert.That(() => ModelDocument.RenderJson(Encoding.UTF8.GetBytes(text)), Throws.InstanceOf<DocumentException>().With.Message.Contains("is not valid JSON"));

    [TestCase("[9223372036854775808]", "beyond 64 bits")]
    [TestCase("-99999999999999999999", "beyond 64 bits")]
    [TestCase("{\"a\": 1, \"a\": 1}", "twice")]
    [TestCase("{\"a\\u0000\": 1}", "NUL")]
    [TestCase("[{\"$ref\": 1}]", "not every server")]
    [TestCase("[\"\\ud800\"]", "surrogate")]
    [TestCase("[\"\\ude00\\ud83d\"]", "surrogate")]
    public void What_a_document_would_lose_is_refused(string text, string reason) =>
        Assert.That(() => ModelDocument.RenderJson(Encoding.UTF8.GetBytes(text)), Throws.InstanceOf<DocumentException>().With.Message.Contains(reason));

    [Test]
    public void Text_that_is_not_UTF8_and_nesting_beyond_the_server_s_limit_are_refused()
    {
        Assert.That(() => ModelDocument.RenderJson([(byte)'"', 0xff, (byte)'"']), Throws.InstanceOf<DocumentException>().With.Message.Contains("UTF-8"));
        Assert.That(() => ModelDocument.RenderJson(Encoding.UTF8.GetBytes(new string('[', 99) + new string(']', 99))), Throws.InstanceOf<DocumentException>().With.Message.Contains("nested"));
        Assert.That(ModelDocument.RenderJson(Encoding.UTF8.GetBytes(new string('[', 98) + new string(']', 98))), Has.Length.EqualTo(196));
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : 0.5;

    private static string[] Render(string[] texts) => [.. texts.Select(text => Encoding.ASCII.GetString(ModelDocument.RenderJson(Encoding.UTF8.GetBytes(text))))];

    private static string[] Dumps(string[] texts) =>
        Python.Run(Encoding.UTF8.GetBytes(string.Join('\n', texts) + "\n"), "dumps").TrimEnd('\n').Split('\n');
}
