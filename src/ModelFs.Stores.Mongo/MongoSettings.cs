using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>Where a MongoDB store is, read from its address.</summary>
/// <param name="ConnectionString">For the driver; may hold a password, so it is never logged or shown.</param>
/// <param name="Database">The database's name.</param>
/// <param name="Collection">The collection of the models' documents.</param>
/// <param name="DisplayName">The address without credentials and options.</param>
public sealed record MongoSettings(string ConnectionString, string Database, string Collection, string DisplayName)
{
    /// <summary>What the original documentation's example names.</summary>
    private const string DefaultCollection = "models";
    private const string CollectionOption = "collection";

    /// <summary>Reads <c>mongodb://[USER:PASSWORD@]HOST[:PORT][,…]/DATABASE?collection=NAME&amp;…</c>; all other options are the driver's.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/>, with a message that shows how it is written.</exception>
    public static MongoSettings Read(StoreUrl url)
    {
        var slash = url.Place.LastIndexOf('/');
        var database = slash < 0 || url.Place.AsSpan(slash).Contains('@') ? "" : Uri.UnescapeDataString(url.Place[(slash + 1)..]);
        if (database.Length == 0)
        {
            throw Misconfigured($"{url.Redacted} names no database: write {url.Scheme}://HOST/DATABASE?collection=NAME");
        }

        var collection = url.Options.GetValueOrDefault(CollectionOption, DefaultCollection);
        if (collection.Length == 0 || collection.Contains('$', StringComparison.Ordinal) || collection.StartsWith("system.", StringComparison.Ordinal))
        {
            throw Misconfigured($"'{collection}' can't be the name of a collection");
        }

        var connection = ConnectionStringOf(url);
        try
        {
            // Parsing only: a mongodb+srv address is looked up when the store is opened.
            _ = new MongoDB.Driver.Core.Configuration.ConnectionString(connection);
        }
        catch (Exception exception) when (exception is MongoConfigurationException or ArgumentException or FormatException)
        {
            // The driver's message may repeat the address with its password.
            throw Misconfigured($"{url.Redacted} is no MongoDB address: check its hosts and options, and that special characters of the password are written as %XX");
        }

        var hosts = url.Place[..slash];
        return new MongoSettings(connection, database, collection, $"{url.Scheme}://{hosts[(hosts.LastIndexOf('@') + 1)..]}/{database}?collection={collection}");
    }

    private static string ConnectionStringOf(StoreUrl url)
    {
        var mark = url.Text.IndexOf('?', StringComparison.Ordinal);
        if (mark < 0)
        {
            return url.Text;
        }

        var others = url.Text[(mark + 1)..].Split('&').Where(option => !option.StartsWith(CollectionOption + "=", StringComparison.OrdinalIgnoreCase));
        return $"{url.Text[..mark]}?{string.Join('&', others)}".TrimEnd('?');
    }

    private static StoreException Misconfigured(string message) => new(StoreErrorKind.Misconfigured, message);
}
