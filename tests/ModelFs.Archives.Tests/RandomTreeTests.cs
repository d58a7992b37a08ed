using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Any tree comes back as it was, by our own reader and by Python's. FsCheck prints the seed of a failing tree and makes it small.</summary>
public sealed class RandomTreeTests
{
    private const string Python = "/usr/bin/python3";

    private static readonly string[] s_names =
        ["a", "b", "B", "bert", "metadata.json", " ", "-x", "*", "a\nb", "back\\slash", ".hidden", "...", "größe", "\U0001f600", new('n', 255), new('m', 99), new('k', 60)];

    [Test]
    public void Any_tree_packs_and_unpacks_to_itself() =>
        Prop.ForAll(Trees(), tree => RoundTripAsync(tree, python: false).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Test]
    public void Any_tree_is_extracted_by_python_as_it_was()
    {
        if (!File.Exists(Python))
        {
            Assert.Ignore($"{Python} is not installed");
        }

        Prop.ForAll(Trees(), tree => RoundTripAsync(tree, python: true).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(8));
    }

    private static Arbitrary<Tree> Trees()
    {
        var node =
            from parts in Gen.ListOf(Gen.Elements(s_names), 4)
            from depth in Gen.Choose(1, 4)
            from type in Gen.Elements(TreeEntryType.File, TreeEntryType.File, TreeEntryType.Directory, TreeEntryType.SymbolicLink)
            from size in Gen.Elements(0, 1, 511, 512, 513, 10_240, 100_000)
            from mode in Gen.Choose(0, 0x1ff).Select(bits => Environment.IsPrivilegedProcess ? bits : bits | 0x1c0)
            from seconds in Gen.Elements(-86_400L, 0L, 1_700_000_000L, 1L << 33)
            from nanoseconds in Gen.Elements(0u, 1u, 123_456_789u, 999_999_900u)
            select new TreeEntry(
                string.Join('/', parts.Take(depth)), type, mode, new UnixTime(seconds, nanoseconds), type == TreeEntryType.File ? size : 0,
                type == TreeEntryType.SymbolicLink ? s_names[size % s_names.Length] : null);
        var tree = from nodes in Gen.ListOf(node) from layout in Gen.Elements(Enum.GetValues<ArchiveLayout>()) select new Tree(layout, [.. nodes]);
        return tree.ToArbitrary();
    }

    /// <summary>What can be made of the generated nodes: the first of each path, in folders only, with their parents.</summary>
    private static List<TreeEntry> Possible(Tree tree)
    {
        var entries = new Dictionary<string, TreeEntry>(StringComparer.Ordinal) { [""] = new("", TreeEntryType.Directory, 0x1ed, SampleTree.Time) };
        foreach (var node in tree.Nodes)
        {
            var parents = Parents(node.Path).ToList();
            if (parents.All(parent => !entries.TryGetValue(parent, out var other) || other.Type == TreeEntryType.Directory))
            {
                parents.ForEach(parent => entries.TryAdd(parent, new TreeEntry(parent, TreeEntryType.Directory, 0x1c0, SampleTree.Time)));
                entries.TryAdd(node.Path, node.Type == TreeEntryType.SymbolicLink ? node with { Mode = 0x1ff } : node);
            }
        }

        return [.. entries.Values.OrderBy(entry => entry.Path, StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            yield return path[..slash];
        }
    }

    private static async Task RoundTripAsync(Tree tree, bool python)
    {
        using var temporary = new TemporaryFolder();
        var (source, target) = (temporary.Folder("source"), temporary.Folder("target"));
        SampleTree.Write(source, Possible(tree), entry => SampleTree.Content(entry.Size));
        var entries = await ModelTree.ScanAsync(source, null, CancellationToken.None);
        var (archive, _) = await PackTests.PackAsync(source, entries, tree.Layout);
        if (python)
        {
            var file = Path.Combine(temporary.Path, "bert.tar.gz");
            await File.WriteAllBytesAsync(file, archive);
            using var extract = Process.Start(Python, ["-c", "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])", file, target]);
            await extract.WaitForExitAsync();
            Assert.That(extract.ExitCode, Is.Zero);
            target = tree.Layout == ArchiveLayout.Named ? Path.Combine(target, "bert") : target;
        }
        else
        {
            // A tree whose only content is a folder of the model's own name reads as Named where no root says otherwise.
            var model = await Unpacking.ToFolderAsync(archive, target);
            if (tree.Layout == ArchiveLayout.Bare && model.Layout == ArchiveLayout.Named)
            {
                return;
            }

            Assert.That(model.Layout, Is.EqualTo(tree.Layout));
            Assert.That(model.Entries.Skip(1), Is.EqualTo(entries.Skip(1)));
            if (entries.Count > 1 || tree.Layout != ArchiveLayout.Bare)
            {
                await IndexedArchive.AgreesWithUnpackAsync(archive, source);
            }
        }

        var unpacked = await ModelTree.ScanAsync(target, null, CancellationToken.None);
        Assert.That(unpacked.Skip(1).Select(entry => Comparable(entry, python)), Is.EqualTo(entries.Skip(1).Select(entry => Comparable(entry, python))));
    }

    /// <summary>Python's times are floating point numbers, and it leaves links the time of their making.</summary>
    private static TreeEntry Comparable(TreeEntry entry, bool python) => python
        ? entry with { ModifiedTime = new UnixTime(entry.Type == TreeEntryType.SymbolicLink ? 0 : (entry.ModifiedTime.Seconds + (entry.ModifiedTime.Nanoseconds / 500_000_000)), 0) }
        : entry;

    private sealed record Tree(ArchiveLayout Layout, IReadOnlyList<TreeEntry> Nodes);
}
