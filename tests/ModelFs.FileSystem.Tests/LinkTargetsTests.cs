namespace ModelFs.FileSystem.Tests;

internal sealed class LinkTargetsTests
{
    [TestCase("link", "file", true)]
    [TestCase("link", "./sub/../file", true)]
    [TestCase("link", "sub/..", true)]
    [TestCase("sub/link", "../file", true)]
    [TestCase("a/b/link", "../../file", true)]
    [TestCase("a/b/link", "../../..", false)]
    [TestCase("link", "..", false)]
    [TestCase("link", "../other/file", false)]
    [TestCase("link", "sub/../../file", false)]
    [TestCase("link", "/etc/passwd", false)]
    [TestCase("link", "", false)]
    [TestCase("link", "...", true)]
    [TestCase("link", "a//b", true)]
    public void A_link_stays_inside_of_its_model(string path, string target, bool stays) =>
        Assert.That(LinkTargets.StaysInside(path, target), Is.EqualTo(stays));
}
