using ModelFs.Cli.Transfers;

namespace ModelFs.Cli.Tests;

/// <summary>A folder appears whole at its place, or what was there stands.</summary>
public sealed class StagedFolderTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("modelfs-staged").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Nothing_is_at_the_place_before_the_commit_and_nothing_is_beside_it_after()
    {
        using (var staged = StagedFolder.Create(_folder + "/deep/bert"))
        {
            File.WriteAllText(staged.Path + "/metadata.json", "{}");
            Assert.That(Directory.Exists(_folder + "/deep/bert"), Is.False);
            Assert.That(Path.GetDirectoryName(staged.Path), Is.EqualTo(_folder + "/deep"), "one rename must do");
            staged.Commit(replace: false);
        }

        Assert.That(File.ReadAllText(_folder + "/deep/bert/metadata.json"), Is.EqualTo("{}"));
        Assert.That(Entries("deep"), Is.EqualTo(["bert"]));
    }

    [Test]
    public void Without_a_commit_nothing_is_left_whatever_the_modes_are()
    {
        using (var staged = StagedFolder.Create(_folder + "/bert"))
        {
            Directory.CreateDirectory(staged.Path + "/locked");
            File.WriteAllText(staged.Path + "/locked/file", "x");
            File.SetUnixFileMode(staged.Path + "/locked", UnixFileMode.UserRead | UnixFileMode.UserExecute);
            File.SetUnixFileMode(staged.Path, UnixFileMode.None);
        }

        Assert.That(Entries(), Is.Empty);
    }

    [Test]
    public void A_folder_with_content_stands_unless_it_is_to_be_replaced()
    {
        Directory.CreateDirectory(_folder + "/bert");
        File.WriteAllText(_folder + "/bert/old", "old");
        using (var refused = StagedFolder.Create(_folder + "/bert"))
        {
            File.WriteAllText(refused.Path + "/new", "new");
            Assert.That(() => refused.Commit(replace: false), Throws.InstanceOf<IOException>());
        }

        Assert.That(Entries("bert"), Is.EqualTo(["old"]));
        using (var staged = StagedFolder.Create(_folder + "/bert"))
        {
            File.WriteAllText(staged.Path + "/new", "new");
            staged.Commit(replace: true);
        }

        Assert.That(Entries("bert"), Is.EqualTo(["new"]));
        Assert.That(Entries(), Is.EqualTo(["bert"]), "the old folder is gone");
    }

    [Test]
    public void What_a_killed_program_left_is_removed_and_what_another_is_filling_is_not()
    {
        Directory.CreateDirectory(_folder + "/.modelfs-pull-abandoned/inner");
        using var other = StagedFolder.Create(_folder + "/other");
        using var own = StagedFolder.Create(_folder + "/own");
        Assert.That(Entries(), Is.EquivalentTo([Path.GetFileName(other.Path), Path.GetFileName(own.Path)]));
    }

    private string[] Entries(string below = "") =>
        [.. new DirectoryInfo(Path.Combine(_folder, below)).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }).Select(entry => entry.Name)];
}
