namespace ModelFs.Cli.Rasa;

/// <summary>The address of the store that a Rasa NLU server's settings mean.</summary>
internal static class RasaStore
{
    /// <summary>Makes the address; it may hold the password of a <c>mongodb_uri</c>.</summary>
    /// <param name="storage"><c>aws</c>, <c>gcs</c> or <c>mongodb</c>.</param>
    /// <param name="settings">The other settings.</param>
    /// <exception cref="CommandException">The kind is unknown, or a setting that it needs is missing.</exception>
    public static string Address(string storage, RasaSettings settings) => storage.Trim().ToLowerInvariant() switch
    {
        "aws" => "s3://" + Bucket(storage, settings) + Options(
            ("endpoint", settings.Text(RasaSettingTable.Endpoint)),
            ("region", settings.Text(RasaSettingTable.Region))),
        "gcs" => "gs://" + Bucket(storage, settings),
        "mongodb" => Mongo(settings),
        _ => throw CommandException.Usage($"there is no storage '{storage}': it is aws, gcs or mongodb; other stores are mounted by their address, see `modelfs mount --help`"),
    };

    private static string Bucket(string storage, RasaSettings settings)
    {
        var bucket = settings.Text(RasaSettingTable.Bucket)
            ?? throw CommandException.Usage($"storage {storage} needs the name of a bucket: set {RasaSettingTable.Bucket.Places}");
        return bucket.Contains('?', StringComparison.Ordinal) || bucket.Contains("://", StringComparison.Ordinal)
            ? throw CommandException.Usage("the bucket of a Rasa NLU server is a name, not an address; give an address as STORE")
            : bucket;
    }

    private static string Mongo(RasaSettings settings)
    {
        var address = settings.Text(RasaSettingTable.MongoUri)
            ?? throw CommandException.Usage($"storage mongodb needs the address of a database, mongodb://HOST/DATABASE: set {RasaSettingTable.MongoUri.Places}");
        var options = Options(("collection", settings.Text(RasaSettingTable.Collection)));
        return address.Contains('?', StringComparison.Ordinal) ? address.TrimEnd('&') + options.Replace('?', '&') : address + options;
    }

    private static string Options(params ReadOnlySpan<(string Name, string? Value)> options)
    {
        var text = "";
        foreach (var (name, value) in options)
        {
            if (value is not null)
            {
                text += $"{(text.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
            }
        }

        return text;
    }
}
