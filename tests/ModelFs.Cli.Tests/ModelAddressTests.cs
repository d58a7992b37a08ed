using ModelFs.Cli.Transfers;

namespace ModelFs.Cli.Tests;

/// <summary>What STORE/NAME can mean.</summary>
public sealed class ModelAddressTests
{
    [TestCase("s3://bucket", "s3://bucket", null, null, false)]
    [TestCase("s3://bucket/", "s3://bucket", null, null, true)]
    [TestCase("s3://bucket?region=eu", "s3://bucket?region=eu", null, null, false)]
    [TestCase("s3://bucket?endpoint=http://host:1/x", "s3://bucket?endpoint=http://host:1/x", null, null, false)]
    [TestCase("s3://bucket/bert?region=eu", "s3://bucket/bert?region=eu", "s3://bucket?region=eu", "bert", false)]
    [TestCase("s3://bucket/team/bert", "s3://bucket/team/bert", "s3://bucket/team", "bert", false)]
    [TestCase("s3://bucket/team/?region=eu", "s3://bucket/team?region=eu", "s3://bucket?region=eu", "team", true)]
    [TestCase("gs://bucket/a b+c%20", "gs://bucket/a b+c%20", "gs://bucket", "a b+c%20", false)]
    [TestCase("mongodb://host/db?collection=c", "mongodb://host/db?collection=c", null, null, false)]
    [TestCase("mongodb://u:p@host:1,host2:2/db/bert?collection=c", "mongodb://u:p@host:1,host2:2/db/bert?collection=c", "mongodb://u:p@host:1,host2:2/db?collection=c", "bert", false)]
    [TestCase("/srv/models", "/srv/models", "/srv", "models", false)]
    [TestCase("/srv/models/", "/srv/models", "/srv", "models", true)]
    [TestCase("/models", "/models", "/", "models", false)]
    [TestCase("/", "/", null, null, false)]
    [TestCase("models", "models", ".", "models", false)]
    [TestCase("../models", "../models", "..", "models", false)]
    [TestCase(".", ".", null, null, false)]
    [TestCase("a/..", "a/..", null, null, false)]
    [TestCase("what?x/bert", "what?x/bert", "what?x", "bert", false)]
    [TestCase("file:///srv/models/a%20b", "file:///srv/models/a%20b", "file:///srv/models", "a b", false)]
    public void An_address_is_a_store_or_a_store_and_a_name(string text, string store, string? parent, string? last, bool isStore)
    {
        var address = ModelAddress.Parse(text);
        Assert.That(address.Store, Is.EqualTo(store));
        Assert.That(address.IsStore, Is.EqualTo(isStore));
        Assert.That((address.Parent, address.Last), Is.EqualTo((parent, last)));
    }

    [TestCase("bert", "bert")]
    [TestCase("default/moodbot", "default/moodbot")]
    [TestCase("default___moodbot", "default/moodbot")]
    [TestCase("bert.tar.gz", "bert.tar.gz")]
    public void A_model_is_named_as_a_mount_or_a_key_names_it(string text, string name) => Assert.That(ModelAddress.NameOf(text).ToString(), Is.EqualTo(name));

    [TestCase(".hidden")]
    [TestCase("a___b___c")]
    [TestCase("a/b/c")]
    [TestCase("")]
    public void Such_a_text_names_no_model(string text) => Assert.That(() => ModelAddress.NameOf(text), Throws.InstanceOf<CommandException>());
}
