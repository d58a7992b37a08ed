using System.Globalization;

namespace ModelFs.Cache.Tests;

/// <summary>
/// Cache folders as a crash can leave them: each of the small files that describe a dirty model cut off anywhere, gone, or beside a half-written
/// successor. What a program wrote is published or shown, and the store's version of somebody else is never replaced.
/// </summary>
internal sealed class CutCacheTests
{
    private const string Changed = "what the program wrote";

    private static byte[] Text(string text) => SampleArchive.Of(("text", text));

    [Test]
    public Task Every_cut_of_the_mark_after_a_kill_keeps_the_change([Values] bool isNew) => EveryCutAsync(Part.Mark, isNew, sameBoot: true);

    [Test]
    public Task Every_cut_of_the_mark_after_the_loss_of_power_keeps_the_change([Values] bool isNew) => EveryCutAsync(Part.Mark, isNew, sameBoot: false);

    [Test]
    public Task Every_cut_of_the_manifest_keeps_the_change([Values] bool isNew, [Values] bool sameBoot) => EveryCutAsync(Part.Manifest, isNew, sameBoot);

    [Test]
    public Task Every_cut_of_the_base_keeps_the_change([Values] bool sameBoot) => EveryCutAsync(Part.Base, isNew: false, sameBoot);

    [Test]
    public Task Every_cut_of_mark_and_manifest_together_keeps_the_change([Values] bool isNew) => EveryCutAsync(Part.Mark | Part.Manifest, isNew, sameBoot: false);

    [Test]
    public async Task A_half_written_successor_of_any_file_changes_nothing([Values] bool sameBoot)
    {
        foreach (var part in new[] { Part.Mark, Part.Manifest, Part.Base })
        {
            await ReplayAsync(part, isNew: false, sameBoot, path =>
            {
                File.WriteAllBytes(path + ".tmp", File.ReadAllBytes(path)[..20]);
                return true;
            });
        }
    }

    [Test]
    public async Task A_new_model_whose_last_step_was_lost_with_the_power_is_kept()
    {
        await using var rig = await CacheRig.StartedAsync();
        var copy = await rig.CreateAsync("gpt");
        await rig.WriteAsync(copy, "text", Changed);
        await rig.StopAsync();

        // The rename that made the copy complete never reached the disk.
        Directory.Move(copy.Folder, Path.Combine(rig.Root, "staging", $"{copy.Id}"));
        ChangeBoot(rig, copy.Id);
        await rig.StartAsync();
        await AssertKeptAsync(rig, "gpt", storeText: null);
    }

    [Test]
    public async Task Of_two_changed_copies_of_one_model_both_are_kept()
    {
        await using var rig = await CacheRig.StartedAsync(null, ("bert.tar.gz", Text("one")));
        var copy = await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", Changed);
        await rig.StopAsync();
        Copy(copy.Folder, Path.Combine(rig.Root, "trees", "77"));
        await File.WriteAllTextAsync(Path.Combine(rig.Root, "trees", "77", "content", "text"), "another change");
        File.Copy(Path.Combine(rig.Root, "journal", $"{copy.Id}"), Path.Combine(rig.Root, "journal", "77"));
        await rig.StartAsync();
        Assert.That(CacheRig.Read(rig.Model("bert").Copy!, "text"), Is.EqualTo("another change"));
        Assert.That(rig.Cache.Conflicts.Select(each => CacheRig.Read(each, "text")), Is.EqualTo(new[] { Changed }));
        await rig.RestartAsync();
        Assert.That(rig.Cache.Conflicts.Select(each => CacheRig.Read(each, "text")), Is.EqualTo(new[] { Changed }));
    }

