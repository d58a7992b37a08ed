using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Every generation of Rasa: an archive as its persistor writes it, used in the mount, and read again as its persistor reads it.</summary>
internal sealed class RasaGenerationTests : MountFixture
{
    [TestCase("A", "model_20170501-101010", "model_20170501-101010")]
    [TestCase("B", "default___model_20180501-101010", "default/model_20180501-101010")]
    [TestCase("C", "model_20190401-101010", "model_20190401-101010")]
    [TestCase("C'", "20190506-100418", "20190506-100418")]
    [TestCase("D", "20211018-094821_composite-pita", "20211018-094821_composite-pita")]
    [Promise("W7")]
    public void A_model_of_a_generation_is_read_edited_and_read_again_by_that_generation(string generation, string stem, string path)
    {
        var trained = Tree(Path.GetFileName(path) + ":files=20", "trained");
        Rasa("save", generation, trained, ArchiveOf(stem));
        var namesBefore = Rasa("names", ArchiveOf(stem)).Lines;
        var mount = Mount();
        TreeSnapshot.AssertEqual(mount.At(path), trained);

        foreach (var folder in new[] { mount.At(path), trained })
        {
            Edit(folder);
        }

        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At(path), copy);
        mount.Unmount();
        Assert.That(StoreKeys(), Is.EqualTo([stem + ".tar.gz"]));

        var extracted = Rasa("extract", generation, ArchiveOf(stem), Folder.Create("server")).Output.Trim();
        TreeSnapshot.AssertEqual(extracted, copy);
        Assert.That(Contents(extracted), Is.EqualTo(Contents(trained)), "what was done in the mount is what is done in a local folder");
        var names = Rasa("names", ArchiveOf(stem)).Lines;
        if (generation == "C'")
        {
            Assert.That(names, Has.None.AnyOf("", ".", "./", "/"), "no member for the root");
        }
        else
        {
            Assert.That(names[0], Is.EqualTo(namesBefore[0]), "the root's member");
        }

        Assert.That(names.Except(namesBefore), Is.EquivalentTo(Written(namesBefore, "notes/new.txt", "notes")), "members are named as they were");
        Assert.That(namesBefore.Except(names), Is.EquivalentTo(Written(namesBefore, "regex_featurizer.json")));
        Assert.That(Directory.GetFileSystemEntries(Folder.At("server")), Has.Length.EqualTo(1), "nothing is scattered beside the model");
    }

    private static void Edit(string model)
    {
        File.AppendAllText(Path.Combine(model, "metadata.json"), "\n");
        Directory.CreateDirectory(Path.Combine(model, "notes"));
        File.WriteAllText(Path.Combine(model, "notes", "new.txt"), "made in the mount");
        File.Delete(Path.Combine(model, "regex_featurizer.json"));
    }

    /// <summary>Paths as the archive writes them: what stands before <c>metadata.json</c> stands before each.</summary>
    private static IEnumerable<string> Written(string[] names, params IEnumerable<string> paths)
    {
        var known = names.Single(name => name.EndsWith("metadata.json\"", StringComparison.Ordinal));
        return paths.Select(path => known.Replace("metadata.json", path, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Contents(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(folder, file) + " " + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))))
        .Order(StringComparer.Ordinal);

    private static ActorResult Rasa(params IEnumerable<string> arguments) => Actor.Run("/usr/bin/python3", [RepositoryPaths.Actor("rasa_models.py"), .. arguments]);
}
