namespace ModelFs.Models.Tests;

internal sealed class ModelKeyTests
{
    [TestCase("bert.tar.gz", "bert", ArchiveFormat.TarGz)]
    [TestCase("bert.tgz", "bert", ArchiveFormat.Tgz)]
    [TestCase("bert.tar", "bert", ArchiveFormat.Tar)]
    [TestCase("bert.tar.bz2", "bert", ArchiveFormat.TarBz2)]
    [TestCase("bert.zip", "bert", ArchiveFormat.Zip)]
    [TestCase("team___gpt.tar.gz", "team/gpt", ArchiveFormat.TarGz)]
    [TestCase("v1.2.tar.gz", "v1.2", ArchiveFormat.TarGz)]
    [TestCase("a.tar.tar.gz", "a.tar", ArchiveFormat.TarGz)]
    public void A_key_names_a_model_and_a_format_and_comes_back(string key, string path, ArchiveFormat format)
    {
        Assert.That(ModelKey.TryParse(key, out var parsed), Is.True);
        Assert.That((parsed!.Model.ToString(), parsed.Format), Is.EqualTo((path, format)));
        Assert.That(parsed.ToString(), Is.EqualTo(key));
    }

    [TestCase("")]
    [TestCase("bert")]
    [TestCase(".tar.gz")]
    [TestCase("bert.TAR.GZ")]
    [TestCase("readme.txt")]
    [TestCase(".hidden.tar.gz")]
    [TestCase("folder/bert.tar.gz")]
    [TestCase("a___b___c.tar.gz")]
    [TestCase("bert.tar.gz.part")]
    public void Such_an_object_is_no_model(string key) => Assert.That(ModelKey.TryParse(key, out _), Is.False);

    [Test]
    public void Every_format_has_an_ending_that_leads_back_to_it()
    {
        foreach (var format in Enum.GetValues<ArchiveFormat>())
        {
            Assert.That(ArchiveFormats.TrySplit("x" + format.Suffix(), out var stem, out var found), Is.True);
            Assert.That((stem, found), Is.EqualTo(("x", format)));
        }

        Assert.That(Enum.GetValues<ArchiveFormat>().Where(format => format.CanWrite()), Is.EqualTo(new[] { ArchiveFormat.TarGz, ArchiveFormat.Tgz, ArchiveFormat.Tar }));
    }
}