    private static async Task EveryCutAsync(Part parts, bool isNew, bool sameBoot)
    {
        var cuts = 0;
        for (var length = 0; ; length += length < 8 ? 1 : 13)
        {
            var any = false;
            await ReplayAsync(parts, isNew, sameBoot, path =>
            {
                var bytes = File.ReadAllBytes(path);
                if (length < bytes.Length)
                {
                    any = true;
                    File.WriteAllBytes(path, bytes[..length]);
                }

                return any;
            });
            if (!any)
            {
                break;
            }

            cuts++;
        }

        Assert.That(cuts, Is.GreaterThan(5));
    }

    /// <summary>A daemon leaves a dirty model, its folder is damaged, somebody else changes the store, another daemon starts.</summary>
    private static async Task ReplayAsync(Part parts, bool isNew, bool sameBoot, Func<string, bool> damage)
    {
        await using var rig = await CacheRig.StartedAsync(null, isNew ? [] : [("bert.tar.gz", Text("one"))]);
        var copy = isNew ? await rig.CreateAsync("bert") : await rig.AcquireAsync("bert");
        await rig.WriteAsync(copy, "text", Changed);
        await rig.StopAsync();
        if (!sameBoot)
        {
            ChangeBoot(rig, copy.Id);
        }

        foreach (var (part, path) in new[]
        {
            (Part.Mark, Path.Combine(rig.Root, "journal", $"{copy.Id}")),
            (Part.Manifest, copy.Folder + "/manifest.json"),
            (Part.Base, copy.Folder + "/base.json"),
        })
        {
            if (parts.HasFlag(part))
            {
                damage(path);
            }
        }

        var theirs = isNew ? null : "theirs";
        if (theirs is not null)
        {
            rig.Store.Put("bert.tar.gz", Text(theirs));
        }

        await rig.StartAsync();
        await AssertKeptAsync(rig, "bert", theirs);
    }

    /// <summary>The change can be read at its model or among the conflicts, now and after the next start, and whoever changed the store still has their version.</summary>
    private static async Task AssertKeptAsync(CacheRig rig, string model, string? storeText)
    {
        for (var start = 0; start < 2; start++)
        {
            if (start > 0)
            {
                await rig.RestartAsync();
            }

            Assert.That(TextsOf(rig, model), Does.Contain(Changed));
            await rig.PassAsync(TimeSpan.FromDays(1));
            await CacheRig.UntilAsync(() => rig.Model(model) is { IsPublishing: false }, "attempts to end");
            Assert.That(TextsOf(rig, model), Does.Contain(Changed));
            Assert.That(rig.Store.Keys.Where(key => key.StartsWith(model, StringComparison.Ordinal)).Select(key => SampleArchive.OnlyFile(rig.Store.Bytes(key))), Is.SubsetOf(new[] { storeText ?? Changed }));
        }
    }

    private static List<string> TextsOf(CacheRig rig, string model)
    {
        var copies = rig.Cache.Conflicts.ToList();
        if (rig.Shown(model)?.Copy is { } current)
        {
            copies.Add(current);
        }

        return [.. copies.Where(copy => File.Exists(Path.Combine(copy.Content, "text"))).Select(copy => CacheRig.Read(copy, "text"))];
    }

    /// <summary>As after the loss of power: everything was written in another boot of the machine.</summary>
    private static void ChangeBoot(CacheRig rig, long id)
    {
        var mark = Path.Combine(rig.Root, "journal", id.ToString(CultureInfo.InvariantCulture));
        DurableFile.Write(mark, DurableFile.Read(mark, CacheJson.Default.JournalMark)! with { BootId = "another boot" }, CacheJson.Default.JournalMark, durable: false);
        foreach (var folder in new[] { "trees", "staging" }.Select(name => Path.Combine(rig.Root, name, id.ToString(CultureInfo.InvariantCulture))).Where(Directory.Exists))
        {
            CopyFiles.WriteManifest(folder, CopyFiles.ReadManifest(folder)! with { BootId = "another boot" }, durable: false);
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    [Flags]
    private enum Part
    {
        Mark = 1,
        Manifest = 2,
        Base = 4,
    }
}
