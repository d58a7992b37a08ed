using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Names that other systems trip over, in a folder store; <see cref="S3.S3NameTests"/> has the same in a bucket.</summary>
internal sealed class NameTests : MountFixture
{
    /// <summary>Stems of keys; each is a name that must come back to the byte.</summary>
    public static readonly string[] Odd =
    [
        "with space", " leading and trailing ", "a+b", "100%", "%2F", "a%20b", "a&b=c?d#e", "q\"u'o\\te", "größe", "gro\u0308ße", "模型", "\U0001F916", "UPPER", "upper", "a__b",
        "v1.2", "bert.tar.gz", "model.tgz", "-dash", "trailing.", "$HOME", "*", "a:b;c", "tab\there",
    ];

    /// <summary>Keys that are no models, whatever a store makes of them.</summary>
    public static readonly string[] NotShown = [".hidden.tar.gz", ".modelfs.tar.gz", "a___b___c.tar.gz", "___b.tar.gz", "a___.tar.gz", ".tar.gz", "BERT.TAR.GZ", "readme.txt"];

    [Test]
    [Promise("N11")]
    public void Odd_names_are_listed_read_changed_and_made()
    {
        Pack("one:B");
        foreach (var name in Odd.Append(Longest(248)))
        {
            File.Copy(ArchiveOf("one"), ArchiveOf(name));
        }

        foreach (var key in NotShown)
        {
            File.Copy(ArchiveOf("one"), Path.Combine(StoreFolder, key), overwrite: true);
        }

        File.Delete(ArchiveOf("one"));
        var mount = Mount();
        AssertNames(mount, [.. Odd, Longest(248)]);
        UseAndMake(mount, Odd);
        mount.Unmount();
        foreach (var name in Odd)
        {
            Assert.That(MembersOf(name), Does.Contain("notes.txt"), name);
            Assert.That(File.Exists(ArchiveOf(name + "-new")), Is.True, name);
        }

        AssertNames(Mount(cacheName: "fresh"), [.. Odd, .. Odd.Select(name => name + "-new"), Longest(248)]);
    }

    [Test]
    [Promise("N11")]
    public void A_doubled_ending_is_a_name_of_its_own()
    {
        Pack("bert:A", "bert.tar.gz:A:seed=2");
        var mount = Mount();
        AssertNames(mount, ["bert", "bert.tar.gz"]);
        Assert.That(File.ReadAllText(mount.At("bert.tar.gz", "metadata.json")), Does.Contain("\"bert.tar.gz\""));
        Assert.That(File.ReadAllText(mount.At("bert", "metadata.json")), Does.Contain("\"bert\""));
    }

    [Test]
    [Promise("N12")]
    public void The_listing_is_read_again_when_it_is_older_than_its_lifetime()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { More = ["--list-ttl", "0.5"] });
        var patient = Mount(new MountSettings { More = ["--list-ttl", "3600"] }, mountName: "patient", cacheName: "cache-2");
        AssertNames(patient, ["bert"]);
        Pack("late:A");
        Eventually.True(() => Names(mount.Root).SequenceEqual(["bert", "late"]), "a new model is listed");
        Eventually.StaysTrue(() => Names(patient.Root).SequenceEqual(["bert"]), "a listing is not older than it may be", TimeSpan.FromSeconds(2));
    }

    [Test]
    [Promise("N12")]
    public void A_look_up_that_found_nothing_is_forgotten_within_seconds()
    {
        Pack("bert:A");
        var mount = Mount(new MountSettings { More = ["--list-ttl", "3600"] });
        Assert.That(Directory.Exists(mount.At("late")), Is.False);
        Assert.That(Directory.Exists(mount.At("project", "late")), Is.False);
        Pack("late:A", "project___late:B");
        Eventually.True(() => Directory.Exists(mount.At("late")) && Directory.Exists(mount.At("project", "late")), "who asks again finds it", TimeSpan.FromSeconds(20));
    }

    /// <summary>A name of so many bytes.</summary>
    public static string Longest(int bytes) => new string('ü', bytes / 2) + new string('x', bytes % 2);

    public static void AssertNames(MountedStore mount, IEnumerable<string> expected) =>
        Assert.That(Names(mount.Root), Is.EqualTo(expected.Order(StringComparer.Ordinal)));

    /// <summary>Reads and changes each model, and makes another beside it.</summary>
    public static void UseAndMake(MountedStore mount, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            Assert.That(File.ReadAllText(mount.At(name, "metadata.json")), Does.Contain("\"model\""), name);
            File.WriteAllText(mount.At(name, "notes.txt"), "changed");
            Directory.CreateDirectory(mount.At(name + "-new"));
            File.WriteAllText(mount.At(name + "-new", "metadata.json"), "{}");
        }
    }

    private static string[] Names(string folder) =>
        [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }).Select(entry => entry.Name).Order(StringComparer.Ordinal)];
}
