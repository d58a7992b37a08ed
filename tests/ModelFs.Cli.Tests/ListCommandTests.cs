using System.Text.Json;
using ModelFs.Cli.Listing;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Tests;

public sealed class ListCommandTests
{
    private static readonly DateTimeOffset s_modified = new(2026, 11, 22, 8, 30, 0, TimeSpan.Zero);

    private static FakeStores Sample => new(Object("zeta.tar.gz", 2048), Object("team___bert.zip", 12_897_485), Object("notes.txt", 3), Object(".hidden.tar.gz", 3));

    [Test]
    public async Task Models_are_listed_by_name_and_other_objects_are_counted()
    {
        var run = new CommandRun { Stores = Sample };
        Assert.That(await run.RunAsync("ls", "s3://bucket"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That($"{run.Out}".TrimEnd().Split('\n').Select(line => line.TrimEnd()), Is.EqualTo(new[]
        {
            "MODEL          SIZE  MODIFIED              FORMAT",
            "team/bert  12.3 MiB  2026-11-22 08:30:00Z  zip",
            "zeta        2.0 KiB  2026-11-22 08:30:00Z  tar.gz",
            "and 2 other objects that a mount does not show",
        }));
        Assert.That(run.Stores.CreateBucket, Is.False, "listing changes nothing");
    }

    [Test]
    public async Task Json_has_the_same_for_scripts()
    {
        var run = new CommandRun { Stores = Sample };
        Assert.That(await run.RunAsync("ls", "s3://bucket", "--json", "--ca-file", "ca.pem"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        using var expected = JsonDocument.Parse(
            """
            {"store":"s3://bucket","models":[
              {"name":"team/bert","key":"team___bert.zip","bytes":12897485,"modified":"2026-11-22T08:30:00+00:00","format":"zip","revision":"r"},
              {"name":"zeta","key":"zeta.tar.gz","bytes":2048,"modified":"2026-11-22T08:30:00+00:00","format":"tar.gz","revision":"r"}],"otherObjects":2}
            """);
        using var written = JsonDocument.Parse($"{run.Out}");
        Assert.That(JsonElement.DeepEquals(written.RootElement, expected.RootElement), $"{run.Out}");
        Assert.That(run.Stores.CaFile, Is.EqualTo("/place/ca.pem"));
    }

    [Test]
    public async Task An_empty_store_is_said_to_be_empty()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("ls", "s3://bucket"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Is.EqualTo("no models in s3://bucket\n"));
    }

    [TestCase(StoreErrorKind.AccessDenied, ExitCode.Failed)]
    [TestCase(StoreErrorKind.Misconfigured, ExitCode.Usage)]
    public async Task A_store_s_failure_is_told_in_its_own_words(StoreErrorKind kind, int code)
    {
        var run = new CommandRun { Stores = new FakeStores { OpenError = new StoreException(kind, "the key is wrong") } };
        Assert.That(await run.RunAsync("ls", "s3://bucket"), Is.EqualTo(code));
        Assert.That($"{run.Error}", Is.EqualTo("modelfs: the key is wrong\n"));
    }

    [Test]
    public async Task The_store_can_come_from_the_environment()
    {
        var run = new CommandRun();
        run.Variables["MODELFS_STORE"] = "s3://other";
        Assert.That(await run.RunAsync("ls"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("s3://other"));
    }

    [TestCase("models", "/place/models", "file:///place/models")]
    [TestCase("../models/", "/models", "file:///models")]
    [TestCase("file:///srv/models/", "/srv/models", "file:///srv/models")]
    public void A_folder_has_one_address_however_it_is_written(string text, string path, string display) =>
        Assert.That(Opener().Parse(text, "/place"), Is.EqualTo(new StoreAddress(path, display, false)));

    [Test]
    public void A_password_is_noticed_and_not_shown()
    {
        var address = Opener().Parse("s3://bucket?secret-key=abc", "/place");
        Assert.That(address.HoldsSecret, Is.True);
        Assert.That(address.Display, Does.Not.Contain("abc"));
        Assert.That(address.Text, Does.Contain("abc"));
    }

    [Test]
    public async Task A_real_folder_can_be_listed()
    {
        var folder = Directory.CreateTempSubdirectory("modelfs-ls").FullName;
        try
        {
            await File.WriteAllBytesAsync(folder + "/bert.tar.gz", new byte[10]);
            var opener = Opener();
            await using var store = opener.Create(opener.Parse(folder, "/"), createBucket: false, caFile: null);
            await store.OpenAsync(CancellationToken.None);
            var listing = await ModelListing.ReadAsync(store, CancellationToken.None);
            Assert.That(listing.Models.Select(model => (model.Name, model.Bytes)), Is.EqualTo(new[] { ("bert", 10L) }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static StoreUrlOpener Opener() => new(new StoreOpener([new FolderStoreFactory()]), new StoreOptions());

    private static StoredObject Object(string key, long length) => new(key, new StoreRevision("r"), length, s_modified);
}
