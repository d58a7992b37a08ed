using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>Who follows the documentation of Rasa NLU's persistence and changes nothing but the mount.</summary>
internal sealed class S3RasaSettingsTests : S3Fixture
{
    [Test]
    [Promise("M5")]
    public void The_variables_of_the_documentation_mount_the_bucket()
    {
        Upload("", "model_20161111-180000:A");
        var environment = CephServer.Owner.ToDictionary();
        (environment["BUCKET_NAME"], environment["AWS_REGION"], environment["AWS_ENDPOINT_URL"]) = (Bucket, "us-east-1", CephServer.Endpoint);
        Assert.That(MountedStore.Modelfs(["ls", "--storage", "aws"], environment).Succeeded().Output, Does.Contain("model_20161111-180000"));
        Assert.That(MountedStore.Modelfs(["pull", "--storage", "aws", "model_20161111-180000", Folder.At("pulled")], environment).Succeeded().Output, Does.Contain("pulled"));

        var models = Folder.Create("models");
        MountedStore.Modelfs(["mount", "--storage", "aws", models, "--cache-dir", Folder.At("cache"), "--settle", "0.2"], environment).Succeeded();
        TreeSnapshot.AssertEqual(Path.Combine(models, "model_20161111-180000"), Folder.At("pulled"));
        File.WriteAllText(Path.Combine(models, "model_20161111-180000", "notes.txt"), "changed");
        MountedStore.Modelfs(["unmount", models]).Succeeded();
        Download("model_20161111-180000");
        Assert.That(MembersOf("model_20161111-180000"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("M5")]
    public void A_server_s_configuration_file_names_store_and_mount_point_and_nothing_tells_its_secrets()
    {
        Upload("", "model_20161111-180000:A");
        var models = Folder.Create("data");
        File.WriteAllText(Folder.At("config.json"),
            $$$"""
            {"pipeline": "mitie", "storage": "aws", "bucket_name": "{{{Bucket}}}", "aws_region": "us-east-1", "aws_endpoint_url": "{{{CephServer.Endpoint}}}",
             "path": "{{{models}}}", "server_model_dirs": {"restaurants": "{{{models}}}/model_20161111-180000"}}
            """);
        var mounting = MountedStore.Modelfs(["mount", "--rasa-config", Folder.At("config.json"), "--cache-dir", Folder.At("cache")], CephServer.Owner).Succeeded();
        Assert.That(MountTable.IsMounted(models), Is.True);
        Assert.That(File.ReadAllText(Path.Combine(models, "model_20161111-180000", "metadata.json")), Does.Contain("model_20161111-180000"));
        var told = mounting.Output + mounting.Error + File.ReadAllText(Path.Combine(models, ".modelfs", "status.json")) + File.ReadAllText(Folder.At("cache/modelfs.log"))
            + string.Concat(Folder.Processes().Select(process => File.ReadAllText($"/proc/{process}/cmdline")));
        Assert.That(told, Does.Contain(Bucket).And.Not.Contain(CephServer.Owner["AWS_SECRET_ACCESS_KEY"]));
        MountedStore.Modelfs(["unmount", models]).Succeeded();
    }

    [Test]
    [Promise("T3")]
    public void Models_move_between_a_folder_and_a_bucket_and_stay_byte_for_byte()
    {
        Pack("bert:C:odd=yes");
        var environment = CephServer.Owner;
        MountedStore.Modelfs(["cp", StoreFolder + "/bert", Url()], environment).Succeeded();
        Client("get", Bucket, "bert.tar.gz", Folder.At("got.tar.gz"));
        Assert.That(File.ReadAllBytes(Folder.At("got.tar.gz")), Is.EqualTo(File.ReadAllBytes(ArchiveOf("bert"))));
        MountedStore.Modelfs(["push", Tree("trained"), Url()], environment).Succeeded();
        MountedStore.Modelfs(["cp", $"s3://{Bucket}/trained?endpoint={CephServer.Endpoint}&region=us-east-1", StoreFolder + "/second"], environment).Succeeded();
        AssertArchiveHolds("second", Folder.At("local/trained"));
        var refused = MountedStore.Modelfs(["push", Folder.At("local/trained"), Url()], environment);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        MountedStore.Modelfs(["pull", Url(), "bert", Folder.At("got")], environment).Succeeded();
        TreeSnapshot.AssertEqual(Folder.At("got"), Tree("bert:odd=yes", "again"));
    }
}
