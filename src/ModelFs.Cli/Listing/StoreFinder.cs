using ModelFs.Cli.Rasa;
using ModelFs.Stores;

namespace ModelFs.Cli.Listing;

/// <summary>What a command line and its environment say of the store, before one of them is chosen.</summary>
/// <param name="Argument">STORE, or null.</param>
/// <param name="StoreFile">A file whose first line is the address, absolute, or null.</param>
/// <param name="Storage">The kind of store that a Rasa NLU server's settings describe, or null.</param>
/// <param name="RasaConfig">The configuration file of a Rasa NLU server, absolute, or null.</param>
internal sealed record StoreSources(string? Argument, string? StoreFile, string? Storage, string? RasaConfig);

/// <summary>Chooses the store that a command works on.</summary>
internal static class StoreFinder
{
    /// <summary>
    /// Takes the address from STORE, <c>--store-file</c>, <c>--storage</c>, the file of <c>--rasa-config</c>, <c>MODELFS_STORE</c> or
    /// <c>RASA_STORAGE</c>: the first that is there, in this order.
    /// </summary>
    /// <exception cref="CommandException">There is none, or it can't be right.</exception>
    public static StoreAddress Find(CommandServices services, StoreSources sources)
    {
        var address = Parse(services, Text(services, sources));
        if (sources.Argument is not null && address.HoldsSecret)
        {
            services.Error.WriteLine("modelfs: warning: the store's address holds a password, and every user of this machine can read command lines; use --store-file or MODELFS_STORE");
        }

        return address;
    }

    /// <summary>Checks an address.</summary>
    /// <exception cref="CommandException">It can't be right.</exception>
    public static StoreAddress Parse(CommandServices services, string text)
    {
        try
        {
            return services.Stores.Parse(text, services.Caller.WorkingDirectory);
        }
        catch (StoreException exception)
        {
            throw CommandException.Usage(exception.Message);
        }
    }

    private static string Text(CommandServices services, StoreSources sources)
    {
        if ((sources.Argument ?? (sources.StoreFile is { } file ? FirstLine(file) : null)) is { } named)
        {
            return string.IsNullOrWhiteSpace(named) ? throw NoStore() : named;
        }

        var rasa = RasaSettings.Read(sources.RasaConfig, services.Variable);
        if ((sources.Storage ?? (sources.RasaConfig is null ? null : rasa.Text(RasaSettingTable.Storage))) is { } storage)
        {
            return RasaStore.Address(storage, rasa);
        }

        if (services.Variable("MODELFS_STORE") is { } variable && !string.IsNullOrWhiteSpace(variable))
        {
            return variable;
        }

        return rasa.Text(RasaSettingTable.Storage) is { } kind ? RasaStore.Address(kind, rasa) : throw NoStore();
    }

    private static CommandException NoStore() => CommandException.Usage(
        "no store is named: give STORE (a folder, or s3://bucket/prefix), or --store-file FILE, or --storage aws|gcs|mongodb with a Rasa NLU server's settings, or the environment variable MODELFS_STORE");

    private static string FirstLine(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault("").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"--store-file: {exception.Message}");
        }
    }
}
