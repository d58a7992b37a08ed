using System.CommandLine;

namespace ModelFs.Cli.Listing;

/// <summary>The options by which commands that work on a store without a mount are told of it. They mean what they mean for <c>modelfs mount</c>.</summary>
internal sealed class StoreArguments
{
    private readonly CommandServices _services;
    private readonly Option<string?> _storeFile = new("--store-file") { HelpName = "FILE", Description = "Read STORE from the first line of this file." };
    private readonly Option<string?> _storage = new("--storage") { HelpName = "aws|gcs|mongodb", Description = "The store that a Rasa NLU server's settings describe." };
    private readonly Option<string?> _rasaConfig = new("--rasa-config") { HelpName = "FILE", Description = "A Rasa NLU server's configuration file, for its storage settings." };
    private readonly Option<string?> _caFile = new("--ca-file") { HelpName = "FILE", Description = "Trust the certificate authorities in this PEM file." };

    /// <summary>Makes the options and adds them.</summary>
    public StoreArguments(CommandServices services, Command command)
    {
        _services = services;
        _storage.CompletionSources.Add("aws", "gcs", "mongodb");
        foreach (var option in (Option[])[_storeFile, _storage, _rasaConfig, _caFile])
        {
            command.Add(option);
        }
    }

    /// <summary>Whether an option on the command line names the store, so that no argument does.</summary>
    public bool NameStore(ParseResult result) => new[] { _storeFile, _storage, _rasaConfig }.Any(option => result.GetValue(option) is not null);

    /// <summary>The store's address, from the argument or from wherever <see cref="StoreFinder"/> finds it.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="argument">STORE, or null.</param>
    /// <exception cref="CommandException">There is none, or it can't be right.</exception>
    public StoreAddress Find(ParseResult result, string? argument) => StoreFinder.Find(_services, new StoreSources(
        argument,
        Path(result, _storeFile, "MODELFS_STORE_FILE"),
        Text(result, _storage, "MODELFS_STORAGE"),
        Path(result, _rasaConfig, "MODELFS_RASA_CONFIG")));

    /// <summary>The file of trusted authorities, absolute, or null.</summary>
    public string? Authorities(ParseResult result) => Path(result, _caFile, "MODELFS_CA_FILE");

    private string? Text(ParseResult result, Option<string?> option, string variable) =>
        (result.GetValue(option) ?? _services.Variable(variable)) is { Length: > 0 } text ? text : null;

    private string? Path(ParseResult result, Option<string?> option, string variable) =>
        Text(result, option, variable) is { } path ? _services.Caller.Absolute(path) : null;
}
