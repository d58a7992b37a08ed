using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

[TestFixture]
internal sealed class StoreUrlTests
{
    [TestCase("/srv/models", "file", "/srv/models")]
    [TestCase("/srv/what?is#this%20", "file", "/srv/what?is#this%20")]
    [TestCase("file:///srv/my%20models", "file", "/srv/my models")]
    [TestCase("s3://bucket", "s3", "bucket")]
    [TestCase("S3://bucket/a/b?region=eu-west-1", "s3", "bucket/a/b")]
    public void An_address_is_taken_apart(string text, string scheme, string place)
    {
        var url = StoreUrl.Parse(text);
        Assert.That((url.Scheme, url.Place), Is.EqualTo((scheme, place)));
    }

    [Test]
    public void A_relative_path_starts_at_the_current_folder() =>
        Assert.That(StoreUrl.Parse("models").Place, Is.EqualTo(Path.Combine(Environment.CurrentDirectory, "models")));

    [Test]
    public void Options_are_decoded() =>
        Assert.That(StoreUrl.Parse("s3://b?endpoint=http%3A%2F%2Fh%3A1&region=x").Options["endpoint"], Is.EqualTo("http://h:1"));

    [TestCase("", "empty")]
    [TestCase("s3:bucket", "two slashes")]
    [TestCase("s3://", "names no place")]
    [TestCase("file://srv/models", "three slashes")]
    [TestCase("s3://b?region", "?name=value")]
    [TestCase("s3://b?region=a&region=b", "once")]
    public void A_wrong_address_is_refused_with_the_way_to_write_it(string text, string part) =>
        Assert.That(() => StoreUrl.Parse(text), Throws.InstanceOf<StoreException>().With.Message.Contains(part).And.Property("Kind").EqualTo(StoreErrorKind.Misconfigured));

    [TestCase("mongodb://user:pa%3Fss@h1,h2/db?collection=models", "mongodb://***@h1,h2/db?collection=models")]
    [TestCase("mongodb://user:p/w@h/db", "mongodb://***@h/db")]
    [TestCase("s3://KEY:SECRET@bucket/a@b", "s3://***@bucket/a@b")]
    [TestCase("s3://bucket/a@b?endpoint=http://u:p@h:1", "s3://bucket/a@b?endpoint=http://***@h:1")]
    [TestCase("x://h?tlsPassword=abc&n=1", "x://h?tlspassword=***&n=1")]
    public void What_is_shown_holds_no_secret(string text, string shown) => Assert.That(StoreUrl.Parse(text).ToString(), Is.EqualTo(shown));

    [Test]
    public void A_store_of_no_known_kind_names_the_kinds() =>
        Assert.That(() => Opener().Create(StoreUrl.Parse("ftp://host/x"), new StoreOptions()), Throws.InstanceOf<StoreException>().With.Message.Contains("s3://BUCKET"));

    [Test]
    public async Task Each_kind_of_address_opens_its_store()
    {
        await using var folder = Opener().Create(StoreUrl.Parse("/srv/models"), new StoreOptions());
        await using var bucket = Opener().Create(StoreUrl.Parse("s3://bucket/x?region=eu-west-1"), new StoreOptions());
        Assert.That((folder.DisplayName, bucket.DisplayName), Is.EqualTo(("file:///srv/models", "s3://bucket/x")));
    }

    [TestCase("s3://bucket?regoin=x", "'regoin'")]
    [TestCase("s3://KEY:SECRET@bucket", "AWS_ACCESS_KEY_ID")]
    [TestCase("s3://b", "name of a bucket")]
    [TestCase("s3://bucket?endpoint=localhost:9000", "http://")]
    [TestCase("s3://bucket?path-style=maybe", "true or false")]
    [TestCase("/srv?x=1", null)]
    public void A_wrong_setting_is_refused(string text, string? part)
    {
        if (part is null)
        {
            Assert.That(() => Opener().Create(StoreUrl.Parse(text), new StoreOptions()), Throws.Nothing);
            return;
        }

        Assert.That(
            () => Opener().Create(StoreUrl.Parse(text), new StoreOptions { Environment = _ => null }),
            Throws.InstanceOf<StoreException>().With.Message.Contains(part).And.Message.Not.Contains("SECRET@"));
    }

    [Test]
    public void Region_and_endpoint_come_from_the_url_before_the_environment()
    {
        var environment = new Dictionary<string, string> { ["AWS_REGION"] = "r1", ["AWS_DEFAULT_REGION"] = "r2", ["AWS_ENDPOINT_URL"] = "http://e1", ["AWS_ENDPOINT_URL_S3"] = "http://e2" };
        S3Settings Read(string text) => S3Settings.Read(StoreUrl.Parse(text), name => environment.GetValueOrDefault(name));

        Assert.That((Read("s3://bucket").Region, Read("s3://bucket").Endpoint!.Host), Is.EqualTo(("r1", "e2")));
        Assert.That(Read("s3://bucket?region=r3&endpoint=http://e3").Endpoint!.Host, Is.EqualTo("e3"));
        Assert.That(Read("s3://bucket?region=r3").Region, Is.EqualTo("r3"));
        environment.Remove("AWS_REGION");
        environment.Remove("AWS_ENDPOINT_URL_S3");
        Assert.That((Read("s3://bucket").Region, Read("s3://bucket").Endpoint!.Host), Is.EqualTo(("r2", "e1")));
    }

    [TestCase("s3://bucket?endpoint=http://127.0.0.1:9000", true)]
    [TestCase("s3://bucket?endpoint=https://s3.example.org", true)]
    [TestCase("s3://bucket?endpoint=https://s3.example.org&path-style=false", false)]
    [TestCase("s3://bucket?endpoint=https://s3.eu-west-1.amazonaws.com", false)]
    [TestCase("s3://bucket?region=eu-west-1", false)]
    public void Servers_other_than_aws_are_spoken_to_in_path_style(string text, bool usesPathStyle) =>
        Assert.That(S3Settings.Read(StoreUrl.Parse(text), _ => null).UsesPathStyle, Is.EqualTo(usesPathStyle));

    private static StoreOpener Opener() => new([new FolderStoreFactory(), new S3StoreFactory()]);
}
