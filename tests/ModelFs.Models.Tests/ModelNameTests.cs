namespace ModelFs.Models.Tests;

/// <summary>Names of models (DESIGN, section 2): what is valid, and that text and value lead to each other.</summary>
internal sealed class ModelNameTests
{
    [TestCase("bert")]
    [TestCase("20261123-101112-wise-otter")]
    [TestCase("a b")]
    [TestCase("trailing.")]
    [TestCase("größe")]
    [TestCase("a__b")]
    [TestCase("_")]
    public void Such_a_part_is_a_name(string part) => Assert.That(ModelName.IsValidPart(part), Is.True);

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase(".hidden")]
    [TestCase("a/b")]
    [TestCase("a\0b")]
    [TestCase("a___b")]
    [TestCase("___")]
    public void Such_a_part_is_not(string part) => Assert.That(ModelName.IsValidPart(part), Is.False);

    [Test]
    public void Names_are_measured_in_bytes_of_UTF_8()
    {
        Assert.That(ModelName.IsValidPart(new string('a', 255)), Is.True);
        Assert.That(ModelName.IsValidPart(new string('a', 256)), Is.False);
        Assert.That(ModelName.IsValidPart(new string('ü', 127)), Is.True);
        Assert.That(ModelName.IsValidPart(new string('ü', 128)), Is.False);
    }

    [TestCase("bert", null, "bert", "bert")]
    [TestCase("team/gpt", "team", "gpt", "team___gpt")]
    public void A_path_and_a_stem_lead_to_the_same_name(string path, string? project, string name, string stem)
    {
        Assert.That(ModelName.TryParsePath(path, out var byPath), Is.True);
        Assert.That(ModelName.TryParseStem(stem, out var byStem), Is.True);
        Assert.That(byPath, Is.EqualTo(byStem));
        Assert.That((byPath!.Project, byPath.Name), Is.EqualTo((project, name)));
        Assert.That((byPath.ToString(), byPath.Stem), Is.EqualTo((path, stem)));
    }

    [TestCase("a/b/c")]
    [TestCase("/a")]
    [TestCase("a/")]
    [TestCase("")]
    [TestCase(".modelfs")]
    [TestCase("team/.x")]
    public void Such_a_path_is_no_model(string path) => Assert.That(ModelName.TryParsePath(path, out _), Is.False);

    [TestCase("a___b___c")]
    [TestCase("___b")]
    [TestCase("a___")]
    [TestCase(".a___b")]
    public void Such_a_stem_is_no_model(string stem) => Assert.That(ModelName.TryParseStem(stem, out _), Is.False);

    [Test]
    public void Of_four_underlines_the_first_three_separate()
    {
        Assert.That(ModelName.TryParseStem("a____b", out var name), Is.True);
        Assert.That((name!.Project, name.Name), Is.EqualTo(("a", "_b")));
        Assert.That(name.Stem, Is.EqualTo("a____b"));
    }

    [Test]
    public void A_project_does_not_end_with_an_underline() => Assert.That(ModelName.TryCreate("a_", "b", out _), Is.False);

    /// <summary>What mkdir can make in a project, publishing and listing again must find under the same name.</summary>
    [Test]
    public void Every_name_comes_back_from_its_stem()
    {
        var parts = new[] { "a", "_", "__", "a_", "_a", "a__", "__a", "ü" };
        foreach (var project in parts.Prepend(null))
        {
            foreach (var part in parts)
            {
                if (ModelName.TryCreate(project, part, out var name))
                {
                    Assert.That(ModelName.TryParseStem(name.Stem, out var back), Is.True, name.Stem);
                    Assert.That(back, Is.EqualTo(name), name.Stem);
                }
            }
        }
    }
}
