using ModelFs.Cli.Mounting;
using ModelFs.Cli.Rasa;

namespace ModelFs.Cli.Tests;

/// <summary>Every form that a Rasa NLU server's settings had, and what is refused.</summary>
public sealed class RasaSettingsTests
{
    private static readonly Caller s_caller = new(new Owner(1000, 100), "/place/server", _ => null);

    /// <summary>Forms of <c>path</c> and <c>server_model_dirs</c>; the documentation's own examples among them.</summary>
    [TestCase("""{"path": "./models"}""", "/place/server/models")]
    [TestCase("""{"path": "./models", "server_model_dirs": null}""", "/place/server/models")]
    [TestCase("""{"path": "./models", "server_model_dirs": ""}""", "/place/server/models")]
    [TestCase("""{"path": "./models", "server_model_dirs": {}}""", "/place/server/models")]
    [TestCase("""{"server_model_dirs": "./data/model_20161111-180000"}""", "/place/server/data")]
    [TestCase("""{"server_model_dirs": "./data/model_20161111-180000/"}""", "/place/server/data")]
    [TestCase("""{"server_model_dir": "/srv/model_20161111-180000"}""", "/srv")]
    [TestCase("""{"server_model_dirs": {"one": "/srv/models/a", "two": "/srv/models/b"}}""", "/srv/models")]
    [TestCase("""{"server_model_dirs": ["/srv/models/a", "/srv/models/b"]}""", "/srv/models")]
    [TestCase("""{"server_model_dirs": {"one": null, "two": "/srv/models/b"}}""", "/srv/models")]
    [TestCase("""{"path": "/srv/models", "server_model_dirs": "/srv/models/default/model_1"}""", "/srv/models")]
    [TestCase("""{"path": "/srv/elsewhere", "server_model_dirs": "/srv/models/model_1"}""", "/srv/models")]
    [TestCase("""{"path": "/srv", "server_model_dirs": "/srv/a/b/model_1"}""", "/srv/a/b")]
    [TestCase("""{}""", null)]
    [TestCase("path: ./models\nserver_model_dirs: ~\n", "/place/server/models")]
    [TestCase("server_model_dirs:\n  one: /srv/models/a\n  two: /srv/models/b\n", "/srv/models")]
    [TestCase("server_model_dirs:\n- /srv/models/a\n", "/srv/models")]
    public void The_mount_point_is_where_the_server_looks(string config, string? expected) =>
        Assert.That(RasaMountPoint.Find(Settings(config), s_caller), Is.EqualTo(expected));

    [TestCase("""{"server_model_dirs": {"one": "/srv/a/m", "two": "/srv/b/m"}}""", "/srv/a, /srv/b")]
    [TestCase("""{"server_model_dirs": "model_20161111-180000"}""", "current folder")]
    [TestCase("""{"path": "."}""", "current folder")]
    [TestCase("""{"path": "/place"}""", "current folder")]
    public void A_place_that_can_not_be_a_mount_point_is_refused(string config, string message) => Assert.That(
        () => RasaMountPoint.Find(Settings(config), s_caller),
        Throws.InstanceOf<CommandException>().With.Message.Contains(message).And.Message.Contains("MOUNTPOINT"));

    [Test]
    public void A_variable_takes_the_same_forms()
    {
        Assert.That(RasaMountPoint.Find(Settings("{}", ("RASA_SERVER_MODEL_DIRS", """{"a": "/srv/models/a"}""")), s_caller), Is.EqualTo("/srv/models"));
        Assert.That(() => Settings("{}", ("RASA_SERVER_MODEL_DIRS", "{/srv")).Texts(RasaSettingTable.ModelFolders), Throws.InstanceOf<CommandException>());
    }

