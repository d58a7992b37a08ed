using System.Text.Json;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Somebody else changes the bucket while a mount is in use.</summary>
internal sealed class S3VersionTests : S3Fixture
{
    /// <summary>A query server that takes its newest model again and again, by name as 0.10 does and by ctime as 1.x does, and loads it whole.</summary>
    private const string QueryServer =
        """
        import json, os, sys, time
        models, known = sys.argv[1], None
        while True:
            names = [name for name in os.listdir(models) if os.path.isdir(os.path.join(models, name))]
            by_name = max(names)
            by_time = max(names, key=lambda name: os.path.getctime(os.path.join(models, name)))
            if by_name == by_time != known:
                with open(os.path.join(models, by_name, "metadata.json")) as stream:
                    assert json.load(stream)["model"] == by_name
                for top, _, files in os.walk(os.path.join(models, by_name)):
                    for file in files:
                        with open(os.path.join(top, file), "rb") as stream:
                            stream.read()
                known = by_name
                print("serving", known)
            time.sleep(0.2)
        """;

    [Test]
    [Promise("N8")]
    public void A_query_server_takes_the_latest_model_that_another_machine_uploads_without_remount()
    {
        Upload("", "model_20170501-101010:A");
        var mount = Mount(AsOwner("--list-ttl", "1"), Url());
        using var server = Actor.StartPython(QueryServer, mount.Root);
        server.WaitForOutput("serving model_20170501-101010");
        foreach (var late in new[] { "model_20170701-101010", "model_20170801-101010" })
        {
            Pack(late + ":A");

            // S3 tells times in whole seconds: of two models of one second neither is the newer one.
            var second = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            Eventually.True(() => DateTimeOffset.UtcNow.ToUnixTimeSeconds() > second, "the next second has begun");
            Client("put-as", Bucket, ArchiveOf(late), late + ".tar.gz");
            server.WaitForOutput("serving " + late);
        }

        Assert.That(server.HasExited, Is.False);
    }

    [Test]
    [Promise("F7")]
    public void Status_tells_the_local_and_the_stored_revision_until_the_newer_one_is_taken()
    {
        Upload("", "bert:A:seed=1");
        var first = ETag();
        var mount = Mount(AsOwner("--list-ttl", "0.5", "--switch-after", "0.5"), Url());
        using (var holder = File.OpenRead(mount.At("bert", "intent_classifier.pkl")))
        {
            Assert.That(Revisions(mount), Is.EqualTo((first, first)));
            Upload("", "bert:A:seed=2");
            var second = ETag();
            Eventually.True(
                () =>
                {
                    _ = Directory.GetDirectories(mount.Root);
                    return Revisions(mount) == (first, second);
                },
                "the newer revision is seen, and not taken while a file is open");
            var held = new byte[holder.Length];
            holder.ReadExactly(held);
            Assert.That(held, Is.EqualTo(Content("first", "bert:seed=1")));
        }

        Eventually.True(
            () => File.ReadAllBytes(mount.At("bert", "intent_classifier.pkl")).SequenceEqual(Content("second", "bert:seed=2")), "the newer revision is taken", pause: TimeSpan.FromSeconds(1));
        Assert.That(Revisions(mount), Is.EqualTo((ETag(), ETag())));
        // Never a mixture: every file is of the second one.
        TreeSnapshot.AssertEqual(mount.At("bert"), Folder.At("second/bert"));
    }

    [Test]
    [Promise("F7")]
    public void A_model_that_is_deleted_in_the_bucket_goes_when_its_files_are_closed()
    {
        Upload("", "bert:A", "moodbot:A");
        var mount = Mount(AsOwner("--list-ttl", "0.5", "--switch-after", "0.5"), Url());
        using (var holder = File.OpenRead(mount.At("bert", "intent_classifier.pkl")))
        {
            Client("delete", Bucket, "bert.tar.gz");
            Eventually.True(() => Directory.GetDirectories(mount.Root).Length == 1, "the deleted model is not listed");
            var held = new byte[holder.Length];
            holder.ReadExactly(held);
            Assert.That(held, Is.EqualTo(Content("local", "bert")));
        }

        Eventually.True(() => !Directory.Exists(mount.At("bert")), "it is not found");
        Assert.That(mount.Status().Models.Select(model => model.Name), Is.EqualTo(["moodbot"]));
    }

    [Test]
    [Promise("F7")]
    public void A_change_to_a_model_that_is_deleted_in_the_bucket_is_kept_as_a_conflict()
    {
        Upload("", "bert:A");
        var mount = Mount(new MountSettings { Environment = CephServer.Owner, Settle = "600", More = ["--list-ttl", "0.5"] }, Url());
        File.WriteAllText(mount.At("bert", "notes.txt"), "mine");
        Client("delete", Bucket, "bert.tar.gz");
        MountedStore.Modelfs(["sync", mount.Root]);
        string? kept = null;
        Eventually.True(() => (kept = Directory.GetDirectories(mount.At(".modelfs", "conflicts")).FirstOrDefault()) is not null, "the change is kept");
        Assert.That(File.ReadAllText(Path.Combine(kept!, "notes.txt")), Is.EqualTo("mine"));
        Assert.That(Client("list", Bucket).Lines, Is.Empty, "a deletion is not undone behind somebody's back");
    }

    private string ETag() => Client("etag", Bucket, "bert.tar.gz").Output.Trim().Trim('"');

    private static (string? Local, string? Store) Revisions(MountedStore mount)
    {
        using var status = JsonDocument.Parse(mount.Status()["bert"].ToString());
        return (status.RootElement.GetProperty("localRevision").GetString(), status.RootElement.GetProperty("storeRevision").GetString());
    }

    private byte[] Content(string place, string model) =>
        File.ReadAllBytes(Path.Combine(Directory.Exists(Folder.At(place)) ? Folder.At(place + "/bert") : Tree(model, place), "intent_classifier.pkl"));
}
