using System.Reflection;
using System.Text.RegularExpressions;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests;

/// <summary>The tests of the other suite prove every promise; those here prove some of them harder.</summary>
internal sealed class PromiseTests
{
    [Test]
    public void Every_test_names_promises_that_are_written_down()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryPaths.Root, "src", "SEMANTICS.md"));
        var named = typeof(PromiseTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .SelectMany(method => method.GetCustomAttributes<PromiseAttribute>())
            .Select(promise => promise.Id)
            .Distinct()
            .ToArray();
        Assert.That(named, Is.Not.Empty);
        Assert.That(named, Is.SubsetOf(Regex.Matches(page, @"^- \*\*([A-Z]\d+)\*\*", RegexOptions.Multiline).Select(match => match.Groups[1].Value)));
    }
}
