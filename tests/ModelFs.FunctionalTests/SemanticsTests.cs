using System.Reflection;
using System.Text.RegularExpressions;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>The page of promises and the tests that prove them say the same.</summary>
internal sealed partial class SemanticsTests
{
    [Test]
    public void Every_promise_has_a_test_and_every_test_names_a_promise_that_is_written_down()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryPaths.Root, "src", "SEMANTICS.md"));
        var written = PromiseLine().Matches(page).Select(match => match.Groups[1].Value).ToArray();
        Assert.That(written, Is.Unique.And.Not.Empty);
        var proven = typeof(SemanticsTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .SelectMany(method => method.GetCustomAttributes<PromiseAttribute>())
            .Select(promise => promise.Id)
            .Distinct();
        Assert.That(proven, Is.EquivalentTo(written));
    }

    /// <summary>A promise is a list item or a table row that starts with its id in bold: <c>- **W3** …</c>.</summary>
    [GeneratedRegex(@"^(?:[-*]|\|)\s*\*\*([A-Z]\d+)\*\*", RegexOptions.Multiline)]
    private static partial Regex PromiseLine();
}
