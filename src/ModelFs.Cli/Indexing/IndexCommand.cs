using System.CommandLine;
using ModelFs.Archives;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Options;
using ModelFs.Cli.Transfers;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Indexing;

/// <summary><c>modelfs index</c>: gives archives of a store an index, in place.</summary>
internal static class IndexCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("STORE MODEL…")
        {
            Description = "The store, as for `modelfs mount`, unless an option or MODELFS_STORE names it; then models, NAME or PROJECT/NAME.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var all = new Option<bool>("--all") { Description = "All models of the store." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done, and change nothing." };
        var compress = new Option<string?>("--compress") { HelpName = "auto|store|fast|small", Description = "As for `modelfs mount`. Default: auto." };
        compress.CompletionSources.Add([.. CompressionWords.All.Select(word => word.Word)]);
        var command = new Command("index", "Give archives of a store an index, so that mounts list them at once and read them file by file.") { places, all, dryRun, compress };
        var stores = new StoreArguments(services, command);
        command.SetAction((result, cancellationToken) =>
        {
            var (storeText, models) = Split(services, result.GetValue(places) ?? [], result.GetValue(all), stores.NameStore(result));
            var address = stores.Find(result, storeText);
            var compression = Compression(result.GetValue(compress));
            return TransferErrors.TellAsync("cannot index", async () =>
            {
                var store = await TransferStore.OpenAsync(services, address, createBucket: false, stores.Authorities(result), cancellationToken).ConfigureAwait(false);
                await using (store.ConfigureAwait(false))
                {
                    RequireArchives(store.Store);
                    var chosen = models.Count == 0
                        ? await ListAsync(store.Store, cancellationToken).ConfigureAwait(false)
                        : await GetAsync(store, models, cancellationToken).ConfigureAwait(false);
                    return await TransferView.ShowAsync(
                        services.Console,
                        isQuiet: false,
                        view => new IndexRun(services, store.Store, view, compression, result.GetValue(dryRun)).RunAsync(chosen, cancellationToken)).ConfigureAwait(false);
                }
            });
        });
        return command;
    }

    /// <summary>Which of the arguments is the store, and which are models; no models means all.</summary>
    private static (string? Store, IReadOnlyList<string> Models) Split(CommandServices services, string[] places, bool all, bool isStoreNamed)
    {
        var isStoreElsewhere = isStoreNamed || (places.Length <= (all ? 0 : 1) && services.Variable("MODELFS_STORE") is { Length: > 0 });
        var (store, models) = isStoreElsewhere ? (null, places) : (places.FirstOrDefault(), places[Math.Min(1, places.Length)..]);
        if (all && models.Length > 0)
        {
            throw CommandException.Usage($"--all and '{models[0]}': name models, or --all of them");
        }

        return all || models.Length > 0 ? (store, models) : throw CommandException.Usage("no model is named: modelfs index STORE MODEL…, or --all for all models of the store");
    }

    private static PackCompression Compression(string? text)
    {
        try
        {
            return text is null ? PackCompression.Auto : OptionText.OneOf(text, CompressionWords.All);
        }
        catch (FormatException exception)
        {
            throw CommandException.Usage($"--compress: {exception.Message}");
        }
    }

    private static void RequireArchives(IModelStore store)
    {
        if (!store.Traits.ReadsRanges)
        {
            throw CommandException.Failure($"{store.DisplayName} renders archives from documents when they are read: there is nothing to index in it");
        }
    }

    /// <summary>Every model's archive that a mount shows, by name.</summary>
    private static async Task<IReadOnlyList<StoredModel>> ListAsync(IModelStore store, CancellationToken cancellationToken)
    {
        var models = new List<StoredModel>();
        await foreach (var stored in store.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (ModelKey.TryParse(stored.Key, out var key))
            {
                models.Add(new StoredModel(key, stored));
            }
        }

        return [.. models
            .GroupBy(model => model.Key.Model)
            .Select(group => group.MinBy(model => model.Key.Format)!)
            .OrderBy(model => model.Key.Model.ToString(), StringComparer.Ordinal)];
    }

    private static async Task<IReadOnlyList<StoredModel>> GetAsync(TransferStore store, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var models = new List<StoredModel>();
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            models.Add(await store.GetAsync(name, cancellationToken).ConfigureAwait(false));
        }

        return models;
    }
}