    [TestCase("""{"pipeline": "mitie", "storage": "mongodb", "mongodb_uri": "mongodb://localhost:27017/rasa-test", "collection_name": "models"}""",
        "mongodb://localhost:27017/rasa-test?collection=models")]
    [TestCase("pipeline:\n- name: nlp_spacy\n  model: [a, {b: c}]\nstorage: mongodb\nmongodb_uri: \"mongodb://me:pa%23s@host/db?authSource=admin\"\ncollection_name: my models\n",
        "mongodb://me:pa%23s@host/db?authSource=admin&collection=my%20models")]
    [TestCase("""{"storage": "aws", "bucket_name": "b", "aws_region": "eu-central-1", "aws_endpoint_url": null}""", "s3://b?region=eu-central-1")]
    [TestCase("""{"storage": "GCS", "bucket_name": "b"}""", "gs://b")]
    public void The_store_is_the_server_s(string config, string expected)
    {
        var settings = Settings(config);
        Assert.That(RasaStore.Address(settings.Text(RasaSettingTable.Storage)!, settings), Is.EqualTo(expected));
    }

    [TestCase("aws", "BUCKET_NAME, or RASA_BUCKET_NAME, or bucket_name")]
    [TestCase("mongodb", "MONGODB_URI, or RASA_MONGODB_URI, or mongodb_uri")]
    [TestCase("azure", "aws, gcs or mongodb")]
    public void What_is_missing_is_named_with_its_places(string storage, string message) => Assert.That(
        () => RasaStore.Address(storage, Settings("{}")),
        Throws.InstanceOf<CommandException>().With.Message.Contains(message).And.Property(nameof(CommandException.Code)).EqualTo(ExitCode.Usage));

    [TestCase("{\n\"mongodb_uri\": \"mongodb://me:secret@host/db\",\n", "line 3")]
    [TestCase("a: b\nmongodb_uri: mongodb://me:secret@host/db\n\"unclosed: secret\n", "line ")]
    [TestCase("secret", "holds no settings")]
    [TestCase("", "holds no settings")]
    [TestCase("{\"storage\": {\"secret\": []}}", "'storage'")]
    [TestCase("storage: [[secret]]", "'storage'")]
    public void A_file_that_can_not_be_read_is_refused_without_its_content(string config, string message) => Assert.That(
        () => Settings(config),
        Throws.InstanceOf<CommandException>().With.Message.Contains(message).And.Message.Contains("config.json").And.Message.Not.Contains("secret"));

    [Test]
    public void A_list_where_one_text_belongs_is_refused() => Assert.That(
        () => Settings("""{"bucket_name": ["a", "b"]}""").Text(RasaSettingTable.Bucket),
        Throws.InstanceOf<CommandException>().With.Message.Contains("bucket"));

    [Test]
    public async Task A_password_in_the_settings_reaches_the_daemon_and_nobody_else()
    {
        var folder = Directory.CreateTempSubdirectory("modelfs-rasa").FullName;
        try
        {
            var run = new CommandRun { WorkingDirectory = folder };
            run.Variables["HOME"] = folder;
            Directory.CreateDirectory(folder + "/models/deep");
            await File.WriteAllTextAsync(folder + "/config.json", """{"storage": "mongodb", "mongodb_uri": "mongodb://me:hidden@host/db", "path": "models"}""");
            Assert.That(await run.RunAsync("mount", "--rasa-config", "config.json"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
            var launch = run.Keeper.Launched!;
            Assert.That(launch.Settings.Store, Is.EqualTo("mongodb://me:hidden@host/db"));
            Assert.That(launch.Settings.MountPoint, Is.EqualTo(folder + "/models"));
            Assert.That(string.Join(' ', launch.Arguments(9, "/bin/modelfs")) + launch.Settings.StoreDisplay + run.Out + run.Error, Does.Not.Contain("hidden"));
            Assert.That($"{run.Error}", Is.Empty, "a password that is on no command line needs no warning");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task Ls_takes_the_same_settings()
    {
        var run = new CommandRun();
        run.Variables["BUCKET_NAME"] = "models";
        run.Variables["AWS_REGION"] = "eu-west-1";
        Assert.That(await run.RunAsync("ls", "--storage", "aws"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That($"{run.Out}", Does.Contain("s3://models?region=eu-west-1"));
        Assert.That(await run.RunAsync("ls", "--rasa-config", "/no/such/file"), Is.EqualTo(ExitCode.Usage));
        Assert.That($"{run.Error}", Does.Contain("--rasa-config: ").And.Contain("/no/such/file"));
    }

    private static RasaSettings Settings(string config, params (string Name, string Value)[] variables) =>
        new(RasaConfigFile.Parse("config.json", config), name => variables.FirstOrDefault(pair => pair.Name == name).Value);
}
