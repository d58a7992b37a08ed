using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.Mongo;

/// <summary>The walk from the kernel to a collection of model documents and back; the other client saves and fetches with pymongo, as Rasa NLU does.</summary>
internal sealed class MongoMountTests : MountFixture
{
    private readonly string _database = $"{MongoServer.Endpoint}/t{Guid.NewGuid():N}";

    private string Store => _database + "?collection=models";

    [SetUp]
    public void A_server_is_there()
    {
        if (MongoServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    [Test]
    [Promise("B1")]
    public void Models_that_Rasa_saved_are_read_and_changed_and_Rasa_fetches_what_is_published()
    {
        var saved = Tree("model_20161111-180000");
        Persistor.Run("save", _database, "models", "model_20161111-180000", saved);
        var mount = Mount(store: Store);
        Assert.That(Directory.GetDirectories(mount.Root).Select(Path.GetFileName), Is.EqualTo(["model_20161111-180000"]));
        var before = Folder.At("before");
        Persistor.Run("fetch", _database, "models", "model_20161111-180000", before);
        foreach (var file in new DirectoryInfo(before).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var shown = new FileInfo(mount.At("model_20161111-180000", Path.GetRelativePath(before, file.FullName)));
            Assert.That(shown.Length, Is.EqualTo(file.Length), $"st_size of {file.Name}, before anything is read");
        }

        Same(before, mount.At("model_20161111-180000"));

        File.WriteAllText(mount.At("model_20161111-180000", "notes.txt"), "changed");
        var local = Tree("trained", "second");
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        var changed = Folder.At("changed");
        Actor.Run("/bin/cp", "-a", mount.At("model_20161111-180000"), changed);
        mount.Unmount();

        var (fetched, fetchedNew) = (Folder.At("fetched"), Folder.At("fetched-new"));
        Persistor.Run("fetch", _database, "models", "model_20161111-180000", fetched);
        Persistor.Run("fetch", _database, "models", "trained", fetchedNew);
        Same(changed, fetched);
        Assert.That(Persistor.Run("fields", _database, "models", "model_20161111-180000").Lines, Has.None.Contains("modelfs"), "no field beside the files");
        Assert.That(Directory.GetFiles(fetchedNew).Select(Path.GetFileName), Is.EquivalentTo(Directory.GetFiles(local).Select(Path.GetFileName)));
        Assert.That(Persistor.Run("fields", _database, "models", "trained").Output, Does.Contain("metadata.json dict").And.Contain("intent_classifier.pkl bytes 0"));

        var again = Mount(store: Store, cacheName: "fresh");
        Same(again.At("trained"), local);
    }

    [Test]
    [Promise("B2")]
    public void A_model_that_no_document_can_hold_is_there_once_and_comes_back_whole()
    {
        var local = Tree("big:kib=20000");
        var mount = Mount(store: Store);
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Unmount();
        var again = Mount(store: Store, cacheName: "fresh");
        Assert.That(Directory.GetDirectories(again.Root).Select(Path.GetFileName), Is.EqualTo(["big"]));
        TreeSnapshot.AssertEqual(again.At("big"), local);
    }

    [Test]
    [Promise("M5")]
    public void The_settings_of_the_documentation_mount_the_collection()
    {
        var saved = Tree("model_20161111-180000");
        Persistor.Run("save", _database, "models", "model_20161111-180000", saved);
        var models = Folder.Create("data");
        File.WriteAllText(Folder.At("config.yml"), $"pipeline:\n- name: nlp_spacy\nstorage: mongodb\nmongodb_uri: {_database}\nserver_model_dirs: {models}/model_20161111-180000\n");
        var environment = new Dictionary<string, string?> { ["collection_name"] = "models" };
        MountedStore.Modelfs(["mount", "--rasa-config", Folder.At("config.yml"), "--cache-dir", Folder.At("cache")], environment).Succeeded();
        var fetched = Folder.At("fetched");
        Persistor.Run("fetch", _database, "models", "model_20161111-180000", fetched);
        Same(Path.Combine(models, "model_20161111-180000"), fetched);
        MountedStore.Modelfs(["unmount", models]).Succeeded();
    }

    [Test]
    [Promise("T3")]
    public void Models_move_between_archives_and_documents()
    {
        Pack("bert:A");
        MountedStore.Modelfs(["cp", StoreFolder + "/bert", Store]).Succeeded();
        Assert.That(Persistor.Run("fields", _database, "models", "bert").Output, Does.Contain("metadata.json dict"));
        MountedStore.Modelfs(["cp", $"{_database}/bert?collection=models", StoreFolder + "/second"]).Succeeded();
        MountedStore.Modelfs(["push", Tree("trained"), Store]).Succeeded();
        Assert.That(MountedStore.Modelfs(["push", Folder.At("local/trained"), Store]).ExitCode, Is.EqualTo(1), "it is there");
        foreach (var (store, model) in new[] { (Store, "bert"), (Store, "trained"), (StoreFolder, "second") })
        {
            MountedStore.Modelfs(["pull", store, model, Folder.At("got/" + model)]).Succeeded();
        }

        Same(Folder.At("got/trained"), Folder.At("local/trained"));
        Same(Folder.At("got/second"), Folder.At("got/bert"));
        Same(Folder.At("got/bert"), Tree("bert"));
    }

    private static void Same(string one, string other) => Actor.Run("/usr/bin/diff", "-r", one, other);
}

/// <summary>The same over TLS.</summary>
internal sealed class MongoTlsAndProxyTests : TlsAndProxyContract
{
    private readonly string _database = $"{MongoServer.TlsEndpoint}/t{Guid.NewGuid():N}";

    protected override string TlsStore => _database + "?tls=true&collection=models";

    protected override IReadOnlyDictionary<string, string?> Credentials => new Dictionary<string, string?>();

    protected override string AuthorityFile => MongoServer.CaFile;

    [SetUp]
    public void A_server_is_there()
    {
        if (MongoServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    protected override string ServerAuthority() => new Uri(MongoServer.TlsEndpoint).Authority;

    protected override void Upload(string model) => Persistor.Run("save", PythonUri, "models", model.Split(':')[0], Tree(WithoutLayout(model)));

    protected override IReadOnlyList<string> FilesOf(string model)
    {
        var fetched = Folder.At("fetched");
        Persistor.Run("fetch", PythonUri, "models", model, fetched);
        return [.. Directory.GetFiles(fetched).Select(path => Path.GetFileName(path))];
    }

    private string PythonUri => $"{_database}?ssl=true&ssl_ca_certs={MongoServer.CaFile}";
}

/// <summary>Rasa NLU's way with documents, by pymongo.</summary>
internal static class Persistor
{
    public static ActorResult Run(params IEnumerable<string> arguments) => Actor.Run("/usr/bin/python3", [RepositoryPaths.Actor("persistor.py"), .. arguments]);
}
